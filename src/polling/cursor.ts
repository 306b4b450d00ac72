import * as z from "zod";
import { storedJson } from "../values/stored-json";
import { unreachable } from "./unreachable";

/** How far one resource was read. Instants in epoch ms. */
const position = z.object({
  /** Start of the last poll that saw a change; absent before the first. */
  last: z.number().optional(),
  /** Where the position stood when `rule` last changed: older changes were seen by the earlier rule. */
  floor: z.number().optional(),
  /** The settings that ids and dates are read by (`ruleOf`). A change of them must not emit a change twice. */
  rule: z.string().optional(),
  /** Failures in a row. */
  failures: z.number().default(0),
  failedAt: z.number().optional(),
  lastError: z.string().optional(),
  /** A list that one poll could not read to its end; the next poll goes on here. */
  scan: z
    .object({
      startedAt: z.number(),
      /** When the last page was read. */
      movedAt: z.number().optional(),
      after: z.number(),
      position: z.unknown(),
      /** Pages read so far. */
      pages: z.number().default(0),
      /** Records read so far. */
      records: z.number().optional(),
    })
    .optional(),
  /** Records of a page, while pages of the usual size are too large (`page-size.ts`). */
  pageSize: z.number().optional(),
  /** When the last snapshot of all ids was taken. */
  snapshotAt: z.number().optional(),
  /** The vendor's list of deletions was read up to this instant. */
  deletionsTo: z.number().optional(),
});
export type Position = z.infer<typeof position>;

/** How far a change feed was read. */
const feedPosition = z.object({
  /** Of a tree feed (`tree-position.ts`); a log feed is always at `follow`. */
  phase: z.enum(["listing", "sweep", "follow"]),
  /** The vendor's own cursor; null at the beginning of a listing. */
  position: z.string().nullable(),
  /** Number of the current or last listing; nodes that it did not see carry a lower one. */
  generation: z.number(),
  /** The first listing records what is there, and emits nothing. */
  quiet: z.boolean(),
  /** Pages read by earlier polls that followed each other at once without coming to the end. */
  pages: z.number().default(0),
  /** When tombstones were last removed. */
  prunedAt: z.number().optional(),
});
export type FeedPosition = z.infer<typeof feedPosition>;

/**
 * The poller's cursor: JSON that the stream stores and never reads. For each resource it holds the start of the last
 * poll that saw a change. The next poll asks for what changed since then less an overlap; changes that it sees for the
 * second time have the same event id, and the stream keeps one of them.
 */
export const storedCursor = storedJson(
  z.object({
    resources: z.record(z.string(), position).default({}),
    /** The vendor asked not to be called before this instant. */
    notBefore: z.number().optional(),
    /** The vendor gives no answer. */
    unreachable: unreachable.optional(),
    feed: feedPosition.optional(),
    /** The stream's state names objects whose deletion was told (`lives.ts`). */
    dead: z.literal(true).optional(),
  }),
);
export type Cursor = ReturnType<typeof storedCursor.read>;

export function readCursor(text: string | null): Cursor {
  return text === null ? { resources: {} } : storedCursor.read(text);
}

export function positionOf({ resources }: Cursor, resource: string): Position {
  return resources[resource] ?? { failures: 0 };
}

/**
 * The beginning of a poll's window, exclusive: the last poll less delay and overlap, but never before the instance's
 * baseline (its creation), nor before the last change of the rule.
 */
export function windowStart(
  { last, floor }: Position,
  baseline: number,
  delays: { pollDelayMs: number; overlapMs: number },
): number {
  const from = last === undefined ? baseline : last - delays.pollDelayMs - delays.overlapMs;
  return Math.max(from, floor ?? baseline, baseline);
}

/**
 * The position for a poll by `rule`. If the rule has changed since the last poll, nothing from before that is read
 * again.
 */
export function underRule(position: Position, rule: string, baseline: number): Position {
  if (position.rule === undefined || position.rule === rule) return { ...position, rule };
  const { scan: _abandoned, ...rest } = position;
  return { ...rest, rule, floor: Math.max(position.last ?? baseline, position.floor ?? baseline) };
}

/** How far behind its last poll a resource may look, at most. */
export function longestLookBackMs(
  resources: readonly { pollDelayMs: number; overlapMs: number }[],
): number {
  return Math.max(0, ...resources.map(({ pollDelayMs, overlapMs }) => pollDelayMs + overlapMs));
}

/** Failures before the poller was last switched on no longer count. */
export function sinceEnabled(position: Position, enabledAt: number): Position {
  const { failedAt, lastError: _gone, ...rest } = position;
  return failedAt === undefined || failedAt > enabledAt ? position : { ...rest, failures: 0 };
}

/** The instant from which on the stream must keep event ids: the next poll may see those changes again. */
export function keepIdsSince(
  resources: Cursor["resources"],
  baseline: number,
  longestLookBackMs: number,
): number {
  const lasts = Object.values(resources).map(({ last }) => last ?? baseline);
  return Math.min(...lasts, Number.MAX_SAFE_INTEGER) - longestLookBackMs;
}

const QUIET_MS = 3 * 86_400_000;

/**
 * The cursor as it is written. An idle resource keeps its position, so that idle polls write nothing; but event ids are
 * kept since the oldest position of all, and would pile up behind a resource that never changes. So when another
 * resource is written anyway, those that were idle in this poll, and unchanged for three days, move along.
 */
export function withQuietMoved(cursor: Cursor, idleAt: ReadonlyMap<string, number>): Cursor {
  const moved = Object.entries(cursor.resources).map(([name, position]): [string, Position] => {
    const at = idleAt.get(name);
    const quiet = at !== undefined && position.last !== undefined && position.last < at - QUIET_MS;
    return [name, quiet ? { ...position, last: at } : position];
  });
  return { ...cursor, resources: Object.fromEntries(moved) };
}
