/** How deletions are found where the records themselves don't show them (opt-in, for each resource). */
export type SnapshotRule = {
  /**
   * `snapshot`: all ids are compared with those recorded before. `list`: the vendor's own list of deletions is read; all
   * ids are compared only when that list no longer reaches back to where it was read last.
   */
  strategy: "snapshot" | "list";
  everyMs: number;
  /** When a larger part than this of the recorded ids is missing at once, the vendor's answer is not believed. */
  maxRatio: number;
};

export type SnapshotDiff =
  | { kind: "diff"; appeared: string[]; vanished: string[] }
  | { kind: "refused"; message: string };

/** @param takenAt when the last snapshot was taken; undefined before the first, which is due at once. */
export function isSnapshotDue(
  rule: SnapshotRule | undefined,
  takenAt: number | undefined,
  now: number,
): boolean {
  return rule !== undefined && (takenAt === undefined || now - takenAt >= rule.everyMs);
}

/** What changed since the ids were recorded: `appeared` are to be recorded, `vanished` were deleted. */
export function diffSnapshot(
  recorded: ReadonlySet<string>,
  present: ReadonlySet<string>,
  { maxRatio }: SnapshotRule,
): SnapshotDiff {
  const vanished = [...recorded].filter((id) => !present.has(id));
  if (vanished.length > recorded.size * maxRatio)
    return {
      kind: "refused",
      message: `${vanished.length} of ${recorded.size} records vanished, more than the ratio ${maxRatio} allows`,
    };
  return { kind: "diff", appeared: [...present].filter((id) => !recorded.has(id)), vanished };
}
