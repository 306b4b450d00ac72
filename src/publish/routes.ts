import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../accounts/asker.io";
import { readConfig } from "../config";
import { hopsOf } from "../delivery/own-address";
import { parse, readJson } from "../http/body";
import { conflict, invalid, notFound, Refusal } from "../http/refusal";
import { described } from "../http/route-description";
import { delayFault, type Publication, publication, publishedSource } from "./publication";
import { payloadBucket } from "../stream/payloads.io";
import { publishAside } from "./aside.io";
import { withSent } from "./body.io";
import { publishEach } from "./each.io";
import { EVENT_BYTES } from "./payload";
import { cancel, check, publish, type Publisher, publisherTo, type Told } from "./publish.io";

const BATCH_BYTES = 8 * EVENT_BYTES;
const MOST_EVENTS = 100;

/** To a tenant, and to none. */
const ALL = ["/tenants/:tenant/events", "/events"] as const;
const BATCH = ALL.map((path) => `${path}/batch`);
const ONE = ALL.map((path) => `${path}/:event`);

const EXAMPLE = { type: "invoice.paid", id: "inv_17", data: { amount: 42 } };
const TOLD = { id: "inv_17", duplicate: false, destinations: 2 };

const batch = z.strictObject({
  events: z
    .array(z.unknown(), `Expected a list of 1 to ${MOST_EVENTS} events`)
    .min(1, `Expected 1 to ${MOST_EVENTS} events`)
    .max(MOST_EVENTS, `Expected 1 to ${MOST_EVENTS} events`),
});

/** Events that an application publishes to its customers, its tenants, or to nobody in particular (reference v1-api.md). */
export const publishRoutes = new Hono<AskerEnv>()
  .on(["POST", "DELETE"], [...ALL, ...BATCH, ...ONE], withKey("write", { limits: "kept" }))
  .on(
    "POST",
    [...BATCH],
    described("Publish up to 100 events, in order; each is taken or refused by itself", {
      tag: "publish",
      status: 202,
      body: batch,
      bodyExample: { events: [EXAMPLE] },
      answer: { items: [TOLD] },
    }),
    async (c) => {
      const publisher = await publisherOf(c);
      const { events } = parse(batch, await readJson(c, BATCH_BYTES));
      return c.json({ items: await publishEach(doorsOf(c), publisher, events) }, 202);
    },
  )
  .on(
    "POST",
    [...ALL],
    described(
      "Publish an event; what is answered with 202 is kept, and told to all who hear of it",
      {
        tag: "publish",
        status: 202,
        body: publication,
        bodyExample: EXAMPLE,
        answer: TOLD,
      },
    ),
    async (c) => {
      const publisher = await publisherOf(c);
      const bucket = payloadBucket(c.env);
      const told = await withSent(c, bucket !== undefined, async ({ publication: given, data }) => {
        const fault = delayFault(given.deliverAt, Date.now());
        if (fault !== undefined) throw invalid(`deliverAt: ${fault}`, "deliverAt");
        return bucket === undefined || data === undefined
          ? publishChecked(c, publisher, given)
          : publishAside({ ...doorsOf(c), bucket, ...addressOf(c) }, publisher, {
              publication: given,
              data,
            });
      });
      return c.json(told, 202);
    },
  )
  .on(
    "DELETE",
    [...ONE],
    described("Cancel an event that is to be told later", {
      tag: "publish",
      answer: { id: "inv_17", cancelled: 2 },
    }),
    async (c) => {
      const id = c.req.param("event") ?? "";
      const cancelled = await cancel(doorsOf(c), await publisherOf(c), id);
      if (cancelled === "unknown") throw notFound(`No event '${id}'`);
      if (cancelled === "left") throw conflict(`The event '${id}' has left already`);
      return c.json({ id, cancelled });
    },
  );

/** @throws Refusal `schema-mismatch` when its data is not what its type says. */
async function publishChecked(
  c: Context<AskerEnv>,
  publisher: Publisher,
  given: Publication,
): Promise<Told | undefined> {
  const checked = await check(c.env.DB, publisher, given);
  if ("faults" in checked) {
    const { faults } = checked;
    const { field, message } = faults[0];
    throw new Refusal({
      kind: "schema-mismatch",
      message: `${field}: ${message}`,
      field,
      violations: faults,
    });
  }
  const [told] = await publish(doorsOf(c), publisher, [checked]);
  return told;
}

/** Where receivers reach us, and what our URLs are signed with. */
function addressOf(c: Context<AskerEnv>): { base: string; sessionKey: string } {
  const { publicUrl, sessionKey } = readConfig(c.env);
  return { base: publicUrl ?? new URL(c.req.url).origin, sessionKey };
}

const doorsOf = ({ env }: Context<AskerEnv>) => ({ db: env.DB, streams: env.EVENT_STREAMS });

/** @throws Refusal `not-found` for an unknown tenant, and one beyond the key's limits; `conflict` for one that is off. */
async function publisherOf(c: Context<AskerEnv>): Promise<Publisher> {
  const tenant = c.req.param("tenant") ?? null;
  const { limits } = c.var.asker;
  const isReached = limits === undefined || (tenant !== null && limits.tenants.includes(tenant));
  if (!isReached && limits?.sources.includes(publishedSource(tenant)) !== true)
    throw notFound(tenant === null ? "No route" : `No tenant '${tenant}'`);
  const hops = hopsOf(c.req.raw.headers, readConfig(c.env).sessionKey);
  return publisherTo(c.env.DB, c.var.asker.organizationId, tenant, hops);
}
