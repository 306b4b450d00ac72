import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { differences, type State } from "../../accounts/audited-values";
import { watchChange } from "../../accounts/watch.io";
import { readConfig } from "../../config";
import { type Keyring, keyring } from "../../db/sealed";
import type { DestinationRecord } from "../../delivery/destination";
import { endpointName } from "../../delivery/endpoint-name";
import { countExceptions } from "../../delivery/exceptions.store";
import { destinationsOfDay } from "../../metering/store";
import { noCounts } from "../../metering/count";
import { readDestinationRecord } from "../../delivery/destinations.store";
import { notFound } from "../../http/refusal";
import { reachesDestination, reachOf } from "../reach";
import { type DestinationView, destinationView } from "./view";

/** The most bytes of a request about a destination. */
export const BODY_BYTES = 2 * 1024 * 1024;

export const ringOf = (c: Context<AskerEnv>): Keyring => keyring(readConfig(c.env).masterKeys);

/** The destination that the path's `:id` names. @throws Refusal `not-found` when there is none that the asker reaches. */
export const destinationOfPath = (c: Context<AskerEnv>): Promise<DestinationRecord> =>
  destinationOf(c, c.req.param("id") ?? "");

/** A destination by its id. @throws Refusal `not-found` when there is none that the asker reaches. */
export async function destinationOf(c: Context<AskerEnv>, id: string): Promise<DestinationRecord> {
  const { organizationId } = c.var.asker;
  const record = reachesDestination(reachOf(c.var.asker), id)
    ? await readDestinationRecord(c.env.DB, ringOf(c), organizationId, id)
    : undefined;
  if (record === undefined) throw notFound(`No destination '${id.slice(0, 100)}'`);
  watchChange(
    c,
    () => stateOf(record),
    async () => {
      const now = await readDestinationRecord(c.env.DB, ringOf(c), organizationId, id);
      return now && stateOf(now);
    },
  );
  return record;
}

/** What the audit log compares of a destination. */
function stateOf({ destination, traits, keys, retryDelays }: DestinationRecord): State {
  const { url, enabled, active, headers, legacyKey, signature, auth } = destination;
  const { signature: _signature, auth: _auth, ...policy } = destination.policy;
  const signedBy = keys.map(({ id, algorithm, expiresAt }) => ({ id, algorithm, expiresAt }));
  const { selectors, ...named } = traits ?? {};
  const served = { ...policy, headers, retryDelays, legacyKey, signedBy, signature, auth };
  return { url, enabled, active, ...named, ...selectors, ...served };
}

/** Whether a destination is as it was before, secrets and all. */
export function isSame(before: DestinationRecord, after: DestinationRecord): boolean {
  const found = differences(stateOf(before), stateOf(after));
  return Object.keys({ ...found.before, ...found.after }).length === 0;
}

/** Destinations as `/v1` prints them: with circuit, figures of the last day, and how much is dead or pending. */
export async function withHealth(
  c: Context<AskerEnv>,
  records: readonly DestinationRecord[],
): Promise<DestinationView[]> {
  const { organizationId } = c.var.asker;
  const now = Date.now();
  const ids = records.map(({ destination }) => destination.id);
  const [counts, troubled, circuits] = await Promise.all([
    destinationsOfDay(c.env.DB, organizationId, ids, now),
    countExceptions(c.env.DB, organizationId, ids),
    Promise.all(
      records.map(async ({ destination: { url } }) =>
        url === null
          ? null
          : await c.env.ENDPOINTS.getByName(endpointName(organizationId, url)).view(),
      ),
    ),
  ]);
  return records.map((record, index) =>
    destinationView(record, {
      circuit: circuits[index] ?? { state: "closed", openedAt: null, nextProbeAt: null },
      counts: counts.get(record.destination.id) ?? noCounts(),
      troubled: troubled.get(record.destination.id) ?? { dead: 0, pending: 0 },
    }),
  );
}
