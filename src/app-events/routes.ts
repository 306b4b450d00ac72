import { type Context, Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../accounts/users/routes";
import type { User } from "../accounts/users/store";
import type { Committed, NewEvent, StoredEvent } from "../stream/event";
import { eventId, onceId } from "../stream/event-id";
import { streamName } from "../stream/stream-name";
import { forwardedHeaders } from "../flows/triggers/content";
import { ingest, type Intake } from "../flows/ingest.io";
import { readDescriptor } from "../flows/descriptor";
import { userSource } from "../flows/ids";
import { runTargets } from "../flows/targets";
import type { Trigger } from "../flows/triggers/trigger";
import { readOwnFlow } from "../flows/store";
import { type Heard, learnVersion, readHeard } from "../flows/triggers/app-event-triggers.store";
import {
  deleteTriggers,
  saveTrigger,
  type TriggerDoors,
  triggerRow,
} from "../flows/triggers/store";
import { parse, readTypedJson } from "../http/body";
import { invalid, notFound, Refusal } from "../http/refusal";
import {
  APP_EVENT,
  type EventRecord,
  readRecord,
  recordText,
  sameRequest,
  sentAnswer,
} from "./record";
import { isoSeconds } from "../values/instant";

const PREFIX = "/plugins/appmixer/utils/appevents";
const EVENTS = `${PREFIX}/events/`;
export const BODY_BYTES = 1_048_576;
const LONGEST_NAME = 256;
const RETENTION_MS = 7 * 86_400_000;
/** As often an event may find that triggers changed while it came. */
const TRIES = 10;

const registration = z.object({
  event: z.string().min(1).max(LONGEST_NAME),
  componentId: z.string().min(1),
  flowId: z.string().min(1),
});

/** App events (reference app-events-api.md §3): named webhooks of the token's user. */
export const appEventRoutes = new Hono<UserEnv>()
  .post(`${EVENTS}*`, withUser, async (c) => {
    const name = nameOf(new URL(c.req.url).pathname.slice(EVENTS.length));
    const { flowId, ...query } = c.req.query();
    const { text } = await readTypedJson(c, BODY_BYTES);
    const body = text === "" ? "null" : text;
    const headers = forwardedHeaders(c.req.raw.headers);
    const sent = await send(c, name, body, {
      content: { method: c.req.method, data: JSON.parse(body), query, headers },
      ...(flowId === undefined ? {} : { flowId }),
    });
    c.header("X-Event-Id", sent.event.id);
    if (sent.replayed) c.header("Idempotency-Replayed", "true");
    return c.json(sentAnswer(c.var.user.id, sent.event, sent.record));
  })
  .post(`${PREFIX}/triggers`, withUser, async (c) => {
    const asked = parse(registration, (await readTypedJson(c, BODY_BYTES)).value);
    const { event, componentId } = asked;
    const flow = await readOwnFlow(c.env.DB, c.var.user.id, asked.flowId);
    const read = flow === undefined ? undefined : readDescriptor(flow.flow);
    if (flow === undefined || read === undefined || !read.ok || !read.descriptor.has(componentId))
      throw notFound(`No component '${componentId}' in a flow with id '${asked.flowId}'`);
    const now = Math.max(Date.now(), flow.started ?? 0);
    await saveTrigger(doorsOf(c.env), {
      ...triggerRow(flow, read.descriptor, componentId, now, 0),
      kind: APP_EVENT,
      key: event,
      active: flow.stage === "running",
      nextMinute: null,
    });
    return c.json({
      userId: String(c.var.user.id),
      event,
      componentId,
      flowId: flow.id,
      createdAt: isoSeconds(now),
    });
  })
  .delete(`${PREFIX}/triggers/:componentId`, withUser, async (c) => {
    const { id: userId, organizationId } = c.var.user;
    const owner = { userId, organizationId };
    await deleteTriggers(doorsOf(c.env), owner, c.req.param("componentId"));
    return c.json({});
  });

type Sent = {
  event: Pick<StoredEvent, "id" | "objectId">;
  record: EventRecord;
  /** The same request came before: nothing was queued now. */
  replayed: boolean;
};

/** Stores an event with a notification for every step it starts, in one commit, before anybody is answered. */
export async function send(
  c: Context<UserEnv>,
  name: string,
  body: string,
  draft: Omit<EventRecord, "triggers">,
): Promise<Sent> {
  const { user } = c.var;
  const now = Date.now();
  const key = draft.replayOf === undefined ? keyOf(c.req.header("idempotency-key")) : undefined;
  const source = userSource(user.id);
  const id =
    key === undefined
      ? onceId(now, crypto.randomUUID().replaceAll("-", ""))
      : eventId(source, APP_EVENT, name, key);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { version, triggers } = await heardBy(c, name, draft.flowId, now);
    const record = { ...draft, triggers: triggers.map(shownTrigger) };
    const targets = triggers.flatMap((trigger) => runTargets(trigger, id, "content"));
    const event: NewEvent = {
      id,
      ...(key === undefined ? { once: true } : {}),
      objectType: APP_EVENT,
      objectId: name,
      eventType: "SENT",
      date: now,
      data: recordText(record, body),
      to: targets.map((_, index) => index),
    };
    const result = await committed(c.env, {
      organizationId: user.organizationId,
      source,
      // Refused when a flow of this user was started or stopped since its triggers were read.
      commit: { expect: version, events: [event], targets },
      keptFor: RETENTION_MS,
    });
    if (result.kind === "stale") {
      learnVersion(user.id, result.version);
      continue;
    }
    return result.accepted.length > 0
      ? { event: { id, objectId: name }, record, replayed: false }
      : earlier(streamOf(c.env, user), id, record);
  }
  throw new Refusal({ kind: "unavailable", message: "Flows change too fast: try again" });
}

/** The triggers of this user's flows, or of one flow, that listen to an event. */
async function heardBy(
  c: Context<UserEnv>,
  name: string,
  flowId: string | undefined,
  now: number,
): Promise<Heard> {
  const { id: userId, organizationId } = c.var.user;
  const { version, triggers } = await readHeard(
    doorsOf(c.env),
    { userId, organizationId },
    name,
    now,
  );
  return {
    version,
    triggers: triggers.filter((one) => flowId === undefined || one.flowId === flowId),
  };
}

const shownTrigger = ({ flowId, componentId, createdAt }: Trigger) => ({
  flowId,
  componentId,
  createdAt,
});

/** What a repeated idempotency key was answered the first time. @throws Refusal when it was another request. */
async function earlier(stream: Stream, id: string, record: EventRecord): Promise<Sent> {
  const first = await stream.event(id);
  const known = first === null ? undefined : readRecord(first);
  if (first === null || known === undefined || !sameRequest(known, record))
    throw new Refusal({
      kind: "key-reused",
      message: "The Idempotency-Key was used before with another request",
    });
  return { event: first, record: known, replayed: true };
}

type Stream = ReturnType<Env["EVENT_STREAMS"]["getByName"]>;

export function streamOf(env: Env, user: Pick<User, "id" | "organizationId">): Stream {
  const source = userSource(user.id);
  return env.EVENT_STREAMS.getByName(streamName({ organizationId: user.organizationId, source }));
}

/** @throws Refusal `unavailable` when the event is not certain to be kept. */
async function committed(env: Env, intake: Intake): Promise<Committed> {
  try {
    return await ingest(doorsOf(env), intake);
  } catch (error) {
    console.error(JSON.stringify({ at: "app-events", error: String(error) }));
    throw new Refusal({ kind: "unavailable", message: "The event could not be stored: try again" });
  }
}

const doorsOf = (env: Env): TriggerDoors => ({ db: env.DB, streams: env.EVENT_STREAMS });

/** The event's name, decoded once. */
function nameOf(raw: string): string {
  let name: string;
  try {
    name = decodeURIComponent(raw);
  } catch {
    throw invalid(`event: '${raw.slice(0, 100)}' is not percent-encoded UTF-8`, "event");
  }
  if (name === "" || name.length > LONGEST_NAME)
    throw invalid(`event: Expected a name of 1 to ${LONGEST_NAME} characters`, "event");
  return name;
}

function keyOf(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(header))
    return header === undefined ? undefined : `key:${header}`;
  throw invalid("Idempotency-Key: Expected 1 to 255 printable ASCII characters", "Idempotency-Key");
}
