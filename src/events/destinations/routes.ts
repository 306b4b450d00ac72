import { type Context, Hono } from "hono";
import * as z from "zod";
import { type AskerEnv, withKey } from "../../accounts/routes";
import { readConfig } from "../../config";
import { type Keyring, keyring } from "../../db/sealed";
import type { DestinationRecord } from "../../delivery/destination";
import { endpointName } from "../../delivery/endpoint-name";
import { countExceptions, troubledStreams } from "../../delivery/exceptions/store";
import { BUCKET_MS, readRollups } from "../../delivery/rollup/store";
import { publicKeyOf } from "../../delivery/signature";
import { changePolicy, newSigningSeed, rotateKey } from "../../delivery/change/store";
import {
  listDestinationRecords,
  newSigningSecret,
  readDestinationRecord,
} from "../../delivery/store";
import { parse, readJson } from "../../http/body";
import { described, PAGE } from "../../http/described";
import { readLimit, readListCursor, writeListCursor } from "../../http/lists";
import { conflict, invalid, notFound, Refusal } from "../../http/refusal";
import { digest } from "../event-id";
import { start } from "../routes";
import { streamName } from "../stream-name";
import type { Attempt } from "../../delivery/attempt";
import { attemptView } from "../view";
import {
  change,
  type DestinationChange,
  EXAMPLE,
  kindField,
  rotation,
  sample,
  since,
  statusField,
} from "./fields";
import { type DestinationView, destinationView } from "./view";

const BODY_BYTES = 2 * 1024 * 1024;
const DAY_MS = 86_400_000;
const MOST_KEYS = 3;
/** A test is answered when its try is over, or given up after this long. */
const TEST_MS = 20_000;

/** Carries a change of policy to the destination's owner, who says the same of itself; by kind. */
export type TellOwner = (
  c: Context<AskerEnv>,
  record: DestinationRecord,
  change: DestinationChange & { signingSecret?: string },
) => Promise<void>;

/** Destinations, their health, keys and policies (reference `v1-api.md`). */
export function destinationRoutes(tellOwner: TellOwner): Hono<AskerEnv> {
  return new Hono<AskerEnv>()
    .use("/destinations", withKey())
    .use("/destinations/*", withKey())
    .get(
      "/destinations",
      described("Destinations and their health", {
        tag: "destinations",
        query: {
          ...PAGE,
          kind: "instance, webhook or flow-step",
          status: "healthy, degraded, open or disabled",
        },
        answer: { items: [EXAMPLE], next: null },
      }),
      async (c) => {
        const limit = readLimit(c.req.query("limit"));
        const kind = parse(kindField, c.req.query("kind"), "kind");
        const status = parse(statusField, c.req.query("status"), "status");
        const after =
          readListCursor(c.req.query("cursor"), z.strictObject({ id: z.string() }))?.id ?? null;
        const records = await listDestinationRecords(
          c.env.DB,
          ringOf(c),
          c.var.asker.organizationId,
          { kind, after, limit },
        );
        const views = await shown(c, records);
        const last = records.at(-1);
        return c.json({
          items: views.filter((view) => status === undefined || view.status === status),
          next:
            last === undefined || records.length < limit
              ? null
              : writeListCursor({ id: last.destination.id }),
        });
      },
    )
    .get(
      "/destinations/:id",
      described("One destination", { tag: "destinations", answer: EXAMPLE }),
      async (c) => c.json((await shown(c, [await found(c)]))[0]),
    )
    .patch(
      "/destinations/:id",
      described("Change how a destination is served", {
        tag: "destinations",
        body: change,
        bodyExample: { rate: 10, ordering: "object" },
        answer: EXAMPLE,
      }),
      async (c) => {
        const record = await found(c);
        const changes = parse(change, await readJson(c, BODY_BYTES));
        await changePolicy(c.env.DB, ringOf(c), record.destination, changes, Date.now());
        await tellOwner(c, record, changes);
        if (changes.enabled === true) await release(c, record);
        return c.json((await shown(c, [await found(c)]))[0]);
      },
    )
    .get(
      "/destinations/:id/signing-secret",
      described("What its receiver verifies callbacks with", {
        tag: "destinations",
        answer: { secret: "whsec_…" },
      }),
      async (c) => {
        const { destination } = await found(c);
        const symmetric = destination.signers.find(({ algorithm }) => algorithm === "v1");
        const asymmetric = destination.signers.find(({ algorithm }) => algorithm === "v1a");
        return c.json({
          ...(symmetric === undefined ? {} : { secret: symmetric.secret }),
          ...(asymmetric === undefined ? {} : { publicKey: publicKeyOf(asymmetric.secret) }),
        });
      },
    )
    .post(
      "/destinations/:id/rotate",
      described("A new signing key; the old ones sign too until the overlap ends", {
        tag: "destinations",
        body: rotation,
        bodyExample: { overlapSeconds: 86400, algorithm: "v1" },
        answer: EXAMPLE,
      }),
      async (c) => {
        const record = await found(c);
        const { overlapSeconds, algorithm, secret } = parse(
          rotation,
          (await readJson(c, BODY_BYTES)) ?? {},
        );
        if (secret !== undefined && algorithm === "v1a")
          throw invalid("secret: An ed25519 key is always generated", "secret");
        const now = Date.now();
        const live = record.keys.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
        if (live.length >= MOST_KEYS)
          throw conflict(`A destination has at most ${MOST_KEYS} live keys`);
        const made = algorithm === "v1" ? (secret ?? newSigningSecret()) : newSigningSeed();
        if (algorithm === "v1") await tellOwner(c, record, { signingSecret: made });
        await rotateKey(c.env.DB, ringOf(c), record, {
          algorithm,
          secret: made,
          retireAt: now + overlapSeconds * 1000,
          now,
        });
        return c.json((await shown(c, [await found(c)]))[0]);
      },
    )
    .post(
      "/destinations/:id/test",
      described("Send a sample event through the very same path", {
        tag: "destinations",
        body: sample,
        bodyExample: { event: { hello: "world" } },
        answer: {
          n: 1,
          at: "2026-11-21T20:00:00.000Z",
          status: 200,
          durationMs: 12,
          error: null,
          responseHeaders: {},
          responseBody: "ok",
          truncated: false,
        },
      }),
      async (c) =>
        c.json(
          attemptView(
            await test(
              c,
              await found(c),
              parse(sample, (await readJson(c, BODY_BYTES)) ?? {}).event,
            ),
          ),
        ),
    )
    .post(
      "/destinations/:id/recover",
      described("Deliver its dead notifications since an instant again", {
        tag: "destinations",
        body: since,
        bodyExample: { since: "2026-11-20T00:00:00.000Z" },
        status: 202,
        answer: { jobId: "job_1" },
      }),
      async (c) => {
        const { destination } = await found(c);
        const { since: from } = parse(since, await readJson(c, BODY_BYTES));
        return c.json(
          { jobId: await overTroubledStreams(c, destination.id, { kind: "recover", from }) },
          202,
        );
      },
    );
}

const ringOf = (c: Context<AskerEnv>): Keyring => keyring(readConfig(c.env).masterKeys);

/** The destination the path's `:id` names: 404 when unknown or another organization's. */
export async function found(c: Context<AskerEnv>): Promise<DestinationRecord> {
  const id = c.req.param("id") ?? "";
  const record = await readDestinationRecord(c.env.DB, ringOf(c), c.var.asker.organizationId, id);
  if (record === undefined || record.destination.kind === "operations")
    throw notFound(`No destination '${id.slice(0, 100)}'`);
  return record;
}

/** Destinations with their health. */
export async function shown(
  c: Context<AskerEnv>,
  records: readonly DestinationRecord[],
): Promise<DestinationView[]> {
  const { organizationId } = c.var.asker;
  const now = Date.now();
  const only = records.length === 1 ? records[0]?.destination.id : undefined;
  const [rollups, troubled, circuits] = await Promise.all([
    readRollups(c.env.DB, organizationId, now - DAY_MS - BUCKET_MS, now, only),
    countExceptions(c.env.DB, organizationId),
    Promise.all(
      records.map(async ({ destination: { url } }) =>
        url === null
          ? null
          : await c.env.ENDPOINTS.getByName(endpointName(organizationId, url)).view(),
      ),
    ),
  ]);
  return records.map((record, index) =>
    destinationView(record, {
      circuit: circuits[index] ?? { state: "closed", openedAt: null, nextProbeAt: null },
      counts: rollups
        .filter(({ destinationId }) => destinationId === record.destination.id)
        .map(({ counts }) => counts),
      troubled: troubled.get(record.destination.id) ?? { dead: 0, pending: 0 },
    }),
  );
}

/** A destination that is switched on again gets what was held for it. */
async function release(c: Context<AskerEnv>, { destination }: DestinationRecord): Promise<void> {
  await overTroubledStreams(c, destination.id, { kind: "release", from: 0 });
}

/** Paged work over every stream in which a destination has dead or held notifications. */
export async function overTroubledStreams(
  c: Context<AskerEnv>,
  destinationId: string,
  { kind, from }: { kind: "recover" | "release"; from: number },
): Promise<string> {
  const streams = await troubledStreams(c.env.DB, c.var.asker.organizationId, destinationId);
  return start(
    c,
    streams.map(({ stream }) => ({ name: stream, stub: c.env.EVENT_STREAMS.getByName(stream) })),
    {
      kind,
      from,
      to: Date.now(),
      destinationId,
      objectType: null,
      eventType: null,
      fallbackId: null,
    },
    streams.reduce((sum, { n }) => sum + n, 0),
  );
}

/** One event, committed to a stream of its own and delivered like any other. */
export async function test(
  c: Context<AskerEnv>,
  { destination }: DestinationRecord,
  event: unknown,
): Promise<Attempt> {
  if (destination.url === null) throw conflict("The destination has no URL");
  const now = Date.now();
  const stub = c.env.EVENT_STREAMS.getByName(
    streamName({ organizationId: c.var.asker.organizationId, source: `test:${destination.id}` }),
  );
  const data = JSON.stringify(event ?? { type: "test", timestamp: new Date(now).toISOString() });
  const id = digest(`${destination.id} ${now} ${crypto.randomUUID()}`).slice(0, 32);
  await stub.commit({
    events: [
      {
        id,
        objectType: "test",
        objectId: destination.id,
        eventType: "test",
        date: now,
        data,
        to: [0],
      },
    ],
    targets: [
      {
        destinationId: destination.id,
        envelope: { format: "verbatim" },
        most: 1,
        ordering: "none",
      },
    ],
    retentionMs: DAY_MS,
  });
  while (Date.now() < now + TEST_MS) {
    const [view] = await stub.notifications({ before: null, limit: 1, withEvents: true });
    const attempt =
      view?.events.some((one) => one.id === id) === true
        ? view.notification.attempts.at(-1)
        : undefined;
    if (attempt !== undefined) return attempt;
    await scheduler.wait(50);
  }
  throw new Refusal({
    kind: "unavailable",
    message: "The destination's circuit is open, or others are before it; the test is on its way",
  });
}
