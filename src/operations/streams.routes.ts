import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../accounts/asker.io";
import { readConfig } from "../config";
import { keyring } from "../db/sealed";
import { instanceDestinationId } from "../delivery/destination";
import { readDestination } from "../delivery/destinations.store";
import { parse, readJson } from "../http/body";
import { described, PAGE, SPAN } from "../http/described";
import {
  instantField,
  readInstant,
  readLimit,
  readListCursor,
  writeListCursor,
} from "../http/lists";
import { invalid, notFound } from "../http/refusal";
import { readConsumer, saveConsumer } from "./consumers.store";
import type { StreamJob } from "../stream/jobs/job";
import { insertJob, readJob } from "../stream/jobs/store";
import type { EventStream } from "../stream/stream.object";
import { instanceOfSource, instanceSource, streamName } from "../stream/stream-name";
import { eventView } from "./view";

const BODY_BYTES = 64 * 1024;
const seqCursor = z.strictObject({ seq: z.number().int().nonnegative() });

const replayRequest = z.strictObject({
  from: instantField,
  to: instantField,
  destinationId: z.string().optional(),
  objectType: z.string().optional(),
  eventType: z.string().optional(),
});
const consumerPosition = z.strictObject({
  cursor: z.string("Expected a cursor of this stream's events"),
});
const consumerName = z.string().max(200, "Expected at most 200 characters");

/** Query parameters of what is about events. */
export const OF_EVENT = {
  objectType: "Of this type of object",
  objectId: "Of this object",
  eventType: "Of this type of event",
} as const;

const EVENT = {
  id: "5f1c…",
  seq: 1,
  objectType: "accounts",
  objectId: "acc_1",
  eventType: "CREATED",
  date: "2026-11-21T20:00:00.000Z",
  receivedAt: "2026-11-21T20:00:01.000Z",
  data: { id: "acc_1" },
  notificationIds: ["27101"],
};
const JOB = {
  id: "job_1",
  kind: "replay",
  status: "running",
  processed: 40,
  total: null,
  error: null,
};

/** Streams, their events, and work over them (reference v1-api.md). */
export const streamRoutes = new Hono<AskerEnv>()
  .use("/streams/*", withKey())
  .use("/jobs/*", withKey())
  .get(
    "/streams/:source{.+}/consumers/:name/events",
    described("Read on from a named consumer's position", {
      tag: "streams",
      query: { ...PAGE, ...SPAN, ...OF_EVENT },
      answer: { items: [EVENT], next: "…", head: 1 },
    }),
    async (c) => {
      const stream = await streamOf(c);
      const saved = await readConsumer(c.env.DB, stream.name, c.req.param("name"));
      return c.json(await eventPage(c, stream, c.req.query("cursor") ?? saved ?? undefined));
    },
  )
  .get(
    "/streams/:source{.+}/consumers/:name",
    described("A named consumer's position", {
      tag: "streams",
      answer: { name: "etl", cursor: "…" },
    }),
    async (c) => {
      const { name } = await streamOf(c);
      const consumer = c.req.param("name");
      const cursor = await readConsumer(c.env.DB, name, consumer);
      if (cursor === undefined) throw notFound(`No consumer '${consumer}'`);
      return c.json({ name: consumer, cursor });
    },
  )
  .put(
    "/streams/:source{.+}/consumers/:name",
    described("Move a named consumer", {
      tag: "streams",
      body: consumerPosition,
      bodyExample: { cursor: "eyJzZXEiOjF9" },
      answer: { name: "etl", cursor: "…" },
    }),
    async (c) => {
      const { name } = await streamOf(c);
      const { cursor } = parse(consumerPosition, await readJson(c, BODY_BYTES));
      readListCursor(cursor, seqCursor);
      const consumer = parse(consumerName, c.req.param("name"), "name");
      await saveConsumer(c.env.DB, name, consumer, cursor, Date.now());
      return c.json({ name: consumer, cursor });
    },
  )
  .get(
    "/streams/:source{.+}/events",
    described("Events of a stream, oldest first; keep `next` and come back", {
      tag: "streams",
      query: { ...PAGE, ...SPAN, ...OF_EVENT },
      answer: { items: [EVENT], next: "…", head: 1 },
    }),
    async (c) => c.json(await eventPage(c, await streamOf(c), c.req.query("cursor"))),
  )
  .post(
    "/streams/:source{.+}/replay",
    described("Deliver every event of a range again, under its own ids", {
      tag: "streams",
      body: replayRequest,
      bodyExample: { from: "2026-11-20T00:00:00.000Z", to: "2026-11-21T00:00:00.000Z" },
      status: 202,
      answer: { jobId: "job_1" },
    }),
    async (c) => {
      const { name, stub, source } = await streamOf(c);
      const { from, to, destinationId, objectType, eventType } = parse(
        replayRequest,
        await readJson(c, BODY_BYTES),
      );
      if (to < from) throw invalid("to: Expected an instant after from", "to");
      if (destinationId !== undefined) await ownDestination(c, destinationId);
      const instanceId = instanceOfSource(source);
      const own =
        instanceId === undefined
          ? null
          : await destinationWithUrl(c, instanceDestinationId(instanceId));
      return c.json(
        {
          jobId: await start(
            c,
            [{ name, stub }],
            {
              kind: "replay",
              from,
              to,
              destinationId: destinationId ?? null,
              objectType: objectType ?? null,
              eventType: eventType ?? null,
              fallbackId: destinationId ?? own,
            },
            null,
          ),
        },
        202,
      );
    },
  )
  .delete(
    "/streams/:source{.+}/objects/:objectType/:objectId",
    described("Take an object's data out of everything kept", {
      tag: "streams",
      answer: { events: 3, notifications: 2 },
    }),
    async (c) => {
      const { stub } = await streamOf(c);
      return c.json(await stub.expunge(c.req.param("objectType"), c.req.param("objectId")));
    },
  )
  .get("/jobs/:id", described("How far paged work is", { tag: "jobs", answer: JOB }), async (c) => {
    const job = await readJob(c.env.DB, c.var.asker.organizationId, c.req.param("id"));
    if (job === undefined) throw notFound(`No job '${c.req.param("id")}'`);
    return c.json(job);
  });

/** A stream, and its object. */
export type Named = { name: string; stub: DurableObjectStub<EventStream> };

/** The stream a path names, always inside the asker's organization. */
const streamOf = (c: Context<AskerEnv>): Promise<Named & { source: string }> =>
  streamNamed(c, c.req.param("source") ?? "");

const SOURCE =
  /^(instance:[1-9]\d{0,15}|user:[\w.-]{1,128}|scope:(-|([\w.-]{1,100}\/){2}[\w.-]{1,256})|operations)$/;

/** The stream of a source, or of an instance's bare id. */
export async function streamNamed(
  c: Context<AskerEnv>,
  text: string,
): Promise<Named & { source: string }> {
  const source = /^\d+$/.test(text) ? instanceSource(Number(text)) : text;
  if (!SOURCE.test(source)) throw notFound(`No stream '${text.slice(0, 100)}'`);
  const instanceId = instanceOfSource(source);
  if (instanceId !== undefined) await ownDestination(c, instanceDestinationId(instanceId));
  return { ...named(c, source), source };
}

export function named(c: Context<AskerEnv>, source: string): Named {
  const name = streamName({ organizationId: c.var.asker.organizationId, source });
  return { name, stub: c.env.EVENT_STREAMS.getByName(name) };
}

async function ownDestination(
  c: Context<AskerEnv>,
  id: string,
): Promise<NonNullable<Awaited<ReturnType<typeof readDestination>>>> {
  const ring = keyring(readConfig(c.env).masterKeys);
  const destination = await readDestination(c.env.DB, ring, c.var.asker.organizationId, id);
  if (destination === undefined) throw notFound(`No destination '${id}'`);
  return destination;
}

async function destinationWithUrl(c: Context<AskerEnv>, id: string): Promise<string | null> {
  return (await ownDestination(c, id)).url === null ? null : id;
}

async function eventPage(
  c: Context<AskerEnv>,
  { name, stub }: Named,
  cursor: string | undefined,
): Promise<Record<string, unknown>> {
  const limit = readLimit(c.req.query("limit"));
  const after = readListCursor(cursor, seqCursor)?.seq ?? 0;
  const { objectType, objectId, eventType } = c.req.query();
  const from = readInstant(c.req.query("from"), "from") ?? 0;
  const to = readInstant(c.req.query("to"), "to") ?? Number.MAX_SAFE_INTEGER;
  const filter = { objectType, objectId, eventType, from, to };
  const page = await stub.events({ after, limit, filter: JSON.stringify(filter) });
  return {
    items: page.events.map((event) => eventView(name, event)),
    next: writeListCursor({ seq: page.last }),
    head: page.head,
  };
}

/** Writes a job down, then tells every stream of it: one that is told twice does it once more, to no harm. */
export async function start(
  c: Context<AskerEnv>,
  streams: readonly Named[],
  job: Omit<StreamJob, "id">,
  total: number | null,
): Promise<string> {
  const id = `job_${crypto.randomUUID()}`;
  const names = streams.map(({ name }) => name);
  await insertJob(
    c.env.DB,
    { id, organizationId: c.var.asker.organizationId, kind: job.kind, total },
    names,
    Date.now(),
  );
  await Promise.all(streams.map(({ stub }) => stub.startJob({ id, ...job })));
  return id;
}
