import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Positions } from "../../src/stream/outbox/positions.store";
import { StreamStore } from "../../src/stream/store";
import { cases } from "../cases";
import { freshStream } from "./build";

/** Bundles from the oldest on: how many notifications each has, and whether a purge deleted it. */
const bundles = fc.array(
  fc.record({ size: fc.integer({ min: 1, max: 10 }), isGone: fc.boolean() }),
  { maxLength: 30 },
);

it("knows where every notification stands that purges left, and of those that came since", async () => {
  await runInDurableObject(freshStream("user:positions"), async (_, { storage: { sql } }) => {
    const store = new StreamStore(sql);
    // Its tables are made when something is stored.
    store.setMeta("name", "n");
    await fc.assert(
      fc.asyncProperty(bundles, fc.nat(20), fc.boolean(), async (rows, since, isPurged) => {
        sql.exec("DELETE FROM bundles");
        store.setMeta("lastSeqs", isPurged ? '{"event":1,"notification":1}' : null);
        const left: number[] = [];
        let last = 0;
        for (const { size, isGone } of rows) {
          const seqs = Array.from({ length: size }, (__, index) => last + index + 1);
          const id = last + 1;
          last += size;
          if (isPurged && isGone) continue;
          left.unshift(...seqs.toReversed());
          sql.exec(
            "INSERT INTO bundles (id, later, body, at, count, events_to) VALUES (?, 0, ?, 0, 0, 0)",
            id,
            JSON.stringify(seqs),
          );
        }
        let newest = last;
        const positions = new Positions(store, () => newest);
        expect(positions.total()).toBe(left.length);
        newest += since;
        for (let seq = last + 1; seq <= newest; seq += 1) left.unshift(seq);
        expect(positions.total()).toBe(left.length);
        expect(left.map((__, place) => positions.seqAt(place))).toEqual(left);
        expect(positions.seqAt(left.length)).toBeUndefined();
      }),
      { numRuns: cases(60, 2_000) },
    );
  });
});
