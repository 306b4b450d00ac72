import { drizzle } from "drizzle-orm/d1";
import { Hono } from "hono";
import { type AskerEnv, withKey } from "../../src/accounts/asker.io";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import { saveDestination } from "../../src/delivery/save-destination.store";
import { instanceSource, streamName } from "../../src/stream/stream-name";
import * as production from "../../src/index";
import { answerErrors } from "../../src/http/surface";
import { ledger } from "./ledger.ts";
import type { BenchRequest } from "./load.ts";
import { payload } from "./payload.ts";

export * from "../../src/index";

/**
 * The production Worker with a counter at every tap, and routes that put synthetic events in. It counts by
 * wrapping methods of the platform, so production code holds nothing of the bench.
 */

type Method = (this: any, ...args: any[]) => any;
const wrapped = new WeakSet<object>();

/** Replaces methods of a prototype, once. */
function wrap(prototype: Record<string, any>, methods: Record<string, (real: Method) => Method>) {
  if (wrapped.has(prototype)) return;
  wrapped.add(prototype);
  for (const [name, make] of Object.entries(methods)) {
    const real: unknown = prototype[name];
    if (typeof real !== "function") throw new Error(`The platform has no method '${name}'`);
    prototype[name] = make(real as Method);
  }
}

const prototypeOf = (object: object): Record<string, any> => Object.getPrototypeOf(object);

function countOperations(bodies: unknown[], operationsEach: number): void {
  for (const body of bodies)
    ledger.queueOperations += operationsEach * Math.ceil(JSON.stringify(body).length / 64_000);
}

/** Object requests are counted where they are made, queue writes and D1 rows where they pass. */
function countUse(env: Env): void {
  const counted = (real: Method): Method =>
    function (...args) {
      return new Proxy(real.apply(this, args), {
        get: (stub, method) => {
          const called = stub[method];
          if (typeof called !== "function") return called;
          return (...given: unknown[]) => {
            ledger.objectRequests += 1;
            return stub[method](...given);
          };
        },
      });
    };
  wrap(prototypeOf(env.EVENT_STREAMS), { get: counted, getByName: counted });
  // Every result of D1 passes here with its meta, `raw()` ones too.
  let session = prototypeOf(Reflect.get(env.DB, "alwaysPrimarySession"));
  while (!Object.hasOwn(session, "_send")) session = prototypeOf(session);
  wrap(session, {
    _send: (real) =>
      async function (...args) {
        const answer = await real.apply(this, args);
        for (const { meta } of [answer].flat()) {
          ledger.d1RowsRead += meta?.rows_read ?? 0;
          ledger.d1RowsWritten += meta?.rows_written ?? 0;
        }
        return answer;
      },
  });
  wrap(prototypeOf(env.DELIVERIES), {
    send: (real) =>
      function (body, ...rest) {
        ledger.queueMessages += 1;
        countOperations([body], 1);
        return real.call(this, body, ...rest);
      },
    sendBatch: (real) =>
      function (messages: { body: unknown }[], ...rest) {
        ledger.queueMessages += messages.length;
        countOperations(
          messages.map(({ body }) => body),
          1,
        );
        return real.call(this, messages, ...rest);
      },
  });
}

/** Counts what a cursor read and wrote since it was looked at last. */
const seen = new WeakMap<object, { read: number; written: number; table: boolean }>();
function countRows(cursor: SqlStorageCursor<any>, query = ""): void {
  const last = seen.get(cursor) ?? { read: 0, written: 0, table: /^\s*CREATE/.test(query) };
  const { rowsRead, rowsWritten } = cursor;
  ledger.objectRowsRead += rowsRead - last.read;
  ledger[last.table ? "tableRowsWritten" : "objectRowsWritten"] += rowsWritten - last.written;
  seen.set(cursor, { ...last, read: rowsRead, written: rowsWritten });
}

function countStorage({ storage }: DurableObjectState): void {
  wrap(prototypeOf(storage), {
    setAlarm: (real) =>
      function (...args) {
        ledger.alarmsSet += 1;
        ledger.objectRowsWritten += 1;
        return real.apply(this, args);
      },
  });
  wrap(prototypeOf(storage.sql), {
    exec: (real) =>
      function (query: string, ...args) {
        const cursor = real.call(this, query, ...args);
        wrap(prototypeOf(cursor), { toArray: consumed, one: consumed });
        countRows(cursor, query);
        return cursor;
      },
  });
}
const consumed = (real: Method): Method =>
  function () {
    const rows = real.call(this);
    countRows(this);
    return rows;
  };

for (const it of Object.values(production) as { prototype?: Record<string, any> }[])
  if (it.prototype?.["alarm"] !== undefined)
    wrap(it.prototype, {
      alarm: (real) =>
        function (...args) {
          ledger.objectRequests += 1;
          return real.apply(this, args);
        },
    });

/** The first of these opens the taps of every object's storage. */
export class EventStream extends production.EventStream {
  constructor(state: DurableObjectState, env: Env) {
    countStorage(state);
    countUse(env);
    super(state, env);
  }
}

const bench = new Hono<AskerEnv>()
  /** Destinations `load-<name>0` … with one signing secret; `{index}` in their address stands for their number. */
  .post("/bench/destinations", withKey(), async (c) => {
    const { count, url, signingSecret, name = "" } = await c.req.json<Record<string, any>>();
    const ring = keyring(readConfig(c.env).masterKeys);
    for (let index = 0; index < count; index += 1) {
      const [statement] = await saveDestination(
        c.env.DB,
        ring,
        {
          id: `load-${name}${index}`,
          organizationId: c.var.asker.organizationId,
          kind: "webhook",
          ownerId: `load-${name}${index}`,
          url: url.replaceAll("{index}", String(index)),
          headers: {},
          legacyKey: null,
          signingSecret,
          policy: {},
        },
        Date.now(),
      );
      await drizzle(c.env.DB).batch([statement]);
    }
    return c.json({ count });
  })
  /** One commit for each id, as a source that learns of one change at a time. */
  .post("/bench/events", withKey(), async (c) => {
    const { stream, ids } = await c.req.json<BenchRequest>();
    const { organizationId } = c.var.asker;
    const name = streamName({ organizationId, source: `scope:bench/Load/${stream}` });
    const object = c.env.EVENT_STREAMS.getByName(name);
    const now = Date.now();
    const event = { objectType: "load", eventType: "CREATED", date: now, to: [0] };
    const target = {
      destinationId: `load-${stream}`,
      envelope: { format: "verbatim" as const },
      most: 1,
      ordering: "none" as const,
    };
    await Promise.all(
      ids.map((id) =>
        object.commit({
          events: [{ ...event, id, objectId: id, data: payload(id) }],
          targets: [target],
        }),
      ),
    );
    return c.json({ accepted: ids.length }, 202);
  })
  /** Lets the next alarm of instances' streams purge what they hold. */
  .post("/bench/expire", withKey(), async (c) => {
    const { organizationId } = c.var.asker;
    for (const id of await c.req.json<number[]>())
      await c.env.EVENT_STREAMS.getByName(
        streamName({ organizationId, source: instanceSource(id) }),
      ).commit({ events: [], targets: [], retentionMs: 1 });
    return c.json({});
  })
  .get("/bench/ledger", (c) => c.json(ledger))
  .onError(answerErrors("v1"));

export default {
  async fetch(request, env, context) {
    countUse(env);
    const { pathname } = new URL(request.url);
    if (pathname !== "/bench/ledger") ledger.workerRequests += 1;
    if (pathname.startsWith("/bench/")) return bench.fetch(request, env, context);
    return production.default.fetch(request, env, context);
  },
  async scheduled(controller, env) {
    countUse(env);
    ledger.workerRequests += 1;
    await production.default.scheduled(controller, env);
  },
  async queue(batch, env, context) {
    countUse(env);
    ledger.workerRequests += 1;
    // One read and, acknowledged or retried, one more operation for each message.
    countOperations(
      batch.messages.map(({ body }) => body),
      2,
    );
    await production.default.queue(batch, env, context);
  },
} satisfies ExportedHandler<Env>;
