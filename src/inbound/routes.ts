import { type Context, Hono } from "hono";
import { type Config, readConfig } from "../config";
import { findConnector } from "../connectors/catalog";
import type { Connector } from "../connectors/definition";
import type { Webhook } from "../connectors/webhook";
import { keyring } from "../db/sealed";
import { hopsOf, MOST_HOPS, type Sender, senderOf } from "../delivery/own-address";
import { inflatedBody, readBytes } from "../http/body";
import type { ProofEnv } from "../http/failure-limit";
import { invalid, notFound, unauthenticated } from "../http/refusal";
import type { RequestIdEnv } from "../http/surface";
import { connectorOf, connectorOfId } from "../connectors/store";
import type { PolledAs } from "../instances/polled";
import type { Instance } from "../instances/instance";
import { otherInstances } from "../instances/list.store";
import { familyOf, instanceInPath } from "../instances/routing";
import { findInstances, type Heard } from "../instances/heard.store";
import { answerHandshake } from "./handshake";
import { idsIn, isAddressedBy } from "./address";
import { parseUnproved } from "./content";
import { readable } from "./readable";
import { logUncommitted } from "./log.io";
import type { Arrived } from "./proof";
import { taker } from "./take.io";
import { noteUnrouted } from "./traces/note.io";
import { tenantsOf } from "./tenant-parts";
import { instancesOfTenants } from "../instances/tenants.store";
import { chunks } from "../values/lists";

type InboundEnv = { Bindings: Env } & RequestIdEnv & ProofEnv;

/** Reference connector-events-api.md §11. */
const MOST_BYTES = 8 * 1024 * 1024;

/** The most instances that headers may name: each is read, decrypted and checked against the signature. */
const MOST_NAMED = 50;
/** The most tenants a body may name, and instances they may have: a request of ours to D1 or a stream for each of these. */
const MOST_TENANTS = 10_000;
const MOST_INSTANCES = 5_000;
/** So many instances are read from D1, and held in memory, at a time. */
const INSTANCES_A_GROUP = 500;

/** What vendors call (reference connector-events-api.md §6): app-wide, or an instance's own address. */
export function inboundRoutes(polledAs: PolledAs): Hono<InboundEnv> {
  const answer = (c: Context<InboundEnv>): Promise<Response> => receive(c, polledAs);
  return new Hono<InboundEnv>()
    .on(["GET", "POST"], ["/events/:element", "/events/:element/"], answer)
    .on(["GET", "POST"], ["/events/:element/:instance", "/events/:element/:instance/"], answer);
}

async function receive(c: Context<InboundEnv>, polledAs: PolledAs): Promise<Response> {
  const element = c.req.param("element") ?? "";
  const config = readConfig(c.env);
  const hops = hopsOf(c.req.raw.headers, config.sessionKey);
  const arrived = await arrive(c, config);
  const { sender } = arrived;
  const shared =
    findConnector(element) ??
    (await connectorOfId(c.env.DB, element)) ??
    (sender && (await connectorOf(c.env.DB, sender.organizationId, element)));
  const answer = handshakeOf(c, arrived, shared, undefined);
  if (answer !== undefined) return answer;
  const about = { element, shared, config, arrived };
  const { ids, read, isShared } = await addressed(c, about);
  const take = taker(arrived, { element, hops, env: c.env, polledAs });
  let [isFound, isProved] = [false, false];
  let acknowledgement: Webhook["acknowledgement"];
  for (const group of chunks(ids, INSTANCES_A_GROUP)) {
    const candidates = await read(group);
    for (const one of candidates) {
      const answerOfOne = handshakeOf(c, arrived, one.connector, one.configuration);
      if (answerOfOne !== undefined) return answerOfOne;
    }
    const taken = await take(candidates);
    isFound ||= candidates.length > 0;
    isProved ||= taken.isProved;
    acknowledgement = taken.acknowledging?.connector.webhook?.acknowledgement ?? acknowledgement;
  }
  if (hops > MOST_HOPS)
    throw invalid(`The delivery came through more than ${MOST_HOPS} of our own instances`);
  if (!isFound && isShared) return unrouted(c, about);
  if (!isFound) throw notFound(`No instance '${c.req.param("instance")}' of '${element}'`);
  if (!isProved) throw unauthenticated("The signature or token does not fit");
  if (acknowledgement === undefined) return c.body(null, 200);
  return c.body(acknowledgement.body, 200, { "Content-Type": acknowledgement.type });
}

/** A delivery for a tenant that no instance has. */
async function unrouted(
  c: Context<InboundEnv>,
  { element, shared, arrived }: Addressed,
): Promise<Response> {
  logUncommitted(element, "unrouted");
  await noteUnrouted(c.env, shared, arrived);
  c.set("isUnproven", true);
  return c.body(null, 200);
}

/** The answer to a handshake (`handshake.ts`); undefined for a delivery, and while the instance isn't known that can answer. */
function handshakeOf(
  c: Context<InboundEnv>,
  { method, content, contentType }: Arrived,
  connector: Connector | undefined,
  configuration: Instance["configuration"] | undefined,
): Response | undefined {
  const rule = connector?.webhook?.handshake;
  if (rule === undefined) return undefined;
  const query = new URL(c.req.url).searchParams;
  const asked = { method, query, body: content, contentType };
  const answer = answerHandshake(rule, asked, configuration);
  switch (answer.kind) {
    case "none":
    case "needs-instance":
      return undefined;
    case "invalid":
      throw invalid(answer.message, answer.field);
    case "refused":
      throw unauthenticated("The handshake's token or key does not fit");
    case "answered":
      return c.body(answer.body, 200, {
        "Content-Type": answer.type,
        "X-Content-Type-Options": "nosniff",
      });
  }
}

async function arrive(c: Context<InboundEnv>, config: Config): Promise<Arrived> {
  const { pathname, search, searchParams, origin } = new URL(c.req.url);
  const body = await readBytes(c.req.raw, MOST_BYTES);
  const token = searchParams.get("token") ?? undefined;
  searchParams.delete("token");
  const isGet = c.req.method === "GET";
  const query = new TextEncoder().encode(searchParams.toString());
  const { headers, url: address } = c.req.raw;
  return {
    sender: senderOf(headers, { url: address, body }, config.sessionKey),
    method: c.req.method,
    url: `${config.publicUrl ?? origin}${pathname}${search}`,
    headers,
    body,
    content: isGet ? query : inflatedBody(c.req.raw, body, MOST_BYTES),
    contentType: isGet
      ? "application/x-www-form-urlencoded"
      : (c.req.header("content-type") ?? null),
    token,
  };
}

type Addressed = {
  element: string;
  /** The connector of that name, unless only one organization has it. */
  shared: Connector | undefined;
  config: Config;
  arrived: Arrived;
};

/** `isShared`: the address is no instance's own. */
type Found = {
  ids: readonly number[];
  read: (ids: readonly number[]) => Promise<Heard[]>;
  isShared: boolean;
};

/**
 * The instances a delivery may be for: the one its address names, those its headers name, or those of the tenants its
 * body names; nothing is parsed where one of the others tells. Only their signatures tell whether it really is for them.
 */
async function addressed(c: Context<InboundEnv>, about: Addressed): Promise<Found> {
  const { element, shared, config, arrived } = about;
  const ring = keyring(config.masterKeys);
  const read = (ids: readonly number[]) =>
    findInstances(c.env.DB, ring, ids, (one) => isAddressedBy(one, element, shared));
  const inAddress = c.req.param("instance");
  if (inAddress !== undefined && inAddress !== "") {
    const id = instanceInPath(inAddress);
    return { ids: id === undefined ? [] : [id], read, isShared: false };
  }
  if (shared === undefined) throw notFound(`No element '${element}'`);
  const named = idsIn(c.req.header("element-instances") ?? c.req.header("id") ?? "");
  if (named.length > MOST_NAMED)
    throw invalid(`Element-Instances: Expected at most ${MOST_NAMED} instances`);
  const ids = named.length > 0 ? named : await idsOfTenants(c.env.DB, shared, arrived);
  const { sender } = arrived;
  if (sender === undefined) return { ids, read, isShared: true };
  const ofSender = async (some: readonly number[]) =>
    (await read(some)).filter(({ organizationId }) => organizationId === sender.organizationId);
  const isNamed = (await ofSender(ids)).length > 0;
  const only = isNamed ? ids : [await onlyOther(c.env.DB, sender, shared)];
  return { ids: only, read: ofSender, isShared: true };
}

/**
 * The one instance of a connector that a callback of ours is for which names no tenant.
 * @throws Refusal `invalid` when the sender's organization has none beside the sender, or several.
 */
async function onlyOther(
  db: D1Database,
  { organizationId, instanceId }: Sender,
  { key }: Connector,
): Promise<number> {
  const others = { elementKey: key, but: instanceId };
  const [only, another] = await otherInstances(db, organizationId, others, 2);
  if (only !== undefined && another === undefined) return only;
  const many = only === undefined ? "no other instance" : "several other instances";
  throw invalid(`There are ${many} of '${key}', and the callback names none of their tenants`);
}

/** @throws Refusal `invalid` when there are more than one request can take: nothing is dropped unseen. */
async function idsOfTenants(
  db: D1Database,
  shared: Connector,
  { content, contentType }: Arrived,
): Promise<number[]> {
  if (shared.webhook?.route === undefined) return [];
  const unproved = readable(parseUnproved(content, contentType));
  const tenants = tenantsOf(shared.webhook, unproved);
  if (tenants.length > MOST_TENANTS)
    throw invalid(`Expected at most ${MOST_TENANTS} tenants in one delivery`);
  const ids = await instancesOfTenants(db, familyOf(shared), tenants, MOST_INSTANCES);
  if (ids.length > MOST_INSTANCES)
    throw invalid(`Expected tenants of at most ${MOST_INSTANCES} instances in one delivery`);
  return ids;
}
