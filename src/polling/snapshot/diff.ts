/** Deletions of vendors that tell none: what a complete scan no longer shows (opt-in). */
export type SnapshotRule = {
  /** `snapshot`: all ids, each time. `list`: the vendor's own list of deletions; all ids where it reaches not back far enough. */
  strategy: "snapshot" | "list";
  everyMs: number;
  /** More than this part of what was known vanishing at once is taken for the vendor's mistake. */
  maxRatio: number;
};

export type SnapshotDiff =
  | { kind: "diff"; appeared: string[]; vanished: string[] }
  | { kind: "refused"; message: string };

/** Whether a scan is due. The first one only records. */
export function isSnapshotDue(
  rule: SnapshotRule | undefined,
  takenAt: number | undefined,
  now: number,
): boolean {
  return rule !== undefined && (takenAt === undefined || now - takenAt >= rule.everyMs);
}

export function diffSnapshot(
  known: ReadonlySet<string>,
  present: ReadonlySet<string>,
  { maxRatio }: SnapshotRule,
): SnapshotDiff {
  const vanished = [...known].filter((id) => !present.has(id));
  if (vanished.length > known.size * maxRatio)
    return {
      kind: "refused",
      message: `${vanished.length} of ${known.size} records vanished, more than the ratio ${maxRatio} allows`,
    };
  return { kind: "diff", appeared: [...present].filter((id) => !known.has(id)), vanished };
}

/** The state's key of an id that was there. */
export const snapshotKey = (resource: string, id: string): string => `s|${resource}|${id}`;
