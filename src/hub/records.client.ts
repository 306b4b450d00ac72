import type { Operation } from "../connectors/definition";
import { limitedUntil } from "./budget/limit";
import { silenceOf } from "./course";
import { authenticationOf } from "../instances/configuration";
import type { Instance } from "../instances/instance";
import type { HubFailure, ReadAnswer } from "./answer";
import { renew, unauthorized } from "./refresh.client";
import { type HubQuery, planList } from "./list";
import { type ListPage, readList } from "./read-list";
import { tokenState } from "./oauth";
import { type Built, buildRequest, findResource } from "./request";
import { type HubDoors, send } from "./request.client";
import { readPath } from "../values/path";
import { isoText } from "../values/instant";
import { copyDigits } from "../values/digits";

export type { HubFailure } from "./answer";
export type { HubQuery } from "./list";
export type { HubDoors } from "./request.client";

export type HubPage =
  /** `silent`: the answer had no content, which may as well be the vendor's trouble. */
  ({ kind: "page" } & Omit<Extract<ListPage, { ok: true }>, "ok">) | HubFailure;
export type HubRecord = { kind: "record"; record: unknown } | HubFailure;

/** One page of a resource. Whole numbers above 2^53 become texts, so that no digit is lost. */
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
  const { ok: _, ...listed } = page;
  return { kind: "page", ...listed };
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
  const record = readPath(answer.value, get.root) ?? null;
  if (record !== null) return { kind: "record", record };
  const message = `No record '${id}' in '${resource}'`;
  return { kind: "vendor-error", status: 404, message, providerMessage: "" };
}

/** Creates, changes or deletes a record. @returns the record in the vendor's answer, null if there is none. */
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
    for (const name of operation.take) taken[name] = readPath(current.record, name);
  }
  const given = copyDigits(write.body ?? {}, { ...taken, ...write.body });
  const hasBody = write.kind !== "delete" || operation.take.length > 0;
  const answer = await call(
    instance,
    () => buildRequest(instance, operation, { pathValues, ...(hasBody ? { body: given } : {}) }),
    doors,
  );
  if (answer.kind !== "json") return answer;
  return { kind: "record", record: readPath(answer.value, operation.root) ?? null };
}

/** Any other request of the vendor's API: of a change feed, or to register a webhook. */
export async function callVendor(
  instance: Instance,
  operation: Pick<Operation, "method" | "path" | "query" | "body">,
  doors: HubDoors,
): Promise<{ kind: "json"; value: unknown } | HubFailure> {
  const answer = await call(instance, () => buildRequest(instance, operation), doors);
  return answer.kind === "json" ? { kind: "json", value: answer.value } : answer;
}

/** Whether the vendor accepts this instance's credentials. */
export async function ping(
  instance: Instance,
  doors: HubDoors,
): Promise<{ kind: "answered" } | HubFailure> {
  const operation = instance.connector.ping;
  if (operation === undefined) return { kind: "answered" };
  const answer = await call(instance, () => buildRequest(instance, operation), doors);
  return answer.kind === "json" ? { kind: "answered" } : answer;
}

type Called = Extract<ReadAnswer, { kind: "json" }> | HubFailure;

/** A call; the poll that it belongs to hears whether there was an answer. */
async function call(instance: Instance, build: () => Built, doors: HubDoors): Promise<Called> {
  const called = await callWithToken(instance, build, doors);
  if (called.kind === "json") doors.course?.heard(undefined);
  else if (called.kind === "vendor-error" || silenceOf(called) !== undefined)
    doors.course?.heard(silenceOf(called));
  return called;
}

/**
 * Calls with a token that has not expired. Should the vendor refuse it with 401, it is refreshed and tried
 * again, once.
 */
async function callWithToken(
  instance: Instance,
  build: () => Built,
  doors: HubDoors,
): Promise<Called> {
  const { type } = authenticationOf(instance.connector, instance.configuration);
  if (type !== "oauth2") return callOnce(instance, build, doors);
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
  const now = Date.now();
  if (doors.course?.mayAsk(now) === false)
    return { kind: "crowded", message: "This poll has read as much as one may", until: now };
  const taken = await doors.slots?.take();
  if (taken?.kind === "crowded") {
    const { until } = taken;
    const message = `The rate budget of ${connector.name} has no room before ${isoText(until)}`;
    return { kind: "crowded", message, until };
  }
  const { answer, text } = await send(connector, built.request, doors);
  doors.course?.read(text.length);
  if (answer.kind !== "vendor-error") return answer;
  const until = limitedUntil(answer, connector.rateLimit, Date.now());
  if (until === undefined) return answer;
  await doors.slots?.refused(until);
  return { ...answer, limited: true, retryAt: until };
}
