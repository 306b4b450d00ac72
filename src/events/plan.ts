import type { Millis } from "../delivery/attempt";
import type { Commit, Notification, StoredEvent, Target } from "./event";

export type Plan = { events: StoredEvent[]; notifications: Notification[] };

/**
 * What a commit adds: its unknown events, numbered from `nextEvent`, and their notifications, numbered
 * from `nextNotification`, each holding at most `most` events of one destination.
 */
export function planCommit(
  commit: Pick<Commit, "events" | "targets" | "raw">,
  context: {
    now: Millis;
    nextEvent: number;
    nextNotification: number;
    isKnown: (id: string) => boolean;
  },
): Plan {
  const seen = new Set<string>();
  const fresh = commit.events.filter(({ id }) => {
    if (seen.has(id) || context.isKnown(id)) return false;
    seen.add(id);
    return true;
  });
  const events: StoredEvent[] = fresh.map(({ to: _to, ...event }, index) => ({
    ...event,
    seq: context.nextEvent + index,
    receivedAt: context.now,
    notifications: [],
  }));
  const notifications: Notification[] = [];
  commit.targets.forEach((target, targetIndex) => {
    const mine = events.filter((_, index) => fresh[index]?.to.includes(targetIndex));
    for (const group of groupsOf(mine, target.most)) {
      const seq = context.nextNotification + notifications.length;
      const raw = commit.raw === undefined ? {} : { raw: context.nextEvent };
      notifications.push({ ...newNotification(target, seq, group, context.now), ...raw });
      for (const event of group) event.notifications.push(seq);
    }
  });
  return { events, notifications };
}

/** A notification of `events`, due now, or kept when it has nowhere to go. */
export function newNotification(
  target: Target,
  seq: number,
  events: readonly StoredEvent[],
  now: Millis,
): Notification {
  const keys = orderingKeys(target, events);
  return {
    seq,
    createdAt: now,
    destinationId: target.destinationId,
    envelope: target.envelope,
    events: events.map((event) => event.seq),
    ...(keys.length === 0 ? {} : { keys }),
    state: target.destinationId === null ? { kind: "kept" } : { kind: "pending", at: now },
    tries: 0,
    attempts: [],
  };
}

/** The keys a notification must be first of before it may leave. */
function orderingKeys(target: Target, events: readonly StoredEvent[]): string[] {
  if (target.destinationId === null) return [];
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

/** `items` in groups of at most `most`, in order. */
export function groupsOf<T>(items: readonly T[], most: number): T[][] {
  const groups: T[][] = [];
  for (let from = 0; from < items.length; from += most) groups.push(items.slice(from, from + most));
  return groups;
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
