import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Target } from "../../src/stream/event";
import { commit, event, freshStream, restarted, type Stream, target } from "./build";

const WAIT_MS = 3_600_000;
const lists = (most: number): Target =>
  target({ destinationId: "nowhere", most: 1, gather: { waitMs: WAIT_MS, most } });
const latest = target({
  destinationId: "nowhere",
  most: 1,
  gather: { waitMs: WAIT_MS, isLatest: true },
});

/** The ids of the events of each notification, oldest first, and whether it still waits for more. */
async function shown(stream: Stream) {
  const views = await stream.notifications({ before: null, limit: 100, withEvents: true });
  return views.toReversed().map(({ events, notification: { state, createdAt } }) => ({
    ids: events.map(({ id }) => id),
    waits: state.kind === "pending" && state.at === createdAt + WAIT_MS,
  }));
}

describe("a destination that takes lists", () => {
  it("gets what comes one by one in one notification, which goes when it is full", async () => {
    const stream = freshStream();
    for (const id of ["a", "b", "c", "d"])
      await stream.commit(commit({ targets: [lists(3)], events: [event(id)] }));
    expect(await shown(stream)).toEqual([
      { ids: ["a", "b", "c"], waits: false },
      { ids: ["d"], waits: true },
    ]);
    const seen = await stream.event("b");
    expect(seen?.notifications).toEqual([1]);
  });

  it("is found by every event of a notification", async () => {
    const stream = freshStream();
    for (const id of ["a", "b"])
      await stream.commit(
        commit({
          targets: [lists(3)],
          events: [event(id, { objectType: id === "a" ? "accounts" : "contacts" })],
        }),
      );
    for (const filter of [
      { objectId: "object-b" },
      { objectType: "contacts" },
      { objectId: "object-a" },
    ]) {
      const found = await stream.deliveries({ before: null, limit: 10, filter, withEvents: false });
      expect(found.views.map(({ notification }) => notification.seq)).toEqual([1]);
    }
  });

  it("goes on gathering after a restart", async () => {
    const before = freshStream();
    await before.commit(commit({ targets: [lists(3)], events: [event("a")] }));
    const stream = await restarted(before);
    await stream.commit(commit({ targets: [lists(3)], events: [event("b")] }));
    expect(await shown(stream)).toEqual([{ ids: ["a", "b"], waits: true }]);
  });

  it("gets an event that is told later by itself", async () => {
    const stream = freshStream();
    const deliverAt = Date.now() + 2 * WAIT_MS;
    await stream.commit(commit({ targets: [lists(3)], events: [event("a")] }));
    await stream.commit(commit({ targets: [lists(3)], events: [event("b", { deliverAt })] }));
    expect((await shown(stream)).map(({ ids }) => ids)).toEqual([["a"], ["b"]]);
  });

  it("gets every event once, in order, in lists of as many as it takes, however they are committed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 2, max: 4 }),
        async (sizes, most) => {
          const stream = freshStream();
          let n = 0;
          for (const size of sizes) {
            const events = Array.from({ length: size }, () => event(`e${(n += 1)}`));
            await stream.commit(commit({ targets: [lists(most)], events }));
          }
          const all = await shown(stream);
          expect(all.flatMap(({ ids }) => ids)).toEqual(
            Array.from({ length: n }, (_, index) => `e${index + 1}`),
          );
          const lengths = all.map(({ ids }) => ids.length);
          expect(lengths.slice(0, -1).every((length) => length === most)).toBe(true);
          expect(all.map(({ waits }) => waits)).toEqual(lengths.map((length) => length < most));
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe("a destination that wants the latest of an object", () => {
  const of = (id: string, objectId: string) => event(id, { objectId });

  it("gets the last event of each object when the time since its first one is over", async () => {
    const stream = freshStream();
    const tell = (...events: ReturnType<typeof event>[]) =>
      stream.commit(commit({ targets: [latest], events }));
    await tell(of("a1", "a"), of("b1", "b"), of("a2", "a"));
    await tell(of("a3", "a"));
    await tell(of("b2", "b"), of("b3", "b"));
    expect(await shown(stream)).toEqual([
      { ids: ["a3"], waits: true },
      { ids: ["b3"], waits: true },
    ]);
    for (const id of ["a1", "a2", "a3"])
      expect((await stream.event(id))?.notifications).toEqual([1]);
  });
});
