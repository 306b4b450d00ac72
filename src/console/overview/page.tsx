import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { NO_PUBLIC_URL } from "../../http/readiness";
import { isoText } from "../../values/instant";
import { type Bar, Bars, grouped, money } from "../figures";
import { EXAMPLES } from "../examples";
import { ConnectLink, Empty } from "../parts";
import { NeedsAttention } from "./attention";
import { type Figures, type Point, type Range, RANGES, within } from "./range";
import type { Troubles } from "./trouble";

export type Overview = {
  range: Range;
  figures: Figures;
  /** Of the month (UTC) so far. */
  month: { costUsd: number; events: number };
  troubles: Troubles & { hasInstances: boolean };
  /** The deployment does not know its own address. */
  addressMissing: boolean;
  now: number;
};

/** What happened lately, over everything the organization has, and what needs attention. */
export function OverviewPage(props: Overview): JSX.Element {
  const { range, troubles, month, figures, now } = props;
  const isEmpty =
    !troubles.hasInstances &&
    month.events + figures.total.events + troubles.dead + troubles.pending === 0;
  return (
    <>
      <div class="head">
        <div>
          <h1>Overview</h1>
          <p class="quiet">Of {RANGES[range].words}; figures follow within some minutes</p>
        </div>
        <div class="acts">
          {isEmpty ? null : <Ranges chosen={range} />}
          <ConnectLink />
        </div>
      </div>
      {props.addressMissing ? <p class="notice bad">{NO_PUBLIC_URL}</p> : null}
      {isEmpty ? (
        <Empty
          title="Nothing is connected yet"
          text="Connect a customer's account, and every change in it arrives at your callback. Connect a first one here, or by a program:"
          example={EXAMPLES.instance}
        />
      ) : (
        <>
          <Cards {...props} />
          <NeedsAttention troubles={troubles} now={now} />
        </>
      )}
    </>
  );
}

/** The choice of how far to look back: links, so that each view has an address. */
function Ranges({ chosen }: { chosen: Range }): JSX.Element {
  return (
    <ul class="ranges" aria-label="Look back">
      {Object.entries(RANGES).map(([name, { words }]) => (
        <li>
          <a
            href={`/console?range=${name}`}
            title={words}
            {...(name === chosen ? { "aria-current": "true" } : {})}
          >
            {name}
          </a>
        </li>
      ))}
    </ul>
  );
}

function Cards({ figures, troubles, month }: Overview): JSX.Element {
  const { points, total } = figures;
  const { dead, pending, isMore } = troubles;
  const plus = isMore ? "+" : "";
  const { durations, pollsDue, pollsLate } = total;
  const half = within(durations, 0.5);
  return (
    <div class="cards">
      <Card label="events came in" figure={grouped(total.events)}>
        <Bars bars={barsOf(points, "events")} kind="events" label="Events that came in" />
      </Card>
      <Card label="notifications went out" figure={grouped(total.delivered)}>
        <Bars
          bars={barsOf(points, "delivered")}
          kind="delivered"
          label="Notifications that went out"
        />
      </Card>
      <Card label="tries failed" figure={grouped(total.failed)} isAlarm={total.failed > 0}>
        <Bars bars={barsOf(points, "failed")} kind="failed" label="Tries that failed" />
      </Card>
      <Card label="half the tries answered within" figure={half ?? "–"}>
        <span class="small">
          {half === null
            ? "nothing was tried"
            : `95% ${within(durations, 0.95)}, 99% ${within(durations, 0.99)}`}
        </span>
      </Card>
      <Card label="wait after a failure, now" figure={`${grouped(pending)}${plus}`}>
        <a class="small" href="/console/destinations">
          Destinations
        </a>
      </Card>
      <Card label="dead, now" figure={`${grouped(dead)}${plus}`} isAlarm={dead > 0}>
        <a class="small" href="/console/destinations">
          Destinations
        </a>
      </Card>
      <Card label="polls due" figure={grouped(pollsDue)}>
        <span class="small">{`${grouped(pollsLate)} late or missed`}</span>
      </Card>
      <Card label="cost this month" figure={money(month.costUsd)}>
        <span class="small">by list prices, before what the plan includes</span>
      </Card>
    </div>
  );
}

const barsOf = (points: readonly Point[], field: "events" | "delivered" | "failed"): Bar[] =>
  points.map((point) => ({
    at: clock(point.at),
    value: point[field],
    text: grouped(point[field]),
  }));

const clock = (at: number): string => `${isoText(at).slice(0, 16).replace("T", " ")} UTC`;

function Card(props: {
  label: string;
  figure: string;
  isAlarm?: boolean;
  children: Child;
}): JSX.Element {
  const { label, figure, isAlarm, children } = props;
  return (
    <div class="card">
      <b class={isAlarm === true ? "num alarm" : "num"}>{figure}</b>
      <span>{label}</span>
      <div class="foot">{children}</div>
    </div>
  );
}
