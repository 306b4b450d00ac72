import type { JSX } from "hono/jsx/jsx-runtime";
import { type Row, Deliveries } from "../deliveries/list";
import { NO_PUBLIC_URL } from "../../http/readiness";
import { Empty, firstInstance } from "../parts";
import type { Hour } from "./hours";
import { isoText } from "../../values/instant";

export type Overview = {
  hours: Hour[];
  rows: Row[];
  instances: number;
  hasMoreInstances: boolean;
  troubles: { dead: number; pending: number; isMore: boolean };
  baseUrl: string;
  /** The deployment does not know its own address. */
  addressMissing: boolean;
  now: number;
};

/** What happened lately, over everything the organization has. */
export function OverviewPage(props: Overview): JSX.Element {
  const { hours, rows, instances, baseUrl, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Overview</h1>
          <p class="quiet">The last 24 hours, in UTC; figures follow within some minutes</p>
        </div>
      </div>
      {props.addressMissing ? <p class="notice bad">{NO_PUBLIC_URL}</p> : null}
      {instances === 0 && rows.length === 0 ? (
        <Empty
          title="Nothing is connected yet"
          text="Connect a customer's account, and every change in it arrives at your callback. This makes a first instance:"
          example={firstInstance(baseUrl)}
        />
      ) : (
        <>
          <Figures {...props} />
          <div class="charts">
            <Chart title="Events" tone="" hours={hours} field="events" />
            <Chart title="Delivered" tone="good" hours={hours} field="delivered" />
            <Chart title="Failed tries" tone="bad" hours={hours} field="failed" />
          </div>
          <h2>Latest notifications</h2>
          {rows.length === 0 ? (
            <Empty
              title="No notification yet"
              text="Change something in a connected account, then open its instance and poll now; or wait for the next poll."
            />
          ) : (
            <Deliveries rows={rows} now={now} withSource />
          )}
        </>
      )}
    </>
  );
}

function Figures({ hours, instances, hasMoreInstances, troubles }: Overview): JSX.Element {
  const { dead, pending, isMore } = troubles;
  return (
    <div class="cards">
      <Figure
        n={instances}
        isMore={hasMoreInstances}
        label={instances === 1 ? "instance" : "instances"}
        to="/console/instances"
      />
      <Figure n={sum(hours, "delivered")} label="delivered" />
      <Figure n={pending} isMore={isMore} label="retrying or held" to="/console/destinations" />
      <Figure n={dead} isMore={isMore} label="dead" to="/console/destinations" alarming />
    </div>
  );
}

type Field = "events" | "delivered" | "failed";

const sum = (hours: readonly Hour[], field: Field): number =>
  hours.reduce((total, hour) => total + hour[field], 0);

function Figure(props: {
  n: number;
  /** There are more than `n`. */
  isMore?: boolean;
  label: string;
  to?: string;
  alarming?: boolean;
}): JSX.Element {
  const { n, isMore = false, label, to, alarming } = props;
  const figure = (
    <div class="card">
      <b class={alarming === true && n > 0 ? "num alarm" : "num"}>
        {grouped(n)}
        {isMore ? "+" : ""}
      </b>
      <span>{label}</span>
    </div>
  );
  return to === undefined ? figure : <a href={to}>{figure}</a>;
}

const grouped = (n: number): string => n.toLocaleString("en-US");

/** Bars by the hour; each tells its figure on a closer look. */
function Chart(props: { title: string; tone: string; hours: Hour[]; field: Field }): JSX.Element {
  const { title, tone, hours, field } = props;
  const most = Math.max(1, ...hours.map((hour) => hour[field]));
  const total = sum(hours, field);
  return (
    <div class={`card chart ${tone}`}>
      <h3>
        {title} <b class="num">{grouped(total)}</b>
      </h3>
      <svg
        viewBox="0 0 240 60"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title} by the hour, ${grouped(total)} in all`}
      >
        {hours.map((hour, index) => {
          const height = hour[field] === 0 ? 1.5 : Math.max(3, (hour[field] / most) * 60);
          return (
            <rect
              x={index * 10 + 1}
              y={60 - height}
              width={8}
              height={height}
              rx={1}
              class={hour[field] === 0 ? "none" : ""}
            >
              <title>{`${clock(hour.at)}: ${grouped(hour[field])}`}</title>
            </rect>
          );
        })}
      </svg>
      <div class="ends small quiet">
        <span>{clock(hours[0]?.at ?? 0)}</span>
        <span>now</span>
      </div>
    </div>
  );
}

const clock = (at: number): string => isoText(at).slice(11, 16);
