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
import { countAlarms, countOperations, countStorage, countUse } from "./taps.ts";

export * from "../../src/index";

/**
 * The production Worker with a counter at every tap, and routes that put synthetic events in.
 */

countAlarms(production);

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
  /** Lets the streams of instances purge what they hold, as the daily upkeep does. */
  .post("/bench/expire", withKey(), async (c) => {
    const { organizationId } = c.var.asker;
    for (const id of await c.req.json<number[]>()) {
      const stream = c.env.EVENT_STREAMS.getByName(
        streamName({ organizationId, source: instanceSource(id) }),
      );
      await stream.commit({ events: [], targets: [], retentionMs: 1 });
      await scheduler.wait(2);
      await stream.upkeep({ isOwnerless: false });
    }
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
