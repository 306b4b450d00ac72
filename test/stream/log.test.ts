import { runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { expect, it } from "vitest";
import { onceId } from "../../src/stream/event-id";
import type { NewEvent, StoredEvent } from "../../src/stream/event";
import { EventLog } from "../../src/stream/log/store";
import { OutboxStore } from "../../src/stream/outbox/store";
import { StreamStore } from "../../src/stream/store";
import { commit, event, freshStream, target } from "./build";
import { cases } from "../cases";

type Shape = { events: { size: number; to: number[]; once: boolean }[]; raw: number | undefined };

const shape: fc.Arbitrary<Shape> = fc.record({
  events: fc.array(
    fc.record({
      size: fc.oneof(
        { weight: 9, arbitrary: fc.nat(200) },
        { weight: 1, arbitrary: fc.constant(600_000) },
      ),
      to: fc.uniqueArray(fc.nat(2), { maxLength: 3 }),
      once: fc.boolean(),
    }),
    { maxLength: 6 },
  ),
  raw: fc.option(fc.oneof(fc.nat(50), fc.constant(20_000)), { nil: undefined }),
});

it("finds every event and every notification again, however commits share a transaction", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(shape, { minLength: 1, maxLength: 4 }), { maxLength: 4 }),
      async (rounds) => {
        const stream = freshStream(`user:${crypto.randomUUID()}`);
        const destinations = ["well", "ill", null];
        await runInDurableObject(stream, (instance) => {
          const health = Reflect.get(Reflect.get(instance, "parts").outbox, "doors").health;
          Reflect.get(health, "healthy").add("well");
        });
        const sent: NewEvent[] = [];
        const raws = new Map<string, string>();
        for (const round of rounds) {
          await Promise.all(
            round.map(async ({ events, raw }) => {
              const own = events.map(({ size, to, once }) => {
                const id = once
                  ? onceId(Date.now(), crypto.randomUUID().replaceAll("-", ""))
                  : crypto.randomUUID();
                return event(id, {
                  to,
                  data: JSON.stringify({ id, text: "x".repeat(size) }),
                  ...(once ? { once: true as const } : {}),
                });
              });
              sent.push(...own);
              if (raw !== undefined) for (const { id } of own) raws.set(id, `"${"r".repeat(raw)}"`);
              const targets = destinations.map((destinationId) =>
                target({ destinationId, most: 2, envelope: ELEMENTS }),
              );
              await stream.commit(
                commit({
                  events: own,
                  targets,
                  ...(raw === undefined ? {} : { raw: `"${"r".repeat(raw)}"` }),
                }),
              );
            }),
          );
        }
        const forward: StoredEvent[] = [];
        for (let [after, head] = [0, 1]; after < head;) {
          const page = await stream.events({ after, limit: 1_000 });
          forward.push(...page.events);
          [after, head] = [page.last, page.head];
        }
        expect(new Set(forward.map(({ id }) => id))).toEqual(new Set(sent.map(({ id }) => id)));
        const numbers = forward.map(({ seq }) => seq);
        expect(numbers).toEqual(sent.map((_, index) => index + 1));
        const backward: StoredEvent[] = [];
        for (let before: number | null | undefined; before !== null;) {
          const page = await stream.eventsBefore({ before: before ?? null, limit: 1_000 });
          backward.push(...page.events);
          before = page.next;
        }
        expect(backward.toReversed()).toEqual(forward);
        const [tally] = await stream.tally({ from: 0, to: Date.now() + 1, intervalMs: 1e15 });
        expect(tally?.events ?? 0).toBe(sent.length);
        for (const one of sent) {
          const found = await stream.event(one.id);
          expect(found?.data).toBe(one.data);
          expect(found?.notifications).toHaveLength(one.to.length);
          for (const seq of found?.notifications ?? []) {
            const view = await stream.notification(seq);
            expect(view?.events.map(({ id }) => id)).toContain(one.id);
            const body = JSON.parse((await stream.notificationBody(seq)) ?? "");
            const expected = raws.get(one.id);
            expect(body.message.raw).toEqual(expected === undefined ? null : JSON.parse(expected));
          }
        }
      },
    ),
    { numRuns: cases(12, 1_000) },
  );
});

const ELEMENTS = {
  format: "elements" as const,
  elementKey: "box",
  hubKey: "documents",
  instanceId: 1,
  instanceName: "a",
};

it("opens the tables of version 0.1.0 with everything in them, and sends what was due", async () => {
  await runInDurableObject(freshStream("user:upgraded"), (_, { storage: { sql } }) => {
    for (const table of ["segments", "bundles", "ledger"])
      sql.exec(`DROP TABLE IF EXISTS ${table}`);
    sql.exec(`
      CREATE TABLE ledger (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL, date INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE segments (seq INTEGER, part INTEGER, at INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (seq, part)) WITHOUT ROWID;
      CREATE TABLE bundles (id INTEGER PRIMARY KEY, next_at INTEGER, body TEXT NOT NULL);
      CREATE INDEX bundles_due ON bundles (next_at) WHERE next_at IS NOT NULL;
    `);
    const old = { ...event("old"), seq: 1, receivedAt: 5, notifications: [1] };
    const notification = {
      seq: 1,
      createdAt: 5,
      destinationId: null,
      envelope: { format: "verbatim" },
      events: [1],
      state: { kind: "pending", at: 5 },
      tries: 0,
      attempts: [],
    };
    sql.exec("INSERT INTO ledger VALUES ('old', 1, 5, 5)");
    sql.exec("INSERT INTO segments VALUES (1, 0, 5, ?)", JSON.stringify({ events: [old] }));
    sql.exec("INSERT INTO bundles VALUES (1, 5, ?)", JSON.stringify([notification]));
    const store = new StreamStore(sql);
    const [log, bundles] = [new EventLog(store), new OutboxStore(store)];
    expect(log.find("old")?.seq).toBe(1);
    expect(bundles.fresh(0, 10).map(({ id }) => id)).toEqual([1]);
    expect(log.receivedBetween(0, 10)).toMatchObject([{ at: 5, count: 1 }]);
  });
});
