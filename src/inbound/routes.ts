import { type Context, Hono } from "hono";
import { type Config, readConfig } from "../config";
import { findConnector } from "../connectors/catalog";
import type { Connector } from "../connectors/definition";
import type { Change, Control, Webhook } from "../connectors/webhook";
import { keyring } from "../db/sealed";
import { readRetention } from "../accounts/store";
import { count } from "../delivery/rollup/store";
import { hopsOf, MOST_HOPS } from "../delivery/inside";
import { equalInConstantTime } from "../delivery/signature";
import { instanceSource, streamName } from "../events/stream-name";
import { matchesEvent } from "../flows/trigger";
import { withStartedFlows } from "../flows/triggers/store";
import { readBytes } from "../http/body";
import { invalid, notFound, unauthenticated } from "../http/refusal";
import type { RequestIdEnv } from "../http/surface";
import type { Instance } from "../instances/instance";
import { markInvalid, readInstances } from "../instances/store";
import { touchedState } from "../instances/touched";
import { extract } from "./extract";
import { register } from "./registration/client";
import { instanceTarget } from "../instances/target";
import { eventsOf, isPolled, listening, wantedBy } from "./outcome";
import { type Content, instanceInPath, ownParts, parseContent, partsOf } from "./route";
import { instancesOfTenants } from "./store";
import { type Signed, verifySignature } from "./verify";

type InboundEnv = { Bindings: Env } & RequestIdEnv;

/** Reference `connector-events-api.md` §11. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Webhooks of one burst wake one poll. */
const WAKE_AFTER_MS = 500;

/** What vendors call (reference §6): app-wide, or an instance's own address. */
export const inboundWebhooks = new Hono<InboundEnv>()
  .on(["GET", "POST"], ["/events/:element", "/events/:element/"], receive)
  .on(["GET", "POST"], "/events/:element/:instance", receive);

/** A delivery as it came, read once. */
type Arrived = Signed & { text: string; token: string | undefined; contentType: string | null };

async function receive(c: Context<InboundEnv>): Promise<Response> {
  const element = c.req.param("element") ?? "";
  const config = readConfig(c.env);
  const shared = findConnector(element);
  const challenge = challengeOf(c, shared?.webhook);
  if (challenge !== undefined) return challenge;
  if (hopsOf(c.req.raw.headers) > MOST_HOPS) {
    log(element, "goes round in a circle");
    throw invalid(`The delivery came through more than ${MOST_HOPS} of our own instances`);
  }
  const arrived = await arrive(c, config);
  const { candidates, isUnrouted } = await candidatesOf(c, element, shared, arrived, config);
  if (isUnrouted) {
    log(element, "unrouted");
    return c.body(null, 200);
  }
  const proved = candidates.filter((instance) => isProved(instance, arrived, element));
  if (proved.length === 0) throw unauthenticated("The signature or token does not fit");
  const content = contentOf(arrived);
  let acknowledgement: Webhook["acknowledgement"];
  for (const instance of proved) {
    const taken = await take(c, instance, content, arrived, config);
    if (taken) acknowledgement = instance.connector.webhook?.acknowledgement;
  }
  if (acknowledgement === undefined) return c.body(null, 200);
  return c.body(acknowledgement.body, 200, { "Content-Type": acknowledgement.type });
}

/** A handshake: the vendor asks whether the address is ours by having its own text read back. */
function challengeOf(c: Context<InboundEnv>, webhook: Webhook | undefined): Response | undefined {
  if (c.req.method !== "GET" || webhook?.handshake === undefined) return undefined;
  const { parameter } = webhook.handshake;
  const value = c.req.query(parameter);
  if (value === undefined || value === "")
    throw invalid(`${parameter}: Expected a text to answer with`, parameter);
  return c.body(value, 200, {
    "Content-Type": "text/plain",
    "X-Content-Type-Options": "nosniff",
  });
}

async function arrive(c: Context<InboundEnv>, config: Config): Promise<Arrived> {
  const { pathname, search, searchParams, origin } = new URL(c.req.url);
  const body = await readBytes(c.req.raw, MOST_BYTES);
  const token = searchParams.get("token") ?? undefined;
  searchParams.delete("token");
  const isGet = c.req.method === "GET";
  return {
    method: c.req.method,
    url: `${config.publicUrl ?? origin}${pathname}${search}`,
    headers: c.req.raw.headers,
    body,
    text: isGet ? searchParams.toString() : new TextDecoder().decode(body),
    contentType: isGet
      ? "application/x-www-form-urlencoded"
      : (c.req.header("content-type") ?? null),
    token,
  };
}

function contentOf({ text, contentType }: Arrived): Content {
  const parsed = parseContent(text, contentType);
  if (!parsed.ok) throw invalid(parsed.message);
  return parsed.content;
}

type Candidates = { candidates: Instance[]; isUnrouted: boolean };

/**
 * The instances a delivery may be for: the one its address names, those that its headers name, or those
 * that are the tenant its body names. Whether it is theirs is for the signature to say.
 */
async function candidatesOf(
  c: Context<InboundEnv>,
  element: string,
  shared: Connector | undefined,
  arrived: Arrived,
  config: Config,
): Promise<Candidates> {
  const ring = keyring(config.masterKeys);
  const own = c.req.param("instance");
  if (own !== undefined && own !== "") {
    const id = instanceInPath(own);
    const found = id === undefined ? [] : await readInstances(c.env.DB, ring, [id]);
    const candidates = found.filter((instance) => isOf(instance, element));
    if (candidates.length === 0) throw notFound(`No instance '${own}' of '${element}'`);
    return { candidates, isUnrouted: false };
  }
  if (shared === undefined) throw notFound(`No element '${element}'`);
  const named = idsIn(c.req.header("element-instances") ?? c.req.header("id") ?? "");
  const ids =
    named.length > 0
      ? named
      : await instancesOfTenants(
          c.env.DB,
          shared.webhook?.route?.family ?? shared.key,
          shared.webhook === undefined
            ? []
            : partsOf(shared.webhook, contentOf(arrived)).map(({ tenant }) => tenant),
        );
  const found = ids.length === 0 ? [] : await readInstances(c.env.DB, ring, ids);
  const candidates = found.filter((instance) => isOf(instance, element));
  return { candidates, isUnrouted: candidates.length === 0 };
}

/** Connectors of one family share their addresses. */
function isOf({ connector }: Instance, element: string): boolean {
  const shared = findConnector(element);
  return (
    connector.key === element.toLowerCase() ||
    String(connector.id) === element ||
    (shared?.webhook?.route?.family !== undefined &&
      shared.webhook.route.family === connector.webhook?.route?.family)
  );
}

function idsIn(text: string): number[] {
  return text
    .split(",")
    .map((part) => Number(part.trim()))
    .filter((id) => Number.isSafeInteger(id) && id > 0);
}

/** Whether the vendor made this delivery for this instance. Says in the log why not, without any secret. */
function isProved(instance: Instance, arrived: Arrived, element: string): boolean {
  const { connector, configuration } = instance;
  const { webhook } = connector;
  if (webhook === undefined) {
    log(element, "has no webhooks", instance.id);
    return false;
  }
  const value = (key: string): string | null => configuration[key] ?? null;
  if (webhook.signatures.length === 0) {
    const token = value("event.vendor.token");
    const fits =
      token !== null && arrived.token !== undefined && equalInConstantTime(token, arrived.token);
    if (!fits) log(element, "wrong token", instance.id);
    return fits;
  }
  const fallback = webhook.defaultKey === undefined ? null : value(webhook.defaultKey);
  const keys = {
    primary: value("event.vendor.signature.key") ?? fallback,
    secondary: value("event.vendor.signature.key.secondary"),
    algorithm: value("event.vendor.signature.algorithm"),
  };
  const verdict = verifySignature(webhook.signatures, arrived, keys, Date.now());
  if (verdict.kind === "refused") log(element, verdict.reason, instance.id);
  return verdict.kind === "valid";
}

/** @returns whether something of the delivery was this instance's. */
async function take(
  c: Context<InboundEnv>,
  instance: Instance,
  content: Content,
  { headers }: Arrived,
  config: Config,
): Promise<boolean> {
  const { connector, id } = instance;
  const mode = listening(instance);
  const parts =
    connector.webhook === undefined
      ? []
      : ownParts(connector.webhook, content, instance.configuration);
  if (connector.webhook === undefined || mode.kind === "deaf" || parts.length === 0) {
    log(connector.key, mode.kind === "deaf" ? mode.reason : "another tenant's", id);
    return false;
  }
  for (const part of parts) {
    const read = await extract(connector.webhook.extraction, { ...part, headers });
    if (read.kind === "unreadable") throw invalid(read.message);
    const { changes, controls } = read;
    const emitted =
      mode.kind === "emits" ? changes : changes.filter((change) => !isPolled(connector, change));
    const wakes =
      mode.kind === "wakes" &&
      (changes.length > emitted.length || controls.some(({ kind }) => kind === "resync"));
    const touched = wakes ? touchedBy(changes, emitted, controls) : [];
    await commit(c, instance, { part, emitted, wakes, touched });
    for (const control of controls) await obey(c.env.DB, instance, control, config);
  }
  return true;
}

/** The types that the poll is to look at. */
function touchedBy(
  changes: readonly Change[],
  emitted: readonly Change[],
  controls: readonly Control[],
): string[] {
  const left = changes.filter((change) => !emitted.includes(change));
  return [
    ...left.map(({ objectType }) => objectType),
    ...controls.flatMap((control) => (control.kind === "resync" ? control.objectTypes : [])),
  ];
}

async function commit(
  c: Context<InboundEnv>,
  instance: Instance,
  {
    part,
    emitted,
    wakes,
    touched,
  }: { part: Content; emitted: readonly Change[]; wakes: boolean; touched: readonly string[] },
): Promise<void> {
  if (emitted.length === 0 && !wakes) return;
  const source = instanceSource(instance.id);
  const name = streamName({ organizationId: instance.organizationId, source });
  const now = Date.now();
  const message = { ids: [instance.id], wake: true };
  const filter = instance.configuration["event.notification.filter"] ?? undefined;
  const hops = hopsOf(c.req.raw.headers);
  const { organizationId, userId } = instance;
  const started = await withStartedFlows(
    c.env.DB,
    { organizationId, kind: "instance", keys: [String(instance.id)] },
    {
      events: await wantedBy(filter, eventsOf(source, emitted, now)),
      targets: [instanceTarget(instance, { most: 20, ...(hops === 0 ? {} : { hops }) })],
    },
    (trigger, event) => trigger.userId === userId && matchesEvent(trigger, event),
  );
  const committed = await c.env.EVENT_STREAMS.getByName(name).commit({
    ...started,
    retentionMs: await readRetention(c.env.DB, organizationId),
    ...(emitted.length === 0 ? {} : { raw: rawOf(part) }),
    state: touchedState(instance.connector, touched, now),
    ...(wakes ? { wake: { at: now + WAKE_AFTER_MS, message: JSON.stringify(message) } } : {}),
  });
  if (committed.kind === "stale") throw new Error("A commit without a cursor is never stale");
  const { accepted, rowsWritten, messages } = committed;
  count(
    { organizationId: instance.organizationId, source, destinationId: "" },
    {
      events: accepted.length,
      rowsWritten,
      objectRequests: 1,
      queueOperations: 3 * messages,
    },
    now,
  );
  if (emitted.length > 0 && accepted.length === 0)
    log(instance.connector.key, "repeated", instance.id);
}

/** The vendor's body as JSON text: JSON as it came, a form's fields, XML as a text. */
function rawOf({ body, text }: Content): string {
  if (typeof body === "string") return JSON.stringify(text);
  const first = text.trimStart().charAt(0);
  return first === "{" || first === "[" ? text : JSON.stringify(body);
}

async function obey(
  db: D1Database,
  instance: Instance,
  control: Control,
  config: Config,
): Promise<void> {
  switch (control.kind) {
    case "reauthorize":
      await markInvalid(db, instance.id, control.reason, Date.now());
      return;
    case "register-again":
      await register(instance, { db, config }, { forget: control.webhookId });
      return;
    case "resync":
      return;
  }
}

/** One line for each delivery that is not committed; never a body, a key or a header. */
function log(element: string, reason: string, instanceId?: number): void {
  console.warn(
    JSON.stringify({
      at: "inbound",
      element: element.slice(0, 64),
      reason,
      ...(instanceId === undefined ? {} : { instanceId }),
    }),
  );
}
