import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { storedCircuit } from "../../src/delivery/circuit";
import { storedStep } from "../../src/flows/steps/message";
import { storedCursor } from "../../src/polling/cursor";
import { storedTargets } from "../../src/resources/hooks";
import { storedContent } from "../../src/resources/resource";
import { eventFilter } from "../../src/stream/filter";
import { storedJob } from "../../src/stream/jobs/job";
import { storedLast, storedResume } from "../../src/stream/meta";
import { pollMessage } from "../../src/stream/poll-message";
import type { EventStream } from "../../src/stream/stream.object";
import { keepingQueue } from "../polling/build";
import { commit, event, freshStream, restarted } from "./build";

/** What release 0.1.0 left in rows, in objects and on queues. */

const reference = { id: "1", group: "management", kind: "Secret", name: "s", type: "soft" };

it.each([
  ["numbers", storedLast, '{"event":7,"notification":3}'],
  ["resume", storedResume, '{"destinationId":"d","most":null,"from":9}'],
  [
    "job",
    storedJob,
    '{"job":{"id":"j","kind":"replay","from":0,"to":9,"destinationId":null,"objectType":"a","eventType":null,"fallbackId":"d"},"bundle":4,"event":2,"processed":1}',
  ],
  [
    "circuit",
    storedCircuit,
    '{"state":"open","failures":10,"window":{"startedAt":1,"calls":10,"failed":10},"openedAt":2,"nextProbeAt":3,"reopened":1}',
  ],
  [
    "step",
    storedStep,
    '{"step":{"format":"flow-step","flowId":"f","componentId":"P","sender":{"componentId":"T","port":"out"},"correlationId":"c","startedAt":5,"input":"scope"},"event":{"id":"e","objectType":"app-event","objectId":"n","eventType":"SENT","date":6},"data":{"scope":{"__proto__":1}}}',
  ],
  [
    "targets",
    storedTargets,
    '[{"destinationId":"webhook-1","skipped":true,"order":{"ordering":"source","blocks":true},"warnings":[]},{"destinationId":null,"warnings":["w"]}]',
  ],
  [
    "content",
    storedContent,
    JSON.stringify({
      attributes: { a: "1" },
      tags: ["t"],
      finalizers: [{ name: "f" }],
      owner: { type: "team", id: "o" },
      spec: { z: 1, a: { deep: [null] } },
      sub: {},
      references: [{ ...reference, scopeKind: "Environment", scopeName: "e" }],
      deletedReferences: [reference],
      scopeId: "9",
    }),
  ],
])("is read and written as it was: %s", (_, stored: any, text) => {
  expect(stored.read(text)).toEqual(JSON.parse(text));
  expect(JSON.parse(stored.write(stored.read(text)))).toEqual(JSON.parse(text));
});

it("has a poller's cursor without what was added to it later", () => {
  const text =
    '{"resources":{"accounts":{"last":5,"failures":0}},"feed":{"phase":"follow","position":"p","generation":2,"quiet":false}}';
  const cursor = storedCursor.read(text);
  expect(cursor.resources["accounts"]).toEqual({ last: 5, failures: 0 });
  expect(cursor.feed).toEqual({
    phase: "follow",
    position: "p",
    generation: 2,
    quiet: false,
    pages: 0,
  });
});

it("has messages on the polls queue with their ids alone", () => {
  expect(pollMessage.parse({ ids: [7] })).toEqual({ ids: [7], wake: false, again: false });
});

it("takes a question for all events, and leaves out what it does not know", () => {
  expect(eventFilter.parse({})).toEqual({});
});

it("has wakes whose message is JSON text, and sends them", async () => {
  const stream = freshStream();
  const { queue, bodies } = keepingQueue();
  await stream.commit(commit({ events: [event("a")], targets: [] }));
  await runInDurableObject(stream, async (object: EventStream, { storage }) => {
    Reflect.set(object, "env", { ...env, POLLS: queue });
    const wake = JSON.stringify({ at: 5, message: '{"ids":[7],"wake":true}' });
    storage.sql.exec("INSERT INTO meta VALUES ('wake', ?)", wake);
    await object.alarm();
  });
  expect(bodies).toEqual([{ ids: [7], wake: true, again: false }]);
});

it("has a stream's cursor, numbers and ids in rows of their own, and goes on from there", async () => {
  const stream = freshStream();
  await runInDurableObject(stream, async (_, { storage: { sql } }) => {
    sql.exec(`
      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE ledger (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL, date INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE segments (seq INTEGER, part INTEGER, at INTEGER NOT NULL, body TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (seq, part)) WITHOUT ROWID;
      CREATE TABLE bundles (id INTEGER PRIMARY KEY, next_at INTEGER, later INTEGER NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL, segment TEXT, count INTEGER NOT NULL, events_to INTEGER NOT NULL);
      CREATE INDEX bundles_later ON bundles (next_at) WHERE later = 1;
    `);
    const old = { ...event("old"), seq: 300, receivedAt: 5, notifications: [9] };
    const notification = {
      seq: 9,
      createdAt: 5,
      destinationId: "d",
      envelope: { format: "verbatim" },
      events: [300],
      state: { kind: "pending", at: 5 },
      tries: 0,
      attempts: [],
    };
    const { id, date } = old;
    sql.exec("INSERT INTO ledger VALUES (?, 300, 5, ?), ('purged', 7, 1, ?)", id, date, date);
    sql.exec(
      "INSERT INTO bundles VALUES (9, 5, 0, ?, 5, ?, 1, 300)",
      JSON.stringify([notification]),
      JSON.stringify({ events: [old] }),
    );
    const cursor = '{"version":4,"value":"c","keepIdsSince":1}';
    sql.exec("INSERT INTO meta VALUES ('cursor', ?), ('settledBelow', '9')", cursor);
    sql.exec("INSERT INTO meta VALUES ('lastSeqs', ?)", '{"event":299,"notification":8}');
  });
  const again = await restarted(stream);
  expect(await again.inspect()).toMatchObject({ cursor: "c", version: 4 });
  expect((await again.event("old"))?.seq).toBe(300);
  const lost = { sendBatch: async () => {} };
  const unsettled = await runInDurableObject(again, (object, { storage: { sql } }) => {
    Reflect.set(object, "env", { ...env, DELIVERIES: lost, DELIVERIES_SLOW: lost });
    return sql.exec("SELECT id FROM bundles WHERE later = 1").toArray();
  });
  expect(unsettled).toEqual([{ id: 9 }]);
  const found = ["old", "purged", "new"].map((id) => event(id));
  const committed = await again.commit(commit({ expect: 4, cursor: "d", events: found }));
  expect(committed).toMatchObject({ kind: "committed", version: 5, accepted: ["new"] });
  const later = await restarted(again);
  expect(await later.inspect()).toMatchObject({ cursor: "d", version: 5 });
  expect(await later.event("new")).toMatchObject({ seq: 301, notifications: [10] });
  expect(new Set(await later.knownIds(["old", "purged", "new", "other"]))).toEqual(
    new Set(["old", "purged", "new"]),
  );
});
