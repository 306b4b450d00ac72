import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect, it } from "vitest";
import { firstKey } from "../../src/stream/key-search.store";
import { StreamStore } from "../../src/stream/store";
import { cases } from "../cases";
import { freshStream } from "./build";

/** Steps from one row to the next: of its key, and of its instant. */
const rows = fc.array(
  fc.record({
    key: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9 }), fc.constant(5_000)),
    at: fc.oneof(fc.nat(3), fc.constant(1_000_000)),
  }),
  { maxLength: 80 },
);

it("finds the first row that is not below, however rows are spread", async () => {
  await runInDurableObject(freshStream("user:key-search"), async (_, { storage: { sql } }) => {
    const store = new StreamStore(sql);
    // Its tables are made when something is stored.
    store.setMeta("name", "n");
    await fc.assert(
      fc.asyncProperty(rows, fc.double({ min: 0, max: 1.1, noNaN: true }), async (steps, share) => {
        sql.exec("DELETE FROM segments");
        let [key, at] = [0, 0];
        const made = steps.map((step) => {
          [key, at] = [key + step.key, at + step.at];
          return { key, at };
        });
        for (const row of made)
          sql.exec("INSERT INTO segments VALUES (?, 0, ?, '', 0)", row.key, row.at);
        const least = Math.floor(share * at);
        expect(firstKey(store, "segments", "at", least)).toBe(
          made.find((row) => row.at >= least)?.key,
        );
      }),
      { numRuns: cases(100, 5_000) },
    );
  });
});
