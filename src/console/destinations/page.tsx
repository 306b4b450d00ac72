import type { JSX } from "hono/jsx/jsx-runtime";
import type { DestinationView } from "../../operations/destinations/view";
import { EXAMPLES } from "../examples";
import { Act, Empty, Instant, Pill, Table } from "../parts";
import { State, stateOf } from "../state";

/** Since when dead notifications are delivered again: hours, and in words. */
export const RECOVER = [
  [1, "the last hour"],
  [24, "the last day"],
  [168, "the last week"],
] as const;

/** Where notifications go, and how well they arrive. */
export function DestinationList(props: {
  items: DestinationView[];
  next: string | null;
  now: number;
}): JSX.Element {
  const { items, next, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Destinations</h1>
          <p class="quiet">Callbacks, their health over the last 24 hours, and what is left over</p>
        </div>
      </div>
      {items.length === 0 ? (
        <Empty
          title="No destination yet"
          text="Each instance with a callback URL brings one, and a program of yours makes others, which hear of the events that it asks for:"
          example={EXAMPLES.destination}
        />
      ) : (
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
      )}
      {next === null ? null : (
        <p class="more">
          <a href={next}>More</a>
        </p>
      )}
    </>
  );
}

function Name({ item }: { item: DestinationView }): JSX.Element {
  return (
    <>
      <span class="event">{item.url ?? <span class="quiet">no URL</span>}</span>
      <span class="small quiet">
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
function Hours({ label }: { label: string }): JSX.Element {
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
  const here = `/console/destinations/${encodeURIComponent(item.id)}`;
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
