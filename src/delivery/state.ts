import type { TenantTerms } from "../accounts/tenants/tenant";
import { isoText, type Millis } from "../values/instant";

/** Who or what switched a destination off, when, and why; as its row holds it. */
export type Pause = { by: "owner" | "receiver" | "exhaustion"; since: Millis; because: string };
/** Since when nothing has been delivered to a destination, and what its first failure was; as its row holds it. */
export type Failing = { since: Millis; because: string };

/** What is read of a destination to tell its state. */
export type Standing = {
  enabled: boolean;
  active: boolean;
  paused: Pause | null;
  failing: Failing | null;
  /** What its tenant says of all that is its; null: it has none. */
  terms?: TenantTerms | null;
};

export type StateName =
  | "active"
  | "degraded"
  | `paused by ${Pause["by"]}`
  | "paused by owner or receiver"
  | "paused by tenant";

/**
 * How a destination stands, since when and why. `degraded`: its last calls failed, and are tried again. `since` is null
 * for an active one, and for one that an earlier version switched off.
 */
export type DestinationState = { name: StateName; since: Millis | null; because: string | null };

/** The one place that names the state of a destination: whatever shows one asks here. */
export function destinationState(standing: Standing): DestinationState {
  const { enabled, active, paused, failing, terms } = standing;
  if (enabled && active && terms?.isOff === true)
    return {
      name: "paused by tenant",
      since: null,
      because: `Its tenant '${terms.id}' is disabled`,
    };
  if (enabled && active)
    return failing === null
      ? { name: "active", since: null, because: null }
      : { name: "degraded", ...failing };
  if (paused !== null)
    return { name: `paused by ${paused.by}`, since: paused.since, because: paused.because };
  // Rows of an earlier version: they tell only which of the two switches is off.
  const because = "It was switched off by an earlier version, which did not note when and why";
  const name = enabled ? "paused by exhaustion" : "paused by owner or receiver";
  return { name, since: null, because };
}

/** Whether what is to be delivered to it is delivered. */
export const isOn = ({
  enabled,
  active,
  terms,
}: Pick<Standing, "enabled" | "active" | "terms">): boolean =>
  enabled && active && terms?.isOff !== true;

export const isPaused = ({ name }: DestinationState): boolean => name.startsWith("paused");

/** Whether enabling it by itself lets what waits for it go. */
export const isEnabledByItself = (state: DestinationState): boolean =>
  isPaused(state) && state.name !== "paused by tenant";

/** A state as every surface prints it: `since` in ISO 8601. */
export function stateView({ name, since, because }: DestinationState): {
  name: StateName;
  since: string | null;
  because: string | null;
} {
  return { name, since: since === null ? null : isoText(since), because };
}

/** A state in a sentence's middle: `paused by exhaustion since 2026-11-21T20:00:00.000Z (Answered with 500)`. */
export function stateText(state: DestinationState): string {
  const since = state.since === null ? "" : ` since ${isoText(state.since)}`;
  return `${state.name}${since}${state.because === null ? "" : ` (${state.because})`}`;
}
