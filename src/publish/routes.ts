import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../accounts/asker.io";
import { readConfig } from "../config";
import { hopsOf } from "../delivery/own-address";
import { parse, readJson } from "../http/body";
import { firstFault } from "../http/faults";
import { invalid, notFound } from "../http/refusal";
import { described } from "../http/route-description";
import { digitsAlong } from "../values/digits";
import { delayFault, type Publication, publication, publishedSource } from "./publication";
import { publish, type Publisher, type Told } from "./publish.io";

const EVENT_BYTES = 1_048_576;
const BATCH_BYTES = 8 * EVENT_BYTES;
const MOST_EVENTS = 100;

/** To a tenant, and to none. */
const ALL = ["/tenants/:tenant/events", "/events"] as const;
const BATCH = ALL.map((path) => `${path}/batch`);

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
  .on("POST", [...ALL, ...BATCH], withKey("write", { limits: "kept" }))
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
      const publisher = publisherOf(c);
      const { events } = parse(batch, await readJson(c, BATCH_BYTES));
      return c.json({ items: await publishEach(c, publisher, events) }, 202);
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
      const publisher = publisherOf(c);
      const given = parse(publication, await readJson(c, EVENT_BYTES));
      const fault = delayFault(given.deliverAt, Date.now());
      if (fault !== undefined) throw invalid(`deliverAt: ${fault}`, "deliverAt");
      const [told] = await publish(doorsOf(c), publisher, [given]);
      return c.json(told, 202);
    },
  );

const doorsOf = ({ env }: Context<AskerEnv>) => ({ db: env.DB, streams: env.EVENT_STREAMS });

/** @throws Refusal `not-found` for a tenant beyond the key's limits. */
function publisherOf(c: Context<AskerEnv>): Publisher {
  const tenant = c.req.param("tenant") ?? null;
  const { limits } = c.var.asker;
  const isReached = limits === undefined || (tenant !== null && limits.tenants.includes(tenant));
  if (!isReached && limits?.sources.includes(publishedSource(tenant)) !== true)
    throw notFound(tenant === null ? "No route" : `No tenant '${tenant}'`);
  const hops = hopsOf(c.req.raw.headers, readConfig(c.env).sessionKey);
  return { organizationId: c.var.asker.organizationId, tenant, hops };
}

type Item = Told | { error: { code: string; message: string; field?: string } };

/** Publishes those that are sound; each of the others is answered with what is wrong with it. */
async function publishEach(
  c: Context<AskerEnv>,
  publisher: Publisher,
  events: readonly unknown[],
): Promise<Item[]> {
  const now = Date.now();
  const read = events.map((event) => readOne(event, now));
  const sound = read.flatMap((one) => (one.ok ? one.publication : []));
  const told = sound.length === 0 ? [] : await publish(doorsOf(c), publisher, sound);
  return read.map((one) => (one.ok ? (told.shift() ?? NOTHING) : { error: one.error }));
}

const NOTHING: Item = { error: { code: "internal", message: "It was not stored" } };

function readOne(
  event: unknown,
  now: number,
):
  | { ok: true; publication: Publication }
  | { ok: false; error: { code: string; message: string; field: string } } {
  const parsed = publication.safeParse(event);
  const wrong = (field: string, message: string) => ({
    ok: false as const,
    error: { code: "invalid_field", message: `${field}: ${message}`, field },
  });
  if (!parsed.success) {
    const { field, message } = firstFault(parsed.error);
    return wrong(field, message);
  }
  const fault = delayFault(parsed.data.deliverAt, now);
  if (fault !== undefined) return wrong("deliverAt", fault);
  return { ok: true, publication: digitsAlong(event, parsed.data) };
}
