import type { Destination, DestinationRecord, EndpointTraits } from "../../delivery/destination";
import { STANDARD } from "../../delivery/backoff";
import type { EndpointView } from "../../delivery/endpoint.object";
import { deactivationOf, GONE } from "../../delivery/standing";
import { type DestinationState, destinationState, isPaused, stateView } from "../../delivery/state";
import { type Counts, percentile } from "../../metering/count";
import { maskedHeaders, maskedUrl } from "../../values/secret-text";
import { isoText } from "../../values/instant";
import { sendingView } from "./sending-fields";

export type Health = {
  circuit: EndpointView;
  /** Of the last 24 hours. */
  counts: Counts;
  troubled: { dead: number; pending: number };
};

/** A destination as `/v1` prints it; secrets masked. */
export function destinationView(record: DestinationRecord, health: Health) {
  const { destination, traits, keys, retryDelays } = record;
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
    state: { ...stateView(state), ...standingOf(state, health) },
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
      keys: keys.map(({ id, algorithm, createdAt, expiresAt, publicKey }) => ({
        id,
        algorithm,
        publicKey,
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
    ...(traits === null ? {} : endpointView(destination, traits)),
  };
}

/** What only an endpoint has. */
function endpointView(destination: Destination, traits: EndpointTraits) {
  const { tenant, policy } = destination;
  const { name, description, metadata, selectors } = traits;
  const { format = "tributary", batch = null, debounceMs = null, schemaVersion = null } = policy;
  const told = { format, batch, debounceMs, schemaVersion };
  const sending = sendingView(destination);
  return { name, tenant, description, ...selectors, ...told, ...sending, metadata };
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

/** The state in one word, and who or what brought it about. */
function standingOf(
  { name, because }: DestinationState,
  { circuit }: Health,
): {
  is: "active" | "degraded" | "paused";
  by: "operator" | "tenant" | "exhausted" | "gone" | "receiver" | "circuit" | null;
} {
  switch (name) {
    case "active":
      return { is: name, by: null };
    case "degraded":
      return { is: name, by: circuit.state === "closed" ? null : "circuit" };
    case "paused by owner":
      return { is: "paused", by: "operator" };
    case "paused by tenant":
      return { is: "paused", by: "tenant" };
    case "paused by exhaustion":
      return { is: "paused", by: "exhausted" };
    case "paused by receiver":
      return { is: "paused", by: because === GONE ? "gone" : "receiver" };
    case "paused by owner or receiver":
      return { is: "paused", by: null };
  }
}
