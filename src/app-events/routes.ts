import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import { type UserEnv, userOf, withUser } from "../accounts/users/routes";
import { readConfig } from "../config";
import { hopsOf } from "../delivery/own-address";
import { readDescriptor } from "../flows/descriptor";
import { readOwnFlow } from "../flows/store";
import { foreseeTriggers, type UserTriggers } from "../flows/triggers/app-event-triggers.store";
import { forwardedHeaders } from "../flows/triggers/content";
import {
  deleteTriggers,
  saveTrigger,
  type TriggerDoors,
  triggerRow,
} from "../flows/triggers/store";
import { parse, readTypedJson } from "../http/body";
import { invalid, notFound, Refusal } from "../http/refusal";
import { isoSeconds } from "../values/instant";
import { eventName, LONGEST_NAME } from "./event-name";
import { publish } from "./publish.io";
import { APP_EVENT, sentAnswer } from "./record";

const PREFIX = "/plugins/appmixer/utils/appevents";
const EVENTS = `${PREFIX}/events/`;
export const BODY_BYTES = 1_048_576;

const registration = z.object({
  event: z.string().min(1).max(LONGEST_NAME),
  componentId: z.string().min(1),
  flowId: z.string().min(1),
});

/** `foreseen`: what listens to the event, which is asked for together with its user. */
type PublishEnv = UserEnv & { Variables: { foreseen?: Promise<UserTriggers | undefined> } };

const withUserAndTriggers = createMiddleware<PublishEnv>(async (c, next) => {
  const foresee = async (userId: number) => foreseeTriggers(userId, nameIn(c.req.url), Date.now());
  const user = await userOf(c.env, c.req.header("authorization"), (userId) => {
    // The handler says what is wrong with the name.
    c.set(
      "foreseen",
      foresee(userId).catch(() => undefined),
    );
  });
  c.set("user", user);
  await next();
});

/** Publishing app events, and triggers that are registered by hand (reference app-events-api.md §3). */
export const appEventRoutes = new Hono<PublishEnv>()
  .post(`${EVENTS}*`, withUserAndTriggers, async (c) => {
    const name = nameIn(c.req.url);
    const { flowId, ...query } = c.req.query();
    const { text, value } = await readTypedJson(c, BODY_BYTES);
    const body = text === "" ? "null" : text;
    const headers = forwardedHeaders(c.req.raw.headers);
    const content = { method: c.req.method, data: value ?? null, query, headers };
    const publication = {
      name,
      body,
      record: { content, ...(flowId === undefined ? {} : { flowId }) },
      idempotencyKey: keyOf(c.req.header("idempotency-key")),
      hops: hopsOf(c.req.raw.headers, readConfig(c.env).sessionKey),
    };
    const foreseen = await c.var.foreseen;
    const published = await publish(doorsOf(c.env), c.var.user, publication, foreseen);
    c.header("X-Event-Id", published.event.id);
    if (published.replayed) c.header("Idempotency-Replayed", "true");
    return c.json(sentAnswer(c.var.user.id, published));
  })
  .post(`${PREFIX}/triggers`, withUser, async (c) => {
    const wanted = parse(registration, (await readTypedJson(c, BODY_BYTES)).value);
    const { event, componentId } = wanted;
    const flow = await readOwnFlow(c.env.DB, c.var.user.id, wanted.flowId);
    const read = flow === undefined ? undefined : readDescriptor(flow.flow);
    if (flow === undefined || read === undefined || !read.ok || !read.descriptor.has(componentId))
      throw notFound(`No component '${componentId}' in a flow with id '${wanted.flowId}'`);
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

const doorsOf = (env: Env): TriggerDoors => ({ db: env.DB, streams: env.EVENT_STREAMS });

/** The name of the event that an address publishes, decoded once. */
function nameIn(url: string): string {
  const raw = new URL(url).pathname.slice(EVENTS.length);
  try {
    return eventName(decodeURIComponent(raw));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw invalid(`event: '${raw.slice(0, 100)}' is not percent-encoded UTF-8`, "event");
  }
}

function keyOf(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(header))
    return header === undefined ? undefined : `key:${header}`;
  throw invalid("Idempotency-Key: Expected 1 to 255 printable ASCII characters", "Idempotency-Key");
}
