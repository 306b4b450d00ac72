import { type Context, Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../accounts/users/routes";
import type { User } from "../accounts/users/store";
import type { Commit, StoredEvent } from "../events/event";
import { eventId, onceId } from "../events/event-id";
import { streamName } from "../events/stream-name";
import { forwardedHeaders } from "../flows/content";
import { readDescriptor } from "../flows/descriptor";
import { runId, triggerTargets, userSource } from "../flows/run";
import { readOwnFlow } from "../flows/store";
import {
  deleteTriggers,
  readEventTriggers,
  saveTrigger,
  triggerRow,
} from "../flows/triggers/store";
import { parse, readTypedJson } from "../http/body";
import { invalid, notFound, Refusal } from "../http/refusal";
import {
  APP_EVENT,
  type EventRecord,
  instantOf,
  readRecord,
  recordText,
  sameRequest,
  sentAnswer,
} from "./record";

const PREFIX = "/plugins/appmixer/utils/appevents";
const EVENTS = `${PREFIX}/events/`;
export const BODY_BYTES = 1_048_576;
const LONGEST_NAME = 256;
const RETENTION_MS = 7 * 86_400_000;

const registration = z.object({
  event: z.string().min(1).max(LONGEST_NAME),
  componentId: z.string().min(1),
  flowId: z.string().min(1),
});

/** App events (reference `app-events-api.md` §3): named webhooks of the token's user. */
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
    const now = Date.now();
    await saveTrigger(c.env.DB, {
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
      createdAt: instantOf(now),
    });
  })
  .delete(`${PREFIX}/triggers/:componentId`, withUser, async (c) => {
    await deleteTriggers(c.env.DB, c.var.user.id, c.req.param("componentId"));
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
  const triggers = (await readEventTriggers(c.env.DB, user.id, name, now)).filter(
    ({ flowId }) => draft.flowId === undefined || flowId === draft.flowId,
  );
  const record: EventRecord = {
    ...draft,
    triggers: triggers.map(({ flowId, componentId, createdAt }) => ({
      flowId,
      componentId,
      createdAt,
    })),
  };
  const targets = triggers.flatMap((trigger) =>
    triggerTargets(trigger, {
      correlationId: runId(id, trigger),
      startedAt: now,
      input: "content",
    }),
  );
  const stream = streamOf(c.env, user);
  const accepted = await committed(stream, {
    events: [
      {
        id,
        ...(key === undefined ? { once: true } : {}),
        objectType: APP_EVENT,
        objectId: name,
        eventType: "SENT",
        date: now,
        data: recordText(record, body),
        to: targets.map((_, index) => index),
      },
    ],
    targets,
    retentionMs: RETENTION_MS,
  });
  if (accepted) return { event: { id, objectId: name }, record, replayed: false };
  const first = await stream.event(id);
  if (first === null)
    throw new Refusal({ kind: "key-reused", message: "The Idempotency-Key was used before" });
  const earlier = readRecord(first);
  if (!sameRequest(earlier, record))
    throw new Refusal({
      kind: "key-reused",
      message: "The Idempotency-Key was used before with another request",
    });
  return { event: first, record: earlier, replayed: true };
}

type Stream = ReturnType<Env["EVENT_STREAMS"]["getByName"]>;

export function streamOf(env: Env, user: Pick<User, "id" | "organizationId">): Stream {
  const source = userSource(user.id);
  return env.EVENT_STREAMS.getByName(streamName({ organizationId: user.organizationId, source }));
}

/** @returns whether the event is new. @throws Refusal `unavailable` when it is not certain to be kept. */
async function committed(stream: Stream, commit: Commit): Promise<boolean> {
  try {
    const result = await stream.commit(commit);
    return result.kind === "committed" && result.accepted.length > 0;
  } catch (error) {
    console.error(JSON.stringify({ at: "app-events", error: String(error) }));
    throw new Refusal({ kind: "unavailable", message: "The event could not be stored: try again" });
  }
}

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
