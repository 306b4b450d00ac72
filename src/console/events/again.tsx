import type { JSX } from "hono/jsx/jsx-runtime";
import { useContext } from "hono/jsx";
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
  return (
    <details class="again" {...isOpen}>
      <summary>Deliver again</summary>
      <form class="filters" method="post" action={replayAddress(source)}>
        <Field asked={asked} name="from" label="Events received since (UTC)" isTime />
        <Field asked={asked} name="to" label="until (UTC)" isTime />
        <label>
          <span>To</span>
          <select name="destinationId">
            <option value="">where they went before</option>
            {destinations.map(([value, called]) => (
              <option value={value} selected={value === asked?.typed.destinationId}>
                {called}
              </option>
            ))}
          </select>
          <Fault asked={asked} name="destinationId" />
        </label>
        <Field asked={asked} name="objectType" label="Of this object type" />
        <Field asked={asked} name="eventType" label="Of this event type" />
        <button>Replay the range</button>
      </form>
      {recovers === undefined ? null : (
        <form
          class="filters"
          method="post"
          action={`/console/destinations/${encodeURIComponent(recovers[0])}/recover`}
        >
          <input type="hidden" name="source" value={source} />
          <label>
            <span>Died on the way to {recovers[1]} since (UTC)</span>
            <input type="datetime-local" step="1" name="since" required />
          </label>
          <button>Recover</button>
        </form>
      )}
    </details>
  );
}

function Fault({
  asked,
  name,
}: {
  asked: Asked | undefined;
  name: AgainField;
}): JSX.Element | null {
  const fault = asked?.faults[name];
  return fault === undefined ? null : (
    <span class="fault" id={`again-${name}`}>
      {fault}
    </span>
  );
}

function Field(props: {
  asked: Asked | undefined;
  name: AgainField;
  label: string;
  isTime?: boolean;
}): JSX.Element {
  const { asked, name, label, isTime = false } = props;
  const isWrong = asked?.faults[name] !== undefined;
  return (
    <label>
      <span>{label}</span>
      <input
        type={isTime && !isWrong ? "datetime-local" : "text"}
        {...(isTime ? { step: "1" } : {})}
        name={name}
        value={asked?.typed[name] ?? ""}
        {...(isWrong ? { "aria-invalid": "true", "aria-describedby": `again-${name}` } : {})}
      />
      <Fault asked={asked} name={name} />
    </label>
  );
}
