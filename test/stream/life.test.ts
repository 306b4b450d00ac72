import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { NewEvent } from "../../src/stream/event";
import { onceId } from "../../src/stream/event-id";
import { cases } from "../cases";
import {
  commit,
  delivered,
  event,
  events,
  freshStream,
  restarted,
  type Stream,
  target,
  withoutQueues,
} from "./build";

const DAY_MS = 86_400_000;
const RETENTION_MS = 7 * DAY_MS;
/** Its source is there. */
const STAYS = { isOwnerless: false };

/** Counts every row that the object's SQL writes, and a row for every alarm that is set. */
async function counting(stream: Stream): Promise<() => number> {
  let rows = 0;
  await runInDurableObject(stream, (_, { storage }) => {
    const { sql } = storage;
    const exec = sql.exec.bind(sql);
    Reflect.set(sql, "exec", (query: string, ...bindings: unknown[]) => {
      const cursor = exec(query, ...bindings);
      const all = cursor.toArray();
      rows += cursor.rowsWritten;
      return { toArray: () => all, rowsRead: cursor.rowsRead, rowsWritten: cursor.rowsWritten };
    });
    const setAlarm = storage.setAlarm.bind(storage);
    // `runDurableObjectAlarm` deletes the alarm that it lets go off, which the platform does not.
    Reflect.set(storage, "setAlarm", (at: number) => {
      rows += 1;
      return setAlarm(at);
    });
  });
  return () => rows;
}

/** What was committed lives through all that it costs: it is settled, its alarm goes off, and it is purged. */
async function livesOn(stream: Stream, seq: number): Promise<void> {
  const settled = [{ bundle: seq, outcomes: [delivered(seq)], last: true }];
  expect(await stream.settle(settled)).toBe(1);
  vi.setSystemTime(Date.now() + 60_000);
  await runDurableObjectAlarm(stream);
  vi.setSystemTime(Date.now() + RETENTION_MS + 1_000);
  expect(await stream.upkeep(STAYS)).toBe(seq === 1 ? 2 : 1);
  expect(await stream.notification(seq)).toBeNull();
}

function ownClock(): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

const once = (): Partial<NewEvent> => ({
  id: onceId(Date.now(), crypto.randomUUID().replaceAll("-", "")),
  once: true,
});

describe("the whole life of an event that comes alone, its alarm and its purge included", () => {
  it.each<[string, () => Partial<NewEvent>, object]>([
    ["that a poll found", () => ({}), { cursor: "c" }],
    ["of a webhook", () => ({}), {}],
    ["that nobody can send again", once, {}],
  ])("costs four rows: one %s", async (_, change, more) => {
    ownClock();
    const stream = freshStream();
    await withoutQueues(stream);
    const rows = await counting(stream);
    const live = async (seq: number): Promise<number> => {
      const before = rows();
      const own = event(`e${seq}`, change());
      const committed = await stream.commit(
        commit({ ...more, events: [own], targets: [target({ destinationId: "d" })] }),
      );
      expect(committed).toMatchObject({
        accepted: [own.id],
        alarms: 1,
        rowsWritten: seq === 1 ? 3 : 2,
      });
      await livesOn(stream, seq);
      return rows() - before;
    };
    // The first also writes that the stream is there, its name, and that numbers may have gaps from now on.
    await live(1);
    expect(await live(2)).toBe(4);
    expect(await live(3)).toBe(4);
  });

  it("costs no more when others are there, before it and after it", async () => {
    ownClock();
    const stream = freshStream();
    await withoutQueues(stream);
    const rows = await counting(stream);
    const began = rows();
    const hours = 24 * 9;
    for (let hour = 0; hour < hours; hour += 1) {
      const seq = hour + 1;
      const one = commit({ cursor: `${hour}`, events: [event(`e${hour}`)] });
      await stream.commit({ ...one, targets: [target({ destinationId: "d" })] });
      await stream.settle([{ bundle: seq, outcomes: [delivered(seq)], last: true }]);
      vi.setSystemTime(Date.now() + 60_000);
      await runDurableObjectAlarm(stream);
      vi.setSystemTime(Date.now() + 3_540_000);
    }
    expect((rows() - began) / hours).toBeLessThanOrEqual(4);
    expect(await stream.total()).toBeLessThanOrEqual(24 * 7 + 1);
  });
});

it("at load an event that a poll finds costs a quarter of a row, and its purge an eighth", async () => {
  ownClock();
  const stream = freshStream();
  await withoutQueues(stream);
  const rows = await counting(stream);
  const [count, pages] = [250, 4];
  const before = rows();
  for (let page = 0; page < pages; page += 1) {
    const found = events(count, `p${page}-`);
    const to = [target({ destinationId: "d", most: 10 })];
    await stream.commit(commit({ cursor: `${page}`, events: found, targets: to }));
    const bundles = await runInDurableObject(stream, (object) =>
      Reflect.get(object, "parts").bundles.fresh(0, 100),
    );
    for (const { id, notifications } of bundles) {
      const outcomes = notifications.map(({ seq }: { seq: number }) => delivered(seq));
      await stream.settle([{ bundle: id, outcomes, last: true }]);
    }
  }
  expect((rows() - before) / (count * pages)).toBeLessThanOrEqual(0.25);
  const settled = rows();
  vi.setSystemTime(Date.now() + RETENTION_MS + 1_000);
  await stream.upkeep(STAYS);
  expect(await stream.total()).toBe(0);
  expect((rows() - settled) / (count * pages)).toBeLessThanOrEqual(0.125);
});

type Step =
  | { kind: "commit"; ids: number[]; isPolled: boolean; isKept: boolean }
  | { kind: "fail"; ids: number[] }
  | { kind: "purge" }
  | { kind: "crash" };

const ids = fc.uniqueArray(fc.nat(900), { minLength: 1, maxLength: 300 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("commit" as const),
    ids: fc.oneof(fc.uniqueArray(fc.nat(900), { minLength: 1, maxLength: 2 }), ids),
    isPolled: fc.boolean(),
    isKept: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("fail" as const), ids }),
  fc.record({ kind: fc.constant("purge" as const) }),
  fc.record({ kind: fc.constant("crash" as const) }),
);

it("knows each id again, finds each event by it, and gives no number twice, through crashes, failed writes and purges", async () => {
  ownClock();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      let stream = freshStream();
      await withoutQueues(stream);
      const known = new Set<string>();
      const there = new Set<string>();
      let [version, cursor, head]: [number, string | null, number] = [0, null, 0];
      const keepIdsSince = Date.UTC(2026, 0, 10);
      for (const one of steps)
        switch (one.kind) {
          case "commit": {
            cursor = one.isPolled ? `${version}` : cursor;
            version += one.isPolled ? 1 : 0;
            const own = one.ids.map((id) =>
              event(`${id}`, { date: one.isKept ? keepIdsSince : 1 }),
            );
            const fresh = own.map(({ id }) => id).filter((id) => !known.has(id));
            const committed = await stream.commit(
              commit({
                events: own,
                targets: [target({ destinationId: null })],
                ...(one.isPolled && cursor !== null ? { cursor, keepIdsSince } : {}),
              }),
            );
            expect(committed).toMatchObject({ kind: "committed", version, accepted: fresh });
            head += fresh.length;
            for (const id of fresh) {
              known.add(id);
              there.add(id);
              dates.set(`${stream.name} ${id}`, one.isKept ? keepIdsSince : 1);
            }
            break;
          }
          case "fail":
            await runInDurableObject(stream, async (object) => {
              const { commits, search } = Reflect.get(object, "parts");
              const add = Reflect.get(search, "add");
              Reflect.set(search, "add", (...args: unknown[]) => {
                add.apply(search, args);
                throw new Error("the disk is full");
              });
              const lost = commit({ cursor: "lost", events: one.ids.map((id) => event(`${id}`)) });
              const { result } = commits.enqueue(lost);
              const failed = result.then(
                () => false,
                () => true,
              );
              commits.flush(stream.name, Date.now());
              Reflect.deleteProperty(search, "add");
              expect(await failed).toBe(true);
            });
            break;
          case "purge":
            vi.setSystemTime(Date.now() + RETENTION_MS + DAY_MS);
            await stream.upkeep(STAYS);
            for (const id of there)
              if (version === 0 || (dates.get(`${stream.name} ${id}`) ?? 0) < keepIdsSince)
                known.delete(id);
            there.clear();
            break;
          case "crash":
            stream = await restarted(stream);
            await withoutQueues(stream);
        }
      expect(await stream.inspect()).toMatchObject({ version, cursor });
      expect((await stream.events({ after: 0, limit: 1 })).head).toBe(head);
      const all = Array.from({ length: 901 }, (_, id) => `${id}`);
      expect(new Set(await stream.knownIds(all))).toEqual(known);
      for (const id of all.slice(0, 50))
        expect((await stream.event(id))?.id).toBe(there.has(id) ? id : undefined);
    }),
    { numRuns: cases(20, 1_000) },
  );
});

const dates = new Map<string, number>();
