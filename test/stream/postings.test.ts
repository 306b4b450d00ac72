import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Postings } from "../../src/stream/search/postings.io";
import { StreamStore } from "../../src/stream/store";
import { cases } from "../cases";
import { freshStream } from "./build";

/** What happens to a stream: numbers come, some got a key before, it restarts, looks at what is missing, or is purged. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("come" as const), count: fc.integer({ min: 1, max: 6_000 }) }),
  fc.record({
    kind: fc.constant("late" as const),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ kind: fc.constantFrom("restart" as const, "catch up" as const, "search" as const) }),
  fc.record({
    kind: fc.constant("purge" as const),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
);

/** Each number has a key that every number has, and some that few have. */
const keysOf = (seq: number): string[] => [
  "all",
  `mod97|${seq % 97}`,
  ...(seq % 5_000 === 7 ? ["seldom"] : []),
];

it("finds every number by its keys, whatever happened in between", async () => {
  await runInDurableObject(freshStream("user:postings"), async (_, { storage: { sql } }) => {
    const store = new StreamStore(sql);
    // Its tables are made when something is stored.
    store.setMeta("name", "n");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.boolean(), async (steps, isDown) => {
        sql.exec("DELETE FROM postings");
        let [first, last] = [1, 0];
        const late = new Set<number>();
        const opened = () =>
          new Postings(store, {
            kind: "events",
            first: () => first,
            *read(from, to) {
              for (let seq = Math.max(from, first); seq <= to; seq += 1)
                yield { seq, keys: keysOf(seq) };
            },
          });
        let postings = opened();
        for (const one of steps) {
          if (one.kind === "come")
            for (let count = 0; count < one.count; count += 1) {
              last += 1;
              postings.add({ seq: last, keys: keysOf(last) });
            }
          else if (one.kind === "late" && last >= first) {
            const seq = first + Math.floor(one.share * (last - first));
            late.add(seq);
            postings.addLate(["seldom"], [seq]);
          } else if (one.kind === "purge") {
            first += Math.floor(one.share * (last - first + 1));
            postings.purge();
          } else if (one.kind === "restart") postings = opened();
          else if (one.kind === "catch up") postings.catchUp(last, 4);
          else {
            postings.catchUp(last, Infinity);
            postings.takeRest(last);
          }
        }
        postings.catchUp(last, Infinity);
        postings.takeRest(last);
        for (const keys of [
          ["seldom"],
          ["mod97|13"],
          ["mod97|13", "all"],
          ["mod97|7", "seldom"],
          ["none"],
        ]) {
          const span = { from: first + 3, to: last - 5 };
          const expected: number[] = [];
          for (let seq = span.from; seq <= span.to; seq += 1) {
            const own = [...keysOf(seq), ...(late.has(seq) ? ["seldom"] : [])];
            if (keys.every((key) => own.includes(key))) expected.push(seq);
          }
          const found = [...postings.candidates(keys, span, isDown)];
          expect(isDown ? found.toReversed() : found).toEqual(expected);
        }
      }),
      { numRuns: cases(8, 500) },
    );
  });
});

it("merges runs, so that a key of 140,000 numbers is found in few rows", async () => {
  await runInDurableObject(freshStream("user:runs"), (_, { storage: { sql } }) => {
    const store = new StreamStore(sql);
    const postings = new Postings(store, { kind: "events", first: () => 1, read: () => [] });
    const before = store.meter.rowsWritten;
    for (let seq = 1; seq <= 140_000; seq += 1)
      postings.add({ seq, keys: [`o${seq}`, "accounts", "CREATED"] });
    expect((store.meter.rowsWritten - before) / 140_000).toBeLessThan(0.01);
    const { rowsRead } = store.meter;
    const span = { from: 1, to: 140_000 };
    expect([...postings.candidates(["o70000"], span, false)]).toEqual([70_000]);
    expect(store.meter.rowsRead - rowsRead).toBeLessThanOrEqual(2 * 31);
  });
});
