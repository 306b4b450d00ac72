import type { DestinationRecord } from "../../delivery/destination";
import { STANDARD } from "../../delivery/backoff";
import type { EndpointView } from "../../delivery/endpoint.object";
import { add, type Counts, noCounts, percentile } from "../../metering/count";
import { maskedHeaders, maskedUrl } from "../../values/secret-text";
import { isoText } from "../../values/instant";

export type Health = {
  circuit: EndpointView;
  /** Of the last 24 hours. */
  counts: readonly Counts[];
  troubled: { dead: number; pending: number };
};

/** A destination as `/v1` prints it; secrets masked. */
export function destinationView(record: DestinationRecord, health: Health) {
  const { destination, keys, retryDelays } = record;
  const total = noCounts();
  for (const counts of health.counts) add(total, counts);
  const { state, openedAt, nextProbeAt } = health.circuit;
  return {
    id: destination.id,
    kind: destination.kind,
    ownerId: destination.ownerId,
    url: maskedUrl(destination.url),
    enabled: destination.enabled,
    status: statusOf(record, health, total),
    circuit: {
      state,
      openedAt: openedAt === null ? null : isoText(openedAt),
      nextProbeAt: nextProbeAt === null ? null : isoText(nextProbeAt),
    },
    rate: destination.policy.ratePerSecond ?? null,
    ordering: destination.policy.ordering ?? "none",
    deadHead: destination.policy.deadHead ?? "skip",
    retrySchedule: retryDelays ?? STANDARD_DELAYS,
    signing: {
      keys: keys.map(({ id, algorithm, createdAt, expiresAt }) => ({
        id,
        algorithm,
        createdAt: isoText(createdAt),
        expiresAt: expiresAt === null ? null : isoText(expiresAt),
      })),
    },
    filter: destination.policy.filter ?? null,
    transform: destination.policy.transform ?? null,
    headers: maskedHeaders(destination.headers),
    stats: {
      delivered24h: total.delivered,
      failed24h: total.failed,
      dead: health.troubled.dead,
      pending: health.troubled.pending,
      p50Ms: percentile(total.durations, 0.5),
      p99Ms: percentile(total.durations, 0.99),
    },
  };
}

export type DestinationView = ReturnType<typeof destinationView>;

const STANDARD_DELAYS = STANDARD.kind === "before-each-try" ? STANDARD.delaysSeconds : [];

export type DestinationStatus = "healthy" | "degraded" | "open" | "disabled";

function statusOf(
  { destination }: DestinationRecord,
  { circuit }: Health,
  total: Counts,
): DestinationStatus {
  if (!destination.enabled || !destination.active) return "disabled";
  if (circuit.state !== "closed") return "open";
  return total.failed > 0 && total.failed >= total.delivered / 20 ? "degraded" : "healthy";
}
