import type { NotificationView } from "../../stream/history";
import type { EventStream } from "../../stream/stream.object";
import type { Millis } from "../../values/instant";
import { type Cut, narrowed, placesOf } from "./merge";
import { historyView } from "./view";

type Stream = DurableObjectStub<EventStream>;

/** More rounds than any cut takes, unless a clock went backwards while items were made. */
const MOST_ROUNDS = 16;

/**
 * A page of the histories of streams as one list, newest first, and how many items all of it has. Items are found by
 * their place: what comes before the page isn't read.
 */
export async function listedPage(
  streams: readonly Stream[],
  { offset, limit }: { offset: number; limit: number },
): Promise<{ items: Record<string, unknown>[]; total: number }> {
  const [only] = streams;
  if (only !== undefined && streams.length === 1) {
    const { views, total } = await only.notificationsAt({ offset, limit });
    return { items: (await withBodies(only, views)).map(({ item }) => item), total };
  }
  const totals = await Promise.all(streams.map((stream) => stream.total()));
  const [from, to] = await Promise.all([
    cutsAt(streams, totals, offset),
    cutsAt(streams, totals, offset + limit),
  ]);
  const parts = await Promise.all(
    streams.map(async (stream, index) => {
      const first = from[index] ?? 0;
      const count = (to[index] ?? 0) - first;
      if (count <= 0) return [];
      const { views } = await stream.notificationsAt({ offset: first, limit: count });
      return withBodies(stream, views);
    }),
  );
  const merged = parts.flat().toSorted((left, right) => right.at - left.at);
  return {
    items: merged.map(({ item }) => item),
    total: totals.reduce((sum, total) => sum + total, 0),
  };
}

/** How many items of each stream are among the first `wanted` of all. */
async function cutsAt(
  streams: readonly Stream[],
  totals: readonly number[],
  wanted: number,
): Promise<number[]> {
  if (wanted >= totals.reduce((sum, total) => sum + total, 0)) return [...totals];
  let cuts: Cut[] = totals.map((total) => ({ low: 0, high: Math.min(total, wanted) }));
  const isOpen = ({ low, high }: Cut): boolean => low < high;
  for (let round = 0; round < MOST_ROUNDS && cuts.some(isOpen); round += 1) {
    const samples = await Promise.all(
      streams.map(async (stream, index) => {
        const places = placesOf(cuts[index] ?? { low: 0, high: 0 });
        if (places.length === 0) return [];
        const times = await stream.createdAt(places);
        return places.flatMap((place, at) => {
          const time = times[at] ?? null;
          return time === null ? [] : { place, at: time };
        });
      }),
    );
    cuts = narrowed(cuts, samples, wanted);
  }
  return cuts.map(({ low }) => low);
}

/** Notifications of a stream as the history prints them, and when each was made. */
async function withBodies(
  stream: Stream,
  views: readonly NotificationView[],
): Promise<{ at: Millis; item: Record<string, unknown> }[]> {
  const bodies = await bodiesOf(stream, views);
  return views.map((view) => {
    const { createdAt, seq } = view.notification;
    return { at: createdAt, item: historyView(view, bodies.get(seq) ?? "null") };
  });
}

/** The bodies of notifications of a stream, by number. Several answers hold them when they are large. */
export async function bodiesOf(
  stream: Stream,
  views: readonly NotificationView[],
): Promise<Map<number, string>> {
  const seqs = views.map(({ notification }) => notification.seq);
  const found = new Map<number, string>();
  for (let from = 0; from < seqs.length;) {
    const { bodies, read } = await stream.notificationBodies(seqs.slice(from));
    for (const [seq, body] of Object.entries(bodies)) found.set(Number(seq), body);
    from += read;
  }
  return found;
}
