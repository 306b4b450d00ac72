import type { JSX } from "hono/jsx/jsx-runtime";
import type { Connector } from "../../connectors/definition";
import { pollable } from "../../instances/entries";
import { Pill } from "../parts";
import { choicesOf, waysOf } from "./sections";

/** Everything that can be connected. */
export function Gallery(props: {
  builtIn: readonly Connector[];
  own: readonly Connector[];
  /** Keys of connectors with an application that accounts can consent to here. */
  ready: ReadonlySet<string>;
}): JSX.Element {
  const { builtIn, own, ready } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Connect an account</h1>
          <p class="quiet">
            Choose where the account is. Every change in it arrives at your callback.
          </p>
        </div>
      </div>
      <Cards connectors={builtIn} ready={ready} />
      {own.length === 0 ? null : (
        <>
          <h2>Your own connectors</h2>
          <Cards connectors={own} ready={ready} />
        </>
      )}
    </>
  );
}

const Cards = (props: { connectors: readonly Connector[]; ready: ReadonlySet<string> }) => (
  <ul class="gallery">
    {props.connectors.map((connector) => (
      <li class="card">
        <Card connector={connector} isReady={props.ready.has(connector.key)} />
      </li>
    ))}
  </ul>
);

const SIGNS_IN = { oauth2: "OAuth", apiKey: "key or token", basic: "user name and password" };
/** A card names so many resources at most. */
const MOST_NAMED = 8;

function Card(props: { connector: Connector; isReady: boolean }): JSX.Element {
  const { connector, isReady } = props;
  const { key, name, hub, description } = connector;
  const choices = choicesOf(connector);
  const resources = Object.keys(pollable(connector));
  const named = resources.slice(0, MOST_NAMED).join(", ");
  const more = resources.length - MOST_NAMED;
  return (
    <>
      <h2>
        <a href={`/console/connect/${encodeURIComponent(key)}`}>{name}</a>
      </h2>
      <p class="small quiet">{description === "" ? hub : description}</p>
      <p>
        {choices.includes("webhook") ? <Pill tone="good">webhooks</Pill> : null}{" "}
        {choices.includes("polling") ? <Pill tone="good">polling</Pill> : null}{" "}
        <Pill tone="off">
          {waysOf(connector)
            .map((way) => SIGNS_IN[way])
            .join(" or ")}
        </Pill>{" "}
        {isReady ? <Pill tone="good">needs no key</Pill> : null}
      </p>
      {named === "" ? null : (
        <p class="small">
          <span class="quiet">Resources:</span> {named}
          {more > 0 ? ` and ${more} more` : ""}
        </p>
      )}
    </>
  );
}
