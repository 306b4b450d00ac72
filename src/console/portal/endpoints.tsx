import type { JSX } from "hono/jsx/jsx-runtime";
import type { DestinationView } from "../../operations/destinations/view";
import { AllFaults, Controls, type Typing } from "../fields/controls";
import { PARTS } from "../destinations/fields";
import { Empty, IfMayChange, Pill, Table } from "../parts";
import { State, stateOf } from "../state";
import { Token } from "../visitors/page";

export type { Typing };

const OWN = ["url", "description", "eventTypes", "channels"];
/** What people of a tenant may say of an endpoint. */
export const FIELDS = PARTS.flatMap(({ fields }) => fields).filter(({ name }) =>
  OWN.includes(name),
);

/** What an endpoint is called: its description, else its address. */
export type Shown = { view: DestinationView; description: string | null; eventTypes: string[] };

/** Endpoints of a tenant, and the form that adds one. */
export function EndpointList(
  props: Typing & {
    endpoints: readonly Shown[];
    next: string | null;
    now: number;
  },
): JSX.Element {
  const { endpoints, next, typed, faults, offers, now } = props;
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
          label="Add the endpoint"
          {...{ typed, faults, offers }}
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

/** What may be said of an endpoint. */
export const EndpointForm = (props: Typing & { to: string; label: string }): JSX.Element => (
  <form method="post" action={props.to} class="card form">
    <Token />
    <AllFaults faults={props.faults} fields={FIELDS} />
    <Controls {...props} fields={FIELDS} />
    <button class="main">{props.label}</button>
  </form>
);
