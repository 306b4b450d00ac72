import { type Context, Hono } from "hono";
import { type UserEnv, userOf, withUser } from "../accounts/users/routes";
import { readConfig } from "../config";
import { keyring } from "../db/sealed";
import { hopsOf, withHops } from "../delivery/own-address";
import { commitCounted } from "../stream/counted-commit.io";
import { eventId } from "../stream/event-id";
import { addressLimit } from "../http/address-limit";
import { inflatedBody, parseJson, readBytes } from "../http/body";
import { invalid, limited, notFound, Refusal, unauthenticated } from "../http/refusal";
import { decoded, mediaTypeOf } from "../values/body/charset";
import { readBody } from "../values/body/read";
import { forwardedHeaders } from "./triggers/content";
import { flowDoors } from "./doors";
import { runId, userSource } from "./ids";
import { runCommit } from "./targets";
import { flowOfComponent } from "./store";
import { opened } from "./sealed-flow";
import { readSignature, type WantedSignature } from "./triggers/signature";
import type { Trigger } from "./triggers/trigger";
import { readTrigger } from "./triggers/store";
import { type Signed, verifySignature } from "../values/signature/verify";
import { noteTrace, type Untaken } from "../stream/traces/note.io";
import { streamName } from "../stream/stream-name";
import { webhookUrl } from "./webhook-url";

const BODY_BYTES = 1_048_576;
/** Calls of one flow's webhooks that one address makes in a minute, as in `wrangler.toml`. */
export const MOST_CALLS = 6_000;
/** Where callers give the id of a call, first come first. */
const ID_HEADERS = ["webhook-id", "svix-id", "idempotency-key"];
const REPEATED = "repeated: a call with its id came before";
const countCall = addressLimit(MOST_CALLS);

/** People give the address with a slash at its end, too. */
const HOOK = ["", "/"].map((end) => `/flows/:flowId/components/:componentId${end}`);

/** Component webhooks (reference app-events-api.md §8): the address of one trigger of one flow. */
export const webhookRoutes = new Hono<UserEnv>()
  .on(["GET", "POST", "PUT", "DELETE"], HOOK, async (c) => {
    const [flowId, componentId] = [c.req.param("flowId") ?? "", c.req.param("componentId") ?? ""];
    await limitCalls(c, flowId);
    // Size and depth are checked before the database is asked whose webhook it is.
    const bytes = await readBytes(c.req.raw, BODY_BYTES);
    const data = dataOf(c, bytes);
    const trigger = await readTrigger(c.env.DB, flowId, componentId);
    const listens = trigger?.kind === "webhook" || trigger?.kind === "app-event";
    if (trigger === undefined || !listens)
      throw notFound(`No running component '${componentId}' in a flow with id '${flowId}'`);
    if (trigger.kind === "app-event") {
      const user = await userOf(c.env, c.req.header("authorization"));
      if (user.id !== trigger.userId)
        throw notFound(`No running component '${componentId}' in a flow with id '${flowId}'`);
    }
    const { enqueueOnly: _enqueueOnly, ...query } = c.req.query();
    const wanted = wantedSignature(c.env, trigger);
    if (wanted !== undefined) await checkSignature(c, bytes, trigger, wanted);
    const content = {
      method: c.req.method,
      data,
      query,
      headers: forwardedHeaders(c.req.raw.headers),
    };
    const source = userSource(trigger.userId);
    const id = eventId(source, "webhook", `${flowId}/${componentId}`, versionOf(c, wanted));
    const hops = withHops(hopsOf(c.req.raw.headers, readConfig(c.env).sessionKey));
    const kind = { objectType: "webhook", eventType: c.req.method };
    const event = { id, ...kind, date: Date.now(), ...hops };
    const commit = runCommit(trigger, event, content);
    const { organizationId } = trigger;
    const committed = await commitCounted(flowDoors(c.env), {
      organizationId,
      source,
      commit,
    }).catch((error: unknown) => {
      console.error(JSON.stringify({ at: "webhooks", error: String(error) }));
      throw new Refusal({ kind: "unavailable", message: "The event could not be stored" });
    });
    if (committed.kind === "committed" && committed.accepted.length === 0)
      await noteCall(c, bytes, trigger, { outcome: "no-event", reason: REPEATED, isProved: true });
    // No component of this platform answers its caller: the run has been stored, and goes on by itself.
    return c.json({ correlationId: runId(id, trigger) }, 202);
  })
  .get("/triggers/:componentId/url", withUser, async (c) => {
    const componentId = c.req.param("componentId");
    const flowId = await flowOfComponent(
      c.env.DB,
      c.var.user.id,
      componentId,
      c.req.query("flowId"),
    );
    if (flowId === undefined) throw notFound(`No component '${componentId}' in a flow of yours`);
    const base = readConfig(c.env).publicUrl ?? new URL(c.req.url).origin;
    return c.json({ url: webhookUrl(base, flowId, componentId) });
  });

/**
 * How a repeated call is recognised: by the id that its sender gave it (Standard Webhooks), the same for every try. If a
 * signature covers the id, no other header counts: whoever caught a call could send it under ids of his own.
 */
function versionOf({ req }: Context<UserEnv>, wanted: WantedSignature | undefined): string {
  const names = wanted?.idHeader === undefined ? ID_HEADERS : [wanted.idHeader];
  const given = names.map((name) => req.header(name) ?? "").find((id) => id !== "");
  return given === undefined ? crypto.randomUUID() : `id:${given}`;
}

/** What a webhook trigger asks its callers for. @throws when that can't be read: then nobody is let in. */
function wantedSignature(
  env: Env,
  trigger: Trigger & { kind: string },
): WantedSignature | undefined {
  const { signature } = trigger.properties;
  if (trigger.kind !== "webhook" || signature === undefined || signature === null) return undefined;
  const ring = keyring(readConfig(env).masterKeys);
  const read = readSignature(opened(ring, trigger.organizationId, { signature }).signature);
  if (!read.ok) throw unauthenticated("What the trigger wants of a signature can't be read");
  return read.wanted;
}

/** @throws Refusal `unauthenticated` unless the call has the signature that its trigger asks for. */
async function checkSignature(
  c: Context<UserEnv>,
  body: Uint8Array,
  trigger: Trigger,
  { rules, keys }: WantedSignature,
): Promise<void> {
  const verdict = verifySignature(rules, callOf(c, body), keys, Date.now());
  if (verdict.kind === "valid") return;
  const { reason } = verdict;
  await noteCall(c, body, trigger, { outcome: "refused", reason, isProved: false });
  throw unauthenticated(`The signature does not fit: ${reason}`);
}

function callOf({ env, req }: Context<UserEnv>, body: Uint8Array): Signed & { headers: Headers } {
  const { pathname, search, origin } = new URL(req.url);
  const url = `${readConfig(env).publicUrl ?? origin}${pathname}${search}`;
  return { method: req.method, url, headers: req.raw.headers, body };
}

/** Leaves a trace of a call that started no run, which the flow's logs show. */
async function noteCall(
  c: Context<UserEnv>,
  body: Uint8Array,
  { organizationId, userId, flowId, componentId }: Trigger,
  untaken: Untaken,
): Promise<void> {
  const stream = streamName({ organizationId, source: userSource(userId) });
  const call = callOf(c, body);
  // Whose call it was is told by its address; what the caller wrote behind that may be a secret.
  const url = webhookUrl(new URL(call.url).origin, flowId, componentId);
  await noteTrace(c.env.EVENT_STREAMS, stream, { ...call, url }, untaken);
}

/** @throws Refusal `limited` for an address that calls one flow too often: nobody proved who is calling. */
async function limitCalls(c: Context<UserEnv>, flowId: string): Promise<void> {
  const address = c.req.header("cf-connecting-ip");
  if (address === undefined) return;
  const seconds = await countCall(c.env.FLOW_CALLS, `${address} ${flowId}`, Date.now());
  if (seconds !== undefined) throw limited("Too many calls of this flow's webhooks", seconds);
}

/**
 * The body: JSON and forms as values, anything else as text, none as null (`values/body/read.ts`).
 * @throws Refusal `invalid` for what is declared as JSON and is none.
 */
function dataOf({ req }: Context<UserEnv>, sent: Uint8Array): unknown {
  const bytes = inflatedBody(req.raw, sent, BODY_BYTES);
  const type = req.header("content-type") ?? null;
  const read = readBody(bytes, type);
  switch (read.kind) {
    case "empty":
      return bytes.byteLength === 0 ? null : decoded(bytes, type);
    case "json":
    case "fields":
      return read.value;
    case "deep":
      throw invalid(read.message);
    case "xml":
    case "text":
      return /^application\/([\w.+-]+\+)?json/.test(mediaTypeOf(type))
        ? parseJson(read.text)
        : read.text;
  }
}
