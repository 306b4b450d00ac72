import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { findTenant } from "../../accounts/tenants/known.store";
import { tenantId } from "../../accounts/tenants/tenant";
import { readConfig } from "../../config";
import { certificateOf } from "../../delivery/certificates.io";
import type { DestinationRecord } from "../../delivery/destination";
import { endpointName } from "../../delivery/endpoint-name";
import { MOST_ENDPOINTS } from "../../delivery/endpoints.store";
import { changePolicy } from "../../delivery/policy.store";
import { createEndpoint, deleteEndpoint } from "../../delivery/save-endpoint.store";
import { parse } from "../../http/body";
import { conflict, type Violation } from "../../http/refusal";
import { recordOf } from "../../values/record";
import { unmaskedUrl } from "../../values/secret-text";
import { defaultSelectors, endpointFaults, traitsIn } from "./endpoint-fields";
import { changeRequest, type DestinationChange, endpointRequest, unchangeable } from "./fields";
import { ringOf } from "./lookup.io";
import type { World } from "./auth-fields";
import { sendingFaults } from "./sending-fields";
import { toldFaults } from "./told-fields";
import { startRecovery } from "./recovery.io";

/**
 * Makes an endpoint of what was sent. @returns its id. @throws Refusal `invalid` that tells all faults, `conflict` for a name
 * that is taken, and where its tenant has as many as it may.
 */
export async function makeEndpoint(c: Context<AskerEnv>, body: unknown): Promise<string> {
  const { organizationId } = c.var.asker;
  const request = parse(endpointRequest, body, "", [
    ...endpointFaults(body, readConfig(c.env).egress),
    ...toldFaults(body, {}),
    ...sendingFaults(body, { policy: {}, headers: {} }, worldOf(c)),
    ...(await tenantFaults(c, body)),
  ]);
  const { tenant = null, enabled = true, headers = {}, url, ...served } = request;
  const traits = traitsIn(request);
  const created = await createEndpoint(
    c.env.DB,
    ringOf(c),
    organizationId,
    {
      name: traits.name ?? null,
      description: traits.description ?? null,
      metadata: traits.metadata ?? {},
      selectors: { ...defaultSelectors(tenant), ...traits.selectors },
      tenant,
      url,
      enabled,
      headers,
      served: servedIn(served),
    },
    Date.now(),
  );
  switch (created.kind) {
    case "created":
      reachMade(c, created.id);
      return created.id;
    case "name-taken":
      throw nameTaken(traits.name);
    case "full": {
      const whose = tenant === null ? "Without a tenant there are" : `The tenant '${tenant}' has`;
      throw conflict(`${whose} ${MOST_ENDPOINTS} destinations already, as many as there may be`);
    }
  }
}

const worldOf = (c: Context<AskerEnv>): World => ({
  egress: readConfig(c.env).egress,
  certificate: (name) => certificateOf(c.env, name, c.var.asker.organizationId),
});

/** A key that is limited to tenants reaches what was just made for one of them. */
function reachMade(c: Context<AskerEnv>, id: string): void {
  const { asker } = c.var;
  const { limits } = asker;
  if (limits !== undefined)
    c.set("asker", { ...asker, limits: { ...limits, destinations: [...limits.destinations, id] } });
}

/**
 * A tenant that isn't there, or that the asker's key doesn't reach, where one of the right form is named; and that none is, by
 * a key with limits, which could not see what it made.
 */
async function tenantFaults(c: Context<AskerEnv>, body: unknown): Promise<Violation[]> {
  const { organizationId, limits } = c.var.asker;
  const { tenant: given = null } = recordOf(body);
  if (given === null && limits !== undefined)
    return [{ field: "tenant", message: "Expected a tenant that the key is limited to" }];
  const named = tenantId.safeParse(given);
  if (!named.success) return [];
  const isReached = limits === undefined || limits.tenants.includes(named.data);
  const tenant = isReached ? await findTenant(c.env.DB, organizationId, named.data) : undefined;
  return tenant === undefined ? [{ field: "tenant", message: `No tenant '${named.data}'` }] : [];
}

/**
 * Changes a destination. @returns what was changed. @throws Refusal `invalid` that tells all faults, `conflict` for a name
 * that is taken.
 */
export async function changeDestination(
  c: Context<AskerEnv>,
  { destination }: DestinationRecord,
  body: unknown,
): Promise<DestinationChange> {
  const { kind, tenant, policy } = destination;
  const given = withUrl(body, destination.url);
  const faults =
    kind === "endpoint"
      ? [
          ...endpointFaults(given, readConfig(c.env).egress, { tenant }),
          ...toldFaults(given, policy),
          ...sendingFaults(given, destination, worldOf(c)),
        ]
      : unchangeable(kind, given);
  const changes = parse(changeRequest, given, "", faults);
  const { url, name, headers, enabled } = changes;
  const change = { ...servedIn(changes), enabled, headers, url, traits: traitsIn(changes) };
  await changePolicy(c.env.DB, ringOf(c), destination, change, Date.now()).catch(
    (error: unknown) => {
      throw isNameTaken(error) ? nameTaken(name) : error;
    },
  );
  if (url !== undefined && url !== destination.url) await leaveEndpoint(c, destination);
  return changes;
}

/** Deletes an endpoint. What waits for it dies; nothing is delivered to it any more. */
export async function removeEndpoint(
  c: Context<AskerEnv>,
  { destination }: DestinationRecord,
): Promise<void> {
  const { id, kind, organizationId } = destination;
  if (kind !== "endpoint")
    throw conflict("It goes with its owner: delete the instance, subscription, webhook or flow");
  await deleteEndpoint(c.env.DB, organizationId, destination);
  await leaveEndpoint(c, destination);
  await startRecovery(c, id, { kind: "end", from: 0 });
}

/**
 * What waits for an open circuit of the address that a destination had is tried at its next one, or ends. Should the
 * object not do it, as one of the version before that knows no `leave`, it comes back by itself within hours.
 */
async function leaveEndpoint(
  c: Context<AskerEnv>,
  { id, organizationId, url }: DestinationRecord["destination"],
): Promise<void> {
  if (url === null) return;
  const endpoint = c.env.ENDPOINTS.getByName(endpointName(organizationId, url));
  await endpoint.leave(id).catch((error: unknown) => {
    console.warn(JSON.stringify({ at: "endpoint.leave", error: String(error) }));
  });
}

/** The fields that say how a destination is served. */
function servedIn({
  rate,
  ordering,
  deadHead,
  deactivate,
  retrySchedule,
  filter,
  transform,
  format,
  batch,
  debounceMs,
  schemaVersion,
  timeoutMs,
  concurrency,
  signature,
  auth,
}: DestinationChange) {
  const own = { format, batch, debounceMs, schemaVersion, timeoutMs, concurrency, signature, auth };
  return { rate, ordering, deadHead, deactivate, retrySchedule, filter, transform, ...own };
}

/** With the stored credentials of its URL in the place of their masks. */
function withUrl(body: unknown, stored: string | null): unknown {
  const { url } = recordOf(body);
  return typeof url === "string"
    ? { ...recordOf(body), url: unmaskedUrl(url, stored ?? "") }
    : body;
}

const isNameTaken = (error: unknown): boolean =>
  error instanceof Error && `${error.message} ${String(error.cause)}`.includes("UNIQUE constraint");

const nameTaken = (name: string | null | undefined) =>
  conflict(`Another destination has the name '${name ?? ""}' already`, "name");
