import type { JSX } from "hono/jsx/jsx-runtime";
import type { DestinationView } from "../../operations/destinations/view";
import { EXAMPLES } from "../examples";
import { Choice, Field } from "../form";
import { Act, Empty, IfMayChange, Instant, Pill, Table } from "../parts";
import { State, stateOf } from "../state";
import { addressOf, LIST } from "./back";

/** Since when dead notifications are delivered again: hours, and in words. */
export const RECOVER = [
  [1, "the last hour"],
  [24, "the last day"],
  [168, "the last week"],
] as const;

/** What a list of destinations is narrowed down by. */
export const SEARCH = ["text", "kind", "tenant", "enabled"] as const;
export type Searched = Record<(typeof SEARCH)[number], string>;

/** Where notifications go, and how well they arrive. */
export function DestinationList(props: {
  items: DestinationView[];
  searched: Searched;
  next: string | null;
  now: number;
}): JSX.Element {
  const { items, searched, next, now } = props;
  const isSearch = SEARCH.some((name) => searched[name] !== "");
  return (
    <>
      <div class="head">
        <div>
          <h1>Destinations</h1>
          <p class="quiet">Callbacks, their health over the last 24 hours, and what is left over</p>
        </div>
        <IfMayChange>
          <a class="button main" href={`${LIST}/new`}>
            New endpoint
          </a>
        </IfMayChange>
      </div>
      {items.length === 0 && !isSearch ? null : <Search searched={searched} />}
      {items.length > 0 ? (
        <Items items={items} now={now} />
      ) : isSearch ? (
        <Empty title="No such destination" text="None is called that, or is of that kind." />
      ) : (
        <Empty
          title="No destination yet"
          text="Each instance with a callback URL brings one. Others are made here, or by a program of yours, and hear of the events that they ask for:"
          example={EXAMPLES.destination}
        />
      )}
      {next === null ? null : (
        <p class="more">
          <a href={next}>More</a>
        </p>
      )}
    </>
  );
}

const Items = ({ items, now }: { items: DestinationView[]; now: number }): JSX.Element => (
  <Table
    heads={["Destination", "State", "Delivered", "Failed", "Waiting", "Dead", ""]}
    rows={items.map((item) => [
      <Name item={item} />,
      <Health item={item} now={now} />,
      <span class="num">
        {item.stats.delivered24h}
        {item.stats.p50Ms === null ? null : (
          <span class="small quiet"> · half within {item.stats.p50Ms} ms</span>
        )}
      </span>,
      <span class="num">{item.stats.failed24h}</span>,
      <span class="num">{item.stats.pending}</span>,
      <span class="num">{item.stats.dead}</span>,
      <Acts item={item} />,
    ])}
  />
);

const Search = ({ searched }: { searched: Searched }): JSX.Element => (
  <form class="filters" method="get" action={LIST} role="search">
    <Field id="text" name="text" label="Name, URL or id" value={searched.text} />
    <Choice id="kind" name="kind" label="Kind" value={searched.kind} of={KINDS} />
    <Field id="tenant" name="tenant" label="Tenant" value={searched.tenant} />
    <Choice id="enabled" name="enabled" label="State" value={searched.enabled} of={STATES} />
    <div class="acts">
      <button>Search</button>
    </div>
  </form>
);

const KINDS = [
  ["", "any"],
  ["endpoint", "endpoint"],
  ["instance", "callback of an instance"],
  ["subscription", "callback of a subscription"],
  ["webhook", "webhook of a resource"],
  ["flow-step", "step of a flow"],
] as const;
const STATES = [
  ["", "any"],
  ["true", "on"],
  ["false", "off"],
] as const;

function Name({ item }: { item: DestinationView }): JSX.Element {
  const { name, description } = item;
  const called = description ?? name ?? null;
  return (
    <>
      <a class="event" href={addressOf(item.id)}>
        {called ?? item.url ?? "no URL"}
      </a>
      <span class="small quiet">
        {called === null ? null : `${item.url} · `}
        {item.kind === "instance" ? (
          <a href={`/console/instances/${item.ownerId}`}>{`instance ${item.ownerId}`}</a>
        ) : (
          item.id
        )}
      </span>
    </>
  );
}

function Health({ item, now }: { item: DestinationView; now: number }): JSX.Element {
  const { nextProbeAt } = item.circuit;
  return (
    <>
      <State state={stateOf(item.state)} now={now} />
      {item.circuit.state === "closed" ? null : <Pill tone="bad">circuit open</Pill>}
      {nextProbeAt === null ? null : (
        <span class="event small quiet">
          tried again <Instant at={Date.parse(nextProbeAt)} now={now} />
        </span>
      )}
    </>
  );
}

/** How far back an act reaches. */
export function Hours({ label }: { label: string }): JSX.Element {
  return (
    <select name="hours" aria-label={label}>
      {RECOVER.map(([hours, words]) => (
        <option value={String(hours)} selected={hours === 24}>
          {words}
        </option>
      ))}
    </select>
  );
}

function Acts({ item }: { item: DestinationView }): JSX.Element {
  const here = addressOf(item.id);
  return (
    <div class="acts">
      <a class="button" href={`${here}/keys`}>
        Keys
      </a>
      {item.url === null ? null : <Act to={`${here}/test`} label="Test" />}
      {(item.enabled && item.circuit.state === "closed") ||
      item.state.name === "paused by tenant" ? null : (
        <Act to={`${here}/enable`} label="Enable" main />
      )}
      {item.stats.dead === 0 ? null : (
        <Act to={`${here}/recover`} label="Recover">
          <Hours label="Deliver again what died in" />
        </Act>
      )}
      {item.stats.pending === 0 ? null : (
        <Act to={`${here}/cancel`} label="Cancel">
          <Hours label="Cancel what waits and was made in" />
        </Act>
      )}
    </div>
  );
}
