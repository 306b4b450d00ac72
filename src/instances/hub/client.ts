import { waitUntil } from "cloudflare:workers";
import type { Config } from "../../config";
import type { Connector, Operation } from "../../connectors/definition";
import { type Keyring, keyring } from "../../db/sealed";
import { request } from "../../http/client";
import { limitedUntil, type Turn } from "../budget/limit";
import type { Instance } from "../instance";
import {
  markInvalid,
  readInstance,
  releaseRefreshLease,
  saveGrant,
  takeRefreshLease,
} from "../store";
import {
  parseExactly,
  readAnswer,
  type ReadAnswer,
  type Unreachable,
  type VendorError,
} from "./answer";
import { readField } from "./field";
import { type HubQuery, planList, readList } from "./list";
import { grantIn, isRefusedForGood, readGrant, tokenRequest, tokenState } from "./oauth";
import type { Position } from "./paging";
import { type Built, buildRequest, findResource, type VendorRequest } from "./request";

export type { HubQuery } from "./list";
/** `turn`: what each request of the vendor waits for, where the vendor limits them. */
export type HubDoors = { db: D1Database; config: Config; turn?: Turn | undefined };

export type HubFailure =
  /** The caller's fault: `where`, `orderBy`, paging, resource, configuration. */
  | { kind: "bad-request"; message: string }
  | VendorError
  /** Network, timeout, egress refusal, not JSON, too large. */
  | Unreachable
  /** The rate budget has no room: nothing was asked. Epoch ms. */
  | { kind: "crowded"; message: string; until: number }
  /** The refresh failed for good: somebody must authenticate the instance again. */
  | { kind: "unauthorized"; message: string };

export type HubPage =
  | { kind: "page"; records: unknown[]; next: Position | null; total?: number }
  | HubFailure;
export type HubRecord = { kind: "record"; record: unknown } | HubFailure;

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 10 * 1024 * 1024;

/** One page of a resource. Whole numbers above 2^53 come as texts with all their digits. */
export async function listRecords(
  instance: Instance,
  resource: string,
  query: HubQuery,
  doors: HubDoors,
): Promise<HubPage> {
  const planned = planList(instance.connector, resource, query, instance.configuration);
  if (!planned.ok) return { kind: "bad-request", message: planned.message };
  const { plan } = planned;
  const answer = await call(
    instance,
    () => buildRequest(instance, plan.operation, plan.given),
    doors,
  );
  if (answer.kind !== "json") return answer;
  const page = readList(plan, answer.value, answer.headers);
  if (!page.ok) return { kind: "unreachable", message: page.message };
  const { records, next, total } = page;
  return { kind: "page", records, next, ...(total === undefined ? {} : { total }) };
}

/** One record; an absent one is a vendor error with status 404. */
export async function getRecord(
  instance: Instance,
  resource: string,
  id: string,
  doors: HubDoors,
): Promise<HubRecord> {
  const found = findResource(instance.connector, resource);
  const get = found?.resource.get;
  if (found === undefined || get === undefined)
    return { kind: "bad-request", message: `Resource '${resource}' has no single records` };
  const pathValues = { ...found.pathValues, id };
  const answer = await call(instance, () => buildRequest(instance, get, { pathValues }), doors);
  if (answer.kind !== "json") return answer;
  const record = readField(answer.value, get.root) ?? null;
  if (record !== null) return { kind: "record", record };
  const message = `No record '${id}' in '${resource}'`;
  return { kind: "vendor-error", status: 404, message, providerMessage: "" };
}

/** Creates, changes or deletes a record; `record` is what the vendor answers, null when nothing. */
export async function writeRecord(
  instance: Instance,
  resource: string,
  write: { kind: "create" | "update" | "delete"; id?: string; body?: Record<string, unknown> },
  doors: HubDoors,
): Promise<HubRecord> {
  const found = findResource(instance.connector, resource);
  const operation = found?.resource[write.kind];
  if (found === undefined || operation === undefined)
    return { kind: "bad-request", message: `Resource '${resource}' has no ${write.kind}` };
  const { id } = write;
  const pathValues = { ...found.pathValues, ...(id === undefined ? {} : { id }) };
  const taken: Record<string, unknown> = {};
  if (operation.take.length > 0 && id !== undefined) {
    const current = await getRecord(instance, resource, id, doors);
    if (current.kind !== "record") return current;
    for (const name of operation.take) taken[name] = readField(current.record, name);
  }
  const given = { ...taken, ...write.body };
  const hasBody = write.kind !== "delete" || operation.take.length > 0;
  const answer = await call(
    instance,
    () => buildRequest(instance, operation, { pathValues, ...(hasBody ? { body: given } : {}) }),
    doors,
  );
  if (answer.kind !== "json") return answer;
  return { kind: "record", record: readField(answer.value, operation.root) ?? null };
}

/** One request of the vendor's API that is no list and no record: a feed's, a registration's. */
export async function callVendor(
  instance: Instance,
  operation: Pick<Operation, "method" | "path" | "query" | "body">,
  doors: HubDoors,
): Promise<{ kind: "json"; value: unknown } | HubFailure> {
  const answer = await call(instance, () => buildRequest(instance, operation), doors);
  return answer.kind === "json" ? { kind: "json", value: answer.value } : answer;
}

/** Whether the vendor answers this instance's credentials. */
export async function ping(
  instance: Instance,
  doors: HubDoors,
): Promise<{ kind: "answered" } | HubFailure> {
  const operation = instance.connector.ping;
  if (operation === undefined) return { kind: "answered" };
  const answer = await call(instance, () => buildRequest(instance, operation), doors);
  return answer.kind === "json" ? { kind: "answered" } : answer;
}

/** Turns the code that a consenting user brought back into a grant. */
export async function exchangeCode(
  connector: Connector,
  configuration: Record<string, string | null>,
  code: string,
  doors: HubDoors,
): Promise<
  | { ok: true; configuration: Record<string, string> }
  | { ok: false; message: string; providerMessage: string; status: number }
> {
  const built = tokenRequest(
    { connector, configuration },
    {
      type: "authorization_code",
      code,
      pkceKey: doors.config.sessionKey,
    },
  );
  if (!built.ok) return { ok: false, message: built.message, providerMessage: "", status: 400 };
  const { answer } = await send(connector, built.request, doors);
  if (answer.kind === "vendor-error") return { ok: false, ...answer };
  if (answer.kind === "unreachable")
    return { ok: false, message: answer.message, providerMessage: answer.message, status: 502 };
  const grant = readGrant(connector, answer.value, Date.now());
  return grant.ok ? grant : { ok: false, message: grant.message, providerMessage: "", status: 502 };
}

type Called = Extract<ReadAnswer, { kind: "json" }> | HubFailure;

/** Calls with a token that lives; one that the vendor refuses all the same is renewed once. */
async function call(instance: Instance, build: () => Built, doors: HubDoors): Promise<Called> {
  if (instance.connector.authentication.type !== "oauth2") return callOnce(instance, build, doors);
  const state = tokenState(instance.configuration, Date.now());
  if (state === "none") return unauthorized(instance, "It has no token");
  if (state !== "good") {
    const failure = await renew(instance, doors);
    const mayGoOn = state === "ending" && failure?.kind !== "unauthorized";
    if (failure !== undefined && !mayGoOn) return failure;
  }
  const first = await callOnce(instance, build, doors);
  if (first.kind !== "vendor-error" || first.status !== 401) return first;
  return (await renew(instance, doors)) ?? callOnce(instance, build, doors);
}

async function callOnce(instance: Instance, build: () => Built, doors: HubDoors): Promise<Called> {
  const built = build();
  if (!built.ok) return { kind: "bad-request", message: built.message };
  const { connector } = instance;
  const taken = await doors.turn?.take();
  if (taken?.kind === "crowded") {
    const { until } = taken;
    const message = `The rate budget of ${connector.name} has no room before ${new Date(until).toISOString()}`;
    return { kind: "crowded", message, until };
  }
  const { answer } = await send(connector, built.request, doors);
  if (answer.kind !== "vendor-error") return answer;
  const until = limitedUntil(answer, connector.rateLimit, Date.now());
  if (until === undefined) return answer;
  await doors.turn?.refused(until);
  return { ...answer, limited: true, retryAt: until };
}

async function send(
  connector: Connector,
  { url, method, headers, body }: VendorRequest,
  { config }: HubDoors,
): Promise<{ answer: ReadAnswer; text: string }> {
  const answer = await request(
    {
      url,
      method,
      headers,
      timeoutMs: TIMEOUT_MS,
      mostBytes: MOST_BYTES,
      ...(body === undefined ? {} : { body }),
    },
    config.egress,
  );
  const text = answer.kind === "answered" ? answer.text : "";
  return { answer: readAnswer(answer, connector.name, Date.now()), text };
}

type Renewed = { kind: "renewed"; grant: Record<string, string> } | HubFailure;

/** Longer than a token request may take, so that a lease runs out only when its holder is gone. */
const LEASE_MS = 45_000;
const LEASE_LOOK_MS = 200;

/** Renewals that run in this isolate. One whose request was cut off never settles: it counts until then. */
const renewals = new Map<number, { promise: Promise<Renewed>; until: number }>();

/** Gives the instance a newer grant than the one it has. @returns what prevents it. */
async function renew(instance: Instance, doors: HubDoors): Promise<HubFailure | undefined> {
  const renewed = await joinRenewal(instance, doors);
  if (renewed.kind !== "renewed") return renewed;
  instance.configuration = { ...instance.configuration, ...renewed.grant };
  return undefined;
}

function joinRenewal(instance: Instance, doors: HubDoors): Promise<Renewed> {
  const running = renewals.get(instance.id);
  const now = Date.now();
  if (running !== undefined && running.until > now)
    return Promise.race([running.promise, tooSlow(running.until - now)]);
  const promise = renewUnderLease(instance, doors).finally(() => {
    if (renewals.get(instance.id)?.promise === promise) renewals.delete(instance.id);
  });
  renewals.set(instance.id, { promise, until: now + 2 * LEASE_MS });
  // A caller that hangs up must not take a rotated token with it.
  waitUntil(promise.catch(() => undefined));
  return promise;
}

async function tooSlow(ms: number): Promise<Renewed> {
  await scheduler.wait(ms);
  return { kind: "unreachable", message: "The token refresh takes too long" };
}

/** One token request at a time over all isolates: who has no lease waits for the holder's grant. */
async function renewUnderLease(instance: Instance, doors: HubDoors): Promise<Renewed> {
  const { db, config } = doors;
  const ring = keyring(config.masterKeys);
  const giveUpAt = Date.now() + 2 * LEASE_MS;
  for (;;) {
    const now = Date.now();
    const isHolder = await takeRefreshLease(db, instance.id, now + LEASE_MS, now);
    const current = await readInstance(db, ring, instance.id);
    if (current === undefined) return unauthorized(instance, "It was deleted");
    const grant = newerGrant(instance, current);
    if (isHolder) {
      if (grant === undefined) return requestGrant(current, ring, doors);
      await releaseRefreshLease(db, instance.id);
    }
    if (grant !== undefined) return { kind: "renewed", grant };
    if (!current.valid)
      return unauthorized(instance, current.invalidReason ?? "It is not authenticated");
    if (now > giveUpAt) return tooSlow(0);
    await scheduler.wait(LEASE_LOOK_MS);
  }
}

/** The stored grant when it is another than the one `instance` was read with. */
function newerGrant(instance: Instance, current: Instance): Record<string, string> | undefined {
  const [old, now] = [instance, current].map((it) => grantIn(it.connector, it.configuration));
  return now?.["oauth.user.token"] === old?.["oauth.user.token"] ? undefined : now;
}

/** The token request itself, under the lease. The new grant is stored before anybody uses it. */
async function requestGrant(instance: Instance, ring: Keyring, doors: HubDoors): Promise<Renewed> {
  const { db } = doors;
  const { connector, configuration } = instance;
  if (!instance.valid)
    return release(instance, doors, unauthorized(instance, instance.invalidReason ?? ""));
  const refreshToken = configuration["oauth.user.refresh_token"] ?? "";
  if (refreshToken === "")
    return refused(instance, "The token has ended and there is no refresh token", ring, doors);
  const built = tokenRequest(instance, { type: "refresh_token", refreshToken });
  if (!built.ok) return refused(instance, built.message, ring, doors);
  const { answer, text } = await send(connector, built.request, doors);
  if (answer.kind !== "json") {
    const parsed = parseExactly(text);
    return answer.kind === "vendor-error" &&
      parsed.ok &&
      isRefusedForGood(answer.status, parsed.value)
      ? refused(instance, answer.providerMessage, ring, doors)
      : release(instance, doors, answer);
  }
  const read = readGrant(connector, answer.value, Date.now());
  if (!read.ok) return release(instance, doors, { kind: "unreachable", message: read.message });
  await saveSurely(() => saveGrant(db, ring, instance.id, read.configuration, Date.now()));
  return {
    kind: "renewed",
    grant: { ...grantIn(connector, configuration), ...read.configuration },
  };
}

/** The refresh was refused for good, unless somebody stored another grant meanwhile. */
async function refused(
  instance: Instance,
  reason: string,
  ring: Keyring,
  { db }: HubDoors,
): Promise<Renewed> {
  const current = await readInstance(db, ring, instance.id);
  const grant = current === undefined ? undefined : newerGrant(instance, current);
  if (grant !== undefined) return { kind: "renewed", grant };
  await markInvalid(db, instance.id, reason, Date.now());
  return unauthorized(instance, reason);
}

async function release(
  instance: Instance,
  { db }: HubDoors,
  failure: HubFailure,
): Promise<HubFailure> {
  await releaseRefreshLease(db, instance.id);
  return failure;
}

const SAVE_TRIES = 4;

/** A rotated refresh token exists nowhere else: a passing trouble of the database must not lose it. */
async function saveSurely(save: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await save();
    } catch (error) {
      if (tries === SAVE_TRIES) throw error;
      await scheduler.wait(tries * 250);
    }
  }
}

function unauthorized({ connector }: Instance, reason: string): HubFailure {
  return {
    kind: "unauthorized",
    message: `The instance must be authenticated with ${connector.name} again: ${reason}`,
  };
}
