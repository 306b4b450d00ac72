import type { DestinationRecord } from "../../delivery/destination";
import { STANDARD } from "../../delivery/backoff";
import type { EndpointView } from "../../delivery/endpoint.object";
import { deactivationOf } from "../../delivery/standing";
import { type DestinationState, destinationState, isPaused, stateView } from "../../delivery/state";
import { type Counts, percentile } from "../../metering/count";
import { maskedHeaders, maskedUrl } from "../../values/secret-text";
import { isoText } from "../../values/instant";

export type Health = {
  circuit: EndpointView;
  /** Of the last 24 hours. */
  counts: Counts;
  troubled: { dead: number; pending: number };
};

/** A destination as `/v1` prints it; secrets masked. */
export function destinationView(record: DestinationRecord, health: Health) {
  const { destination, keys, retryDelays } = record;
  const { delivered, failed, durations } = health.counts;
  const state = destinationState(destination);
  const { openedAt, nextProbeAt } = health.circuit;
  return {
    id: destination.id,
    kind: destination.kind,
    ownerId: destination.ownerId,
    url: maskedUrl(destination.url),
    enabled: !isPaused(state),
    status: statusOf(state, health),
    state: stateView(state),
    circuit: {
      state: health.circuit.state,
      openedAt: openedAt === null ? null : isoText(openedAt),
      nextProbeAt: nextProbeAt === null ? null : isoText(nextProbeAt),
    },
    rate: destination.policy.ratePerSecond ?? null,
    ordering: destination.policy.ordering ?? "none",
    deadHead: destination.policy.deadHead ?? "skip",
    deactivate: deactivationOf(destination),
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
      delivered24h: delivered,
      failed24h: failed,
      dead: health.troubled.dead,
      pending: health.troubled.pending,
      p50Ms: percentile(durations, 0.5),
      p99Ms: percentile(durations, 0.99),
    },
  };
}

export type DestinationView = ReturnType<typeof destinationView>;

const STANDARD_DELAYS = STANDARD.kind === "before-each-try" ? STANDARD.delaysSeconds : [];

export type DestinationStatus = "healthy" | "degraded" | "open" | "disabled";

/** The state and the circuit in the four words that lists are filtered by. */
function statusOf(state: DestinationState, { circuit }: Health): DestinationStatus {
  if (isPaused(state)) return "disabled";
  if (circuit.state !== "closed") return "open";
  return state.name === "degraded" ? "degraded" : "healthy";
}
