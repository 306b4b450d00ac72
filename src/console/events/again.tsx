import type { JSX } from "hono/jsx/jsx-runtime";
import { useContext } from "hono/jsx";
import { Choice as ChoiceField, Field, Instant } from "../form";
import { MayChange } from "../parts";
import type { Choice } from "./form";
import { replayAddress } from "./search";

/** A range of events as it was asked for, and what is wrong with it by field. */
export type Asked = {
  typed: Partial<Record<AgainField, string>>;
  faults: Partial<Record<AgainField, string>>;
};
export const AGAIN_FIELDS = ["from", "to", "destinationId", "objectType", "eventType"] as const;
export type AgainField = (typeof AGAIN_FIELDS)[number];

/** Delivers events of a source again: all of a range, or what died. Shown to whoever may change something. */
export function DeliverAgain(props: {
  source: string;
  destinations: readonly Choice[];
  /** Whose dead notifications may be recovered here. */
  recovers: Choice | undefined;
  asked: Asked | undefined;
}): JSX.Element | null {
  const { source, destinations, recovers, asked } = props;
  if (!useContext(MayChange)) return null;
  const isOpen = asked === undefined ? {} : { open: true };
  const aboutOf = (name: AgainField) => ({
    id: `again-${name}`,
    name,
    value: asked?.typed[name] ?? "",
    fault: asked?.faults[name],
  });
  return (
    <details class="again" {...isOpen}>
      <summary>Deliver again</summary>
      <form class="filters" method="post" action={replayAddress(source)}>
        <Instant {...aboutOf("from")} label="Events received since (UTC)" />
        <Instant {...aboutOf("to")} label="until (UTC)" />
        <ChoiceField
          {...aboutOf("destinationId")}
          label="To"
          of={[["", "where they went before"], ...destinations]}
        />
        <Field {...aboutOf("objectType")} label="Of this object type" />
        <Field {...aboutOf("eventType")} label="Of this event type" />
        <button>Replay the range</button>
      </form>
      {recovers === undefined ? null : (
        <form
          class="filters"
          method="post"
          action={`/console/destinations/${encodeURIComponent(recovers[0])}/recover`}
        >
          <input type="hidden" name="source" value={source} />
          <Instant
            id="recover-since"
            name="since"
            label={`Died on the way to ${recovers[1]} since (UTC)`}
            value=""
            required
          />
          <button>Recover</button>
        </form>
      )}
    </details>
  );
}
