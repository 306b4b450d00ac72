import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Connector } from "../../connectors/definition";
import { EXAMPLES } from "../examples";
import { Empty, IfMayChange, Pill, Table } from "../parts";

/** What can be connected: what the organization described itself, and what is built in. */
export function ConnectorList(props: {
  own: readonly Connector[];
  builtIn: readonly Connector[];
}): JSX.Element {
  const { own, builtIn } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Connectors</h1>
          <p class="quiet">What we know of each vendor, as data</p>
        </div>
        <IfMayChange>
          <a class="button main" href="/console/new-connector">
            New connector
          </a>
        </IfMayChange>
      </div>
      <h2>Your own</h2>
      {own.length === 0 ? (
        <Empty
          title="None of your own yet"
          text="Any HTTP API can be described: where its lists are, how they are paged, how it signs its webhooks. Press New connector, or send its JSON:"
          example={EXAMPLES.connector}
        />
      ) : (
        <Connectors connectors={own} />
      )}
      <h2>Built in</h2>
      <Connectors connectors={builtIn} />
    </>
  );
}

const Connectors = ({ connectors }: { connectors: readonly Connector[] }): JSX.Element => (
  <Table
    heads={["Connector", "Hub", "Signs in with", "Changes come by", "Resources"]}
    rows={connectors.map(cellsOf)}
  />
);

const WAYS = { apiKey: "API key", basic: "User name and password", oauth2: "OAuth 2" };
const METHODS = { polling: "polling", webhook: "webhooks" };

/** How an account of a connector proves itself, in words. */
export const wayOf = ({ authentication }: Connector): string => WAYS[authentication.type];

export const MethodPills = ({ events }: Connector): JSX.Element => (
  <>
    {events.methods.map((method) => (
      <>
        <Pill tone="good">{METHODS[method]}</Pill>{" "}
      </>
    ))}
  </>
);

function cellsOf(connector: Connector): Child[] {
  const { key, name, hub, resources } = connector;
  return [
    <>
      <a class="event" href={`/console/connectors/${encodeURIComponent(key)}`}>
        {name}
      </a>
      <span class="small quiet">{key}</span>
    </>,
    hub,
    wayOf(connector),
    <MethodPills {...connector} />,
    <span class="num">{Object.keys(resources).length}</span>,
  ];
}
