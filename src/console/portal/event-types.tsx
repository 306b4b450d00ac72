import type { JSX } from "hono/jsx/jsx-runtime";
import type { EventTypeView } from "../../event-types/event-type";
import { Empty, Pill } from "../parts";

/** The types of events that an endpoint may hear of. */
export function EventTypeList(props: {
  types: readonly EventTypeView[];
  next: string | null;
}): JSX.Element {
  const { types, next } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Event types</h1>
          <p class="quiet">What your endpoints may hear of</p>
        </div>
      </div>
      {types.length === 0 ? (
        <Empty
          title="No event type is described yet"
          text="An endpoint without types hears of everything that is sent to you."
        />
      ) : (
        <div class="stack">
          {types.map((type) => (
            <EventType type={type} />
          ))}
        </div>
      )}
      {next === null ? null : (
        <p class="more">
          <a href={next}>More</a>
        </p>
      )}
    </>
  );
}

function EventType({ type }: { type: EventTypeView }): JSX.Element {
  const { name, description, version, deprecated, example, schema } = type;
  return (
    <section class="card">
      <h2>
        {name} {deprecated ? <Pill tone="wait">deprecated</Pill> : null}
      </h2>
      <p class="quiet">
        {description === "" ? "" : `${description} · `}version {version}
      </p>
      {example === null ? null : <Json label="An example" value={example} />}
      {schema === null ? null : <Json label="JSON Schema" value={schema} />}
    </section>
  );
}

const Json = ({ label, value }: { label: string; value: unknown }): JSX.Element => (
  <details>
    <summary>{label}</summary>
    <pre>{JSON.stringify(value, null, 2)}</pre>
  </details>
);
