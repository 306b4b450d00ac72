import * as z from "zod";

/** Where one polled resource stands. Instants in epoch ms. */
const position = z.object({
  /** Start of the last poll that saw a change; absent before the first. */
  last: z.number().optional(),
  /** Nothing at or before this instant is looked at again: what was known was known under another rule. */
  floor: z.number().optional(),
  /** What ids and versions are read from; another rule than before must not emit the same changes anew. */
  rule: z.string().optional(),
  /** Failures in a row. */
  failures: z.number().default(0),
  failedAt: z.number().optional(),
  lastError: z.string().optional(),
  /** A scan larger than one run, to be continued. */
  scan: z
    .object({
      startedAt: z.number(),
      after: z.number(),
      position: z.unknown(),
      /** Pages read so far. */
      pages: z.number().default(0),
    })
    .optional(),
  /** When all ids were last compared with those known. */
  snapshotAt: z.number().optional(),
  /** The vendor's list of deletions was read up to this instant. */
  deletionsTo: z.number().optional(),
});
export type Position = z.infer<typeof position>;

/** Where a change feed stands. */
const feedPosition = z.object({
  /**
   * `listing`: the whole tree is read, then what was not in it is swept away (`sweep`); `follow`: the
   * changes since.
   */
  phase: z.enum(["listing", "sweep", "follow"]),
  /** The vendor's own; null at the beginning of a listing. */
  position: z.string().nullable(),
  /** Counts listings: what a listing did not see has an older one. */
  generation: z.number(),
  /** The first listing only records. */
  quiet: z.boolean(),
  /** Pages read without coming to the end, by runs before. */
  pages: z.number().default(0),
  /** When what was deleted long ago was last forgotten. */
  prunedAt: z.number().optional(),
});
export type FeedPosition = z.infer<typeof feedPosition>;

/** The poller's cursor: opaque text to the stream. */
const cursor = z.object({
  resources: z.record(z.string(), position).default({}),
  /** The vendor asked not to be called before this instant. */
  notBefore: z.number().optional(),
  feed: feedPosition.optional(),
});
export type Cursor = z.infer<typeof cursor>;

export function readCursor(text: string | null): Cursor {
  return text === null ? { resources: {} } : cursor.parse(JSON.parse(text));
}

export function positionOf({ resources }: Cursor, resource: string): Position {
  return resources[resource] ?? { failures: 0 };
}

/**
 * The instant whose later changes this poll looks for, exclusive: the last poll less delay and overlap,
 * never below the baseline, nor below what was read under another rule.
 */
export function windowStart(
  { last, floor }: Position,
  baseline: number,
  delays: { pollDelayMs: number; overlapMs: number },
): number {
  const from = last === undefined ? baseline : last - delays.pollDelayMs - delays.overlapMs;
  return Math.max(from, floor ?? baseline, baseline);
}

/** A position under `rule`: changing how records are read keeps the place and looks at nothing twice. */
export function underRule(position: Position, rule: string, baseline: number): Position {
  if (position.rule === undefined || position.rule === rule) return { ...position, rule };
  const { scan: _abandoned, ...rest } = position;
  return { ...rest, rule, floor: Math.max(position.last ?? baseline, position.floor ?? baseline) };
}

/** Failures before the poller was last switched on no longer count. */
export function sinceEnabled(position: Position, enabledAt: number): Position {
  const { failedAt, lastError: _gone, ...rest } = position;
  return failedAt === undefined || failedAt > enabledAt ? position : { ...rest, failures: 0 };
}

/** The least instant whose event ids the next poll may see again. */
export function keepIdsSince(
  resources: Cursor["resources"],
  baseline: number,
  longestLookBackMs: number,
): number {
  const lasts = Object.values(resources).map(({ last }) => last ?? baseline);
  return Math.min(...lasts, Number.MAX_SAFE_INTEGER) - longestLookBackMs;
}

/** A resource quiet for this long lets its place move with the next write of another, or ids pile up behind it. */
const QUIET_MS = 3 * 86_400_000;

/** The cursor as it is written: places of resources that were idle in this poll and quiet for long move along. */
export function withQuietMoved(cursor: Cursor, idleAt: ReadonlyMap<string, number>): Cursor {
  const moved = Object.entries(cursor.resources).map(([name, position]): [string, Position] => {
    const at = idleAt.get(name);
    const quiet = at !== undefined && position.last !== undefined && position.last < at - QUIET_MS;
    return [name, quiet ? { ...position, last: at } : position];
  });
  return { ...cursor, resources: Object.fromEntries(moved) };
}
