import type { Last } from "./meta";
import type { Commit, DeliveryState, Notification, StoredEvent, Target } from "./event";
import type { Millis } from "../values/instant";
import { chunks } from "../values/lists";

/** A notification that has no number yet. `raw`: the event that the vendor's body came with. */
export type Draft = { target: Target; events: StoredEvent[]; raw?: StoredEvent };

/**
 * What a commit adds: its unknown events, not numbered yet, and what is to be sent of them: at most `most`
 * events of one destination together.
 */
export function planCommit(
  commit: Pick<Commit, "events" | "targets" | "raw">,
  context: { now: Millis; isKnown: (id: string) => boolean },
): { events: StoredEvent[]; drafts: Draft[] } {
  const seen = new Set<string>();
  const fresh = commit.events.filter(({ id }) => {
    if (seen.has(id) || context.isKnown(id)) return false;
    seen.add(id);
    return true;
  });
  const events: StoredEvent[] = fresh.map(({ to: _to, ...event }) => ({
    ...event,
    seq: 0,
    receivedAt: context.now,
    notifications: [],
  }));
  const raw = commit.raw === undefined || events[0] === undefined ? {} : { raw: events[0] };
  const drafts = commit.targets.flatMap((target, targetIndex) => {
    const mine = events.filter((_, index) => fresh[index]?.to.includes(targetIndex));
    return chunks(mine, target.most).map((group) => ({ target, events: group, ...raw }));
  });
  return { events, drafts };
}

/** Gives events, then the notifications of bundle after bundle, the numbers that come after `last`. */
export function numbered(
  bundles: readonly Draft[][],
  events: readonly StoredEvent[],
  last: Last,
  now: Millis,
): { bundles: Notification[][]; last: Last } {
  events.forEach((event, index) => {
    event.seq = last.event + index + 1;
  });
  let seq = last.notification;
  const numberedBundles = bundles.map((drafts) =>
    drafts.map((draft) => {
      seq += 1;
      for (const event of draft.events) event.notifications.push(seq);
      return newNotification(draft, seq, now);
    }),
  );
  return {
    bundles: numberedBundles,
    last: { event: last.event + events.length, notification: seq },
  };
}

/** A notification of `events`, due now, or kept when it has nowhere to go. */
function newNotification({ target, events, raw }: Draft, seq: number, now: Millis): Notification {
  const keys = orderingKeys(target, events);
  return {
    seq,
    createdAt: now,
    destinationId: target.destinationId,
    envelope: target.envelope,
    events: events.map((event) => event.seq),
    ...(raw === undefined ? {} : { raw: raw.seq }),
    ...(keys.length === 0 ? {} : { keys, ...(target.blocks === true ? { blocks: true } : {}) }),
    state: firstState(target, now),
    tries: 0,
    attempts: [],
    ...(target.warnings === undefined ? {} : { warnings: target.warnings }),
  };
}

function firstState({ destinationId, skipped }: Target, now: Millis): DeliveryState {
  if (destinationId === null) return { kind: "kept" };
  return skipped === true
    ? { kind: "dead", at: now, reason: "destination-disabled" }
    : { kind: "pending", at: now };
}

/** The keys a notification must be first of before it may leave. */
function orderingKeys(target: Target, events: readonly StoredEvent[]): string[] {
  if (target.destinationId === null || target.skipped === true) return [];
  switch (target.ordering) {
    case "none":
      return [];
    case "source":
      return [`${target.destinationId}|`];
    case "object":
      return [
        ...new Set(
          events.map((event) =>
            JSON.stringify([target.destinationId, event.objectType, event.objectId]),
          ),
        ),
      ];
  }
}

/** Cuts `items` so that no group weighs more than `limit`, unless one item alone does. */
export function groupsByWeight<T>(
  items: readonly T[],
  limit: number,
  most: number,
  weight: (item: T) => number,
): T[][] {
  const groups: T[][] = [];
  let current: T[] = [];
  let total = 0;
  for (const item of items) {
    const own = weight(item);
    if (current.length > 0 && (total + own > limit || current.length >= most)) {
      groups.push(current);
      current = [];
      total = 0;
    }
    current.push(item);
    total += own;
  }
  if (current.length > 0) groups.push(current);
  return groups;
}

/** Text in parts of at most `size` UTF-16 units, never cutting a surrogate pair. */
export function partsOf(text: string, size: number): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length || from === 0;) {
    let to = Math.min(from + size, text.length);
    const last = text.charCodeAt(to - 1);
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to -= 1;
    parts.push(text.slice(from, to));
    if (to === from) break;
    from = to;
  }
  return parts;
}
