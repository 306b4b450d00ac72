import { type Context, Hono } from "hono";
import { type Config, readConfig } from "../config";
import { findConnector } from "../connectors/catalog";
import type { Connector } from "../connectors/definition";
import type { Webhook } from "../connectors/webhook";
import { keyring } from "../db/sealed";
import { hopsOf, MOST_HOPS } from "../delivery/own-address";
import { inflatedBody, readBytes } from "../http/body";
import type { ProofEnv } from "../http/failure-limit";
import { invalid, notFound, Refusal, unauthenticated } from "../http/refusal";
import type { RequestIdEnv } from "../http/surface";
import { connectorOfId } from "../connectors/store";
import type { Instance } from "../instances/instance";
import { familyOf } from "../instances/routing";
import { readInstances } from "../instances/store";
import { answerHandshake } from "./handshake";
import { idsIn, instanceInPath, isAddressedBy } from "./address";
import { type Became, commitDelivery } from "./commit.io";
import { parseUnproved } from "./content";
import { contentOf, readable } from "./readable";
import { logUncommitted } from "./log.io";
import { type Arrived, proofOf } from "./proof";
import { doorsOf } from "./registration/register.io";
import { noteDelivery, noteUnrouted } from "./traces/note.io";
import { tenantsOf } from "./tenant-parts";
import { instancesOfTenants } from "../instances/tenants.store";

type InboundEnv = { Bindings: Env } & RequestIdEnv & ProofEnv;

/** Reference connector-events-api.md §11. */
const MOST_BYTES = 8 * 1024 * 1024;

/** The most instances that headers may name: each is read, decrypted and checked against the signature. */
const MOST_NAMED = 50;

/** What vendors call (reference connector-events-api.md §6): app-wide, or an instance's own address. */
export const inboundWebhooks = new Hono<InboundEnv>()
  .on(["GET", "POST"], ["/events/:element", "/events/:element/"], receive)
  .on(["GET", "POST"], ["/events/:element/:instance", "/events/:element/:instance/"], receive);

async function receive(c: Context<InboundEnv>): Promise<Response> {
  const element = c.req.param("element") ?? "";
  const config = readConfig(c.env);
  const shared = findConnector(element) ?? (await connectorOfId(c.env.DB, element));
  const hops = hopsOf(c.req.raw.headers, config.sessionKey);
  if (hops > MOST_HOPS) {
    logUncommitted(element, "goes round in a circle");
    throw invalid(`The delivery came through more than ${MOST_HOPS} of our own instances`);
  }
  const arrived = await arrive(c, config);
  const answer = handshakeOf(c, arrived, shared, undefined);
  if (answer !== undefined) return answer;
  const about = { element, shared, config, arrived };
  const { candidates, isUnrouted } = await candidatesOf(c, about);
  for (const one of candidates) {
    const answerOfOne = handshakeOf(c, arrived, one.connector, one.configuration);
    if (answerOfOne !== undefined) return answerOfOne;
  }
  if (isUnrouted) {
    logUncommitted(element, "unrouted");
    await noteUnrouted(c.env, shared, arrived);
    c.set("isUnproven", true);
    return c.body(null, 200);
  }
  const { proven, refused } = provenOf(candidates, arrived, element);
  await Promise.all(
    refused.map(({ instance, reason }) =>
      noteDelivery(c.env, instance, arrived, { outcome: "refused", reason, isProved: false }),
    ),
  );
  if (proven.length === 0) throw unauthenticated("The signature or token does not fit");
  let acknowledgement: Webhook["acknowledgement"];
  for (const instance of proven) {
    const became = await commitOrNote(instance, arrived, hops, c.env);
    if (became.kind === "took" || became.outcome === "no-event")
      acknowledgement = instance.connector.webhook?.acknowledgement;
  }
  if (acknowledgement === undefined) return c.body(null, 200);
  return c.body(acknowledgement.body, 200, { "Content-Type": acknowledgement.type });
}

/** Commits a delivery that was proved; if it becomes no event, it leaves a trace. @throws Refusal when it can't be read. */
async function commitOrNote(
  instance: Instance,
  arrived: Arrived,
  hops: number,
  env: Env,
): Promise<Became> {
  const note = (outcome: "no-event" | "ignored", reason: string) =>
    noteDelivery(env, instance, arrived, { outcome, reason, isProved: true });
  try {
    const transport = { headers: arrived.headers, hops };
    const became = await commitDelivery(instance, contentOf(arrived), transport, doorsOf(env));
    if (became.kind === "nothing") await note(became.outcome, became.reason);
    return became;
  } catch (error) {
    if (error instanceof Refusal) await note("no-event", error.message);
    throw error;
  }
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
  return {
    method: c.req.method,
    url: `${config.publicUrl ?? origin}${pathname}${search}`,
    headers: c.req.raw.headers,
    body,
    content: isGet ? query : inflatedBody(c.req.raw, body, MOST_BYTES),
    contentType: isGet
      ? "application/x-www-form-urlencoded"
      : (c.req.header("content-type") ?? null),
    token,
  };
}

type Candidates = { candidates: Instance[]; isUnrouted: boolean };
type Addressed = {
  element: string;
  /** The connector of that name, unless only one organization has it. */
  shared: Connector | undefined;
  config: Config;
  arrived: Arrived;
};

/**
 * The instances a delivery may be for: the one its address names, those its headers name, or those of the tenants its
 * body names; nothing is parsed where one of the others tells. Only their signatures tell whether it really is for them.
 */
async function candidatesOf(c: Context<InboundEnv>, about: Addressed): Promise<Candidates> {
  const { element, shared, config, arrived } = about;
  const ring = keyring(config.masterKeys);
  const read = (ids: readonly number[]) =>
    ids.length === 0
      ? []
      : readInstances(c.env.DB, ring, ids, (one) => isAddressedBy(one, element, shared));
  const inAddress = c.req.param("instance");
  if (inAddress !== undefined && inAddress !== "") {
    const id = instanceInPath(inAddress);
    const candidates = await read(id === undefined ? [] : [id]);
    if (candidates.length === 0) throw notFound(`No instance '${inAddress}' of '${element}'`);
    return { candidates, isUnrouted: false };
  }
  if (shared === undefined) throw notFound(`No element '${element}'`);
  const named = idsIn(c.req.header("element-instances") ?? c.req.header("id") ?? "");
  if (named.length > MOST_NAMED)
    throw invalid(`Element-Instances: Expected at most ${MOST_NAMED} instances`);
  const candidates = await read(
    named.length > 0 ? named : await idsOfTenants(c.env.DB, shared, arrived),
  );
  return { candidates, isUnrouted: candidates.length === 0 };
}

async function idsOfTenants(
  db: D1Database,
  shared: Connector,
  { content, contentType }: Arrived,
): Promise<number[]> {
  if (shared.webhook?.route === undefined) return [];
  const unproved = readable(parseUnproved(content, contentType));
  return instancesOfTenants(db, familyOf(shared), tenantsOf(shared.webhook, unproved));
}

type Proofs = { proven: Instance[]; refused: { instance: Instance; reason: string }[] };

/** The candidates whose signature or token fits. Why it does not fit the others is logged in one line, without secrets. */
function provenOf(candidates: Instance[], arrived: Arrived, element: string): Proofs {
  const now = Date.now();
  const proofs = candidates.map((instance) => ({
    instance,
    proof: proofOf(instance, arrived, now),
  }));
  const refused = proofs.flatMap(({ instance, proof }) =>
    proof.kind === "unproved" ? { instance, reason: proof.reason } : [],
  );
  const [first, ...others] = refused;
  if (first !== undefined) logUncommitted(element, first.reason, first.instance.id, others.length);
  const proven = proofs.flatMap(({ instance, proof }) => (proof.kind === "proved" ? instance : []));
  return { proven, refused };
}
