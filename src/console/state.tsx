import type { JSX } from "hono/jsx/jsx-runtime";
import { type DestinationState, isPaused } from "../delivery/state";
import { Instant, Pill } from "./parts";

/** How a destination stands, since when and why. */
export function State({ state, now }: { state: DestinationState; now: number }): JSX.Element {
  const { name, since, because } = state;
  const calm = name === "active" ? "good" : "wait";
  return (
    <>
      <Pill tone={isPaused(state) ? "bad" : calm}>{name}</Pill>
      {since === null ? null : (
        <span class="event small quiet">
          since <Instant at={since} now={now} />
        </span>
      )}
      {because === null ? null : <span class="event small quiet">{because}</span>}
    </>
  );
}

/** A state as `/v1` prints it, read back. */
export const stateOf = (shown: {
  name: DestinationState["name"];
  since: string | null;
  because: string | null;
}): DestinationState => ({
  ...shown,
  since: shown.since === null ? null : Date.parse(shown.since),
});
