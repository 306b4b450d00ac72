import type { JSX } from "hono/jsx/jsx-runtime";
import type { DestinationView } from "../../operations/destinations/view";
import { Faults, Field } from "../form";
import { Empty, IfMayChange, Pill, Table } from "../parts";
import type { Faults as FormFaults } from "../settings/faults";
import { State, stateOf } from "../state";
import { FIELDS, type Typed } from "./form";
import { Token } from "./page";

/** What an endpoint is called: its description, else its address. */
export type Shown = { view: DestinationView; description: string | null; eventTypes: string[] };

/** Endpoints of a tenant, and the form that adds one. */
export function EndpointList(props: {
  endpoints: readonly Shown[];
  next: string | null;
  typed: Typed;
  faults: FormFaults;
  now: number;
}): JSX.Element {
  const { endpoints, next, typed, faults, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Endpoints</h1>
          <p class="quiet">
            Where events are sent to, and how well they arrived in the last 24 hours
          </p>
        </div>
      </div>
      {endpoints.length === 0 ? (
        <Empty
          title="No endpoint yet"
          text="An endpoint is an address of yours that gets a signed POST for each event it hears of."
        />
      ) : (
        <Endpoints endpoints={endpoints} now={now} />
      )}
      {next === null ? null : (
        <p class="more">
          <a href={next}>More</a>
        </p>
      )}
      <IfMayChange>
        <h2>Add an endpoint</h2>
        <EndpointForm
          to="/portal/endpoints"
          typed={typed}
          faults={faults}
          label="Add the endpoint"
        />
      </IfMayChange>
    </>
  );
}

function Endpoints(props: { endpoints: readonly Shown[]; now: number }): JSX.Element {
  const { endpoints, now } = props;
  return (
    <Table
      heads={["Endpoint", "State", "Hears of", "Delivered", "Failed", "Waiting", "Dead"]}
      rows={endpoints.map(({ view, description, eventTypes }) => [
        <Name view={view} description={description} />,
        <State state={stateOf(view.state)} now={now} />,
        <HearsOf types={eventTypes} />,
        <span class="num">{view.stats.delivered24h}</span>,
        <span class="num">{view.stats.failed24h}</span>,
        <span class="num">{view.stats.pending}</span>,
        <span class="num">{view.stats.dead}</span>,
      ])}
    />
  );
}

function Name({ view, description }: Omit<Shown, "eventTypes">): JSX.Element {
  return (
    <>
      <a class="event" href={addressOf(view.id)}>
        {description ?? view.url}
      </a>
      {description === null ? null : <span class="small quiet">{view.url}</span>}
    </>
  );
}

const TYPES_SHOWN = 3;

/** The types of events that an endpoint hears of, as far as there is room. */
function HearsOf({ types }: { types: readonly string[] }): JSX.Element {
  if (types.includes("*")) return <span class="quiet">all types</span>;
  const more = types.length - TYPES_SHOWN;
  return (
    <>
      {types.slice(0, TYPES_SHOWN).map((type) => (
        <>
          <Pill tone="off">{type}</Pill>{" "}
        </>
      ))}
      {more > 0 ? <span class="quiet">and {more} more</span> : null}
    </>
  );
}

export const addressOf = (id: string): string => `/portal/endpoints/${encodeURIComponent(id)}`;

const LABELS: Record<(typeof FIELDS)[number], [label: string, hint: string]> = {
  url: ["URL", "It is called with a POST and answers 2xx within 15 seconds"],
  description: ["Description", "For you: what it is for"],
  eventTypes: ["Event types", "One a line; * stands for any characters; none: all types"],
  channels: ["Channels", "One a line: only what is sent to one of these; none: all"],
};

/** What may be said of an endpoint. */
export function EndpointForm(props: {
  to: string;
  typed: Typed;
  faults: FormFaults;
  label: string;
}): JSX.Element {
  const { to, typed, faults, label } = props;
  return (
    <form method="post" action={to} class="card form">
      <Token />
      <Faults
        faults={Object.entries(faults).map(([name, message]) => {
          const field = FIELDS.find((one) => one === name);
          const place = field === undefined ? "" : LABELS[field][0];
          return { place, message, control: field };
        })}
      />
      {FIELDS.map((name) => {
        const [text, hint] = LABELS[name];
        const isList = name === "eventTypes" || name === "channels";
        return (
          <Field
            id={name}
            name={name}
            label={text}
            hint={hint}
            value={typed[name]}
            fault={faults[name]}
            required={name === "url"}
            {...(isList ? { lines: 3 } : {})}
          />
        );
      })}
      <button class="main">{label}</button>
    </form>
  );
}
