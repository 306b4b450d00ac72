import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases";
import {
  commit,
  delivered,
  event,
  freshStream,
  restarted,
  type Stream,
  target,
  withoutQueues,
} from "./build";
import { longStream } from "./long";

/** Whatever a stream has been through, waking it up with a few that are unsettled reads no more rows than this. */
const MOST = 25;
const FEW = 3;

/** The object after a crash, and the rows that it read to be there again. */
async function woken(before: Stream): Promise<{ stream: Stream; rows: number }> {
  const stream = await restarted(before);
  const { rowsRead: rows } = await stream.meter();
  await withoutQueues(stream);
  return { stream, rows };
}

/** Bundles that the alarm would send, once it may. */
const unsettled = (stream: Stream): Promise<number[]> =>
  runInDurableObject(stream, (_, { storage: { sql } }) =>
    sql
      .exec<{ id: number }>("SELECT id FROM bundles WHERE next_at IS NOT NULL AND later = 1")
      .toArray()
      .map(({ id }) => id),
  );

const alone = (name: string) =>
  commit({ events: [event(name)], targets: [target({ destinationId: "d", most: 1 })] });

it.each([10, 1_000, 100_000])(
  "reads few rows after %i events, with none, one and a few unsettled, and finds these",
  async (count) => {
    // What an earlier version left has no list of what is unsettled: it is made once.
    let { stream } = await woken(await longStream(count));
    let last = count;
    for (const open of [0, 1, FEW]) {
      const seqs = Array.from({ length: 20 }, (_, index) => last + 1 + index);
      for (const seq of seqs) await stream.commit(alone(`${seq}`));
      for (const seq of seqs.slice(open))
        await stream.settle([{ bundle: seq, outcomes: [delivered(seq)], last: true }]);
      last += seqs.length;
      const again = await woken(stream);
      stream = again.stream;
      expect(again.rows).toBeLessThanOrEqual(MOST);
      expect(await unsettled(stream)).toEqual(seqs.slice(0, open));
      for (const seq of seqs.slice(0, open))
        await stream.settle([{ bundle: seq, outcomes: [delivered(seq)], last: true }]);
    }
  },
);

type Step =
  | { kind: "commit"; events: number }
  | { kind: "settle"; share: number[] }
  | { kind: "crash" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("commit" as const), events: fc.integer({ min: 1, max: 120 }) }),
  fc.record({
    kind: fc.constant("settle" as const),
    share: fc.array(fc.nat(60), { minLength: 1, maxLength: 60 }),
  }),
  fc.record({ kind: fc.constant("crash" as const) }),
);

it("reads few rows whenever it is killed, and none that is unsettled is forgotten", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      let stream = freshStream();
      await withoutQueues(stream);
      await stream.commit(commit());
      const open: number[] = [];
      let seq = 0;
      for (const one of [...steps, { kind: "crash" as const }])
        switch (one.kind) {
          case "commit": {
            const events = Array.from({ length: one.events }, (_, at) => event(`${seq + at}`));
            await stream.commit(
              commit({ events, targets: [target({ destinationId: "d", most: 1 })] }),
            );
            for (let at = 0; at < one.events; at += 10) open.push(seq + at + 1);
            seq += one.events;
            break;
          }
          case "settle":
            for (const place of one.share) {
              const [bundle] = open.splice(place % Math.max(open.length, 1), 1);
              if (bundle === undefined) break;
              const view = await runInDurableObject(stream, (object) =>
                Reflect.get(object, "parts").bundles.bundle(bundle),
              );
              const outcomes = view.notifications.map((held: { seq: number }) =>
                delivered(held.seq),
              );
              await stream.settle([{ bundle, outcomes, last: true }]);
            }
            break;
          case "crash": {
            const again = await woken(stream);
            stream = again.stream;
            expect(again.rows).toBeLessThanOrEqual(MOST + Math.max(0, open.length - FEW));
            expect(await unsettled(stream)).toEqual(open);
          }
        }
    }),
    { numRuns: cases(15, 500) },
  );
});
