import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import type { State } from "../../accounts/audited-values";
import { watchChange } from "../../accounts/watch.io";
import { readConfig } from "../../config";
import { type Keyring, keyring } from "../../db/sealed";
import type { DestinationRecord } from "../../delivery/destination";
import { endpointName } from "../../delivery/endpoint-name";
import { countExceptions } from "../../delivery/exceptions.store";
import { BUCKET_MS } from "../../metering/rollup";
import { readRollups } from "../../metering/store";
import { readDestinationRecord } from "../../delivery/destinations.store";
import { notFound } from "../../http/refusal";
import { reachesDestination, reachOf } from "../reach";
import { type DestinationView, destinationView } from "./view";

const DAY_MS = 86_400_000;
/** The most bytes of a request about a destination. */
export const BODY_BYTES = 2 * 1024 * 1024;

export const ringOf = (c: Context<AskerEnv>): Keyring => keyring(readConfig(c.env).masterKeys);

/** The destination that the path's `:id` names. @throws Refusal `not-found` when there is none that the asker reaches. */
export async function destinationOfPath(c: Context<AskerEnv>): Promise<DestinationRecord> {
  const id = c.req.param("id") ?? "";
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
function stateOf({ destination, keys, retryDelays }: DestinationRecord): State {
  const { url, enabled, active, policy, headers, legacyKey } = destination;
  const signedBy = keys.map(({ id, algorithm, expiresAt }) => ({ id, algorithm, expiresAt }));
  return { url, enabled, active, ...policy, headers, retryDelays, legacyKey, signedBy };
}

/** Destinations as `/v1` prints them: with circuit, figures of the last day, and how much is dead or pending. */
export async function withHealth(
  c: Context<AskerEnv>,
  records: readonly DestinationRecord[],
): Promise<DestinationView[]> {
  const { organizationId } = c.var.asker;
  const now = Date.now();
  const only = records.length === 1 ? records[0]?.destination.id : undefined;
  const [rollups, troubled, circuits] = await Promise.all([
    readRollups(
      c.env.DB,
      organizationId,
      now - DAY_MS - BUCKET_MS,
      now,
      only === undefined ? undefined : { sources: [], destinations: [only] },
    ),
    countExceptions(
      c.env.DB,
      organizationId,
      records.map(({ destination }) => destination.id),
    ),
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
      counts: rollups
        .filter(({ destinationId }) => destinationId === record.destination.id)
        .map(({ counts }) => counts),
      troubled: troubled.get(record.destination.id) ?? { dead: 0, pending: 0 },
    }),
  );
}
