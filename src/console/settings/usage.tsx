import type { JSX } from "hono/jsx/jsx-runtime";
import { IDLE, type Summary, type Usage } from "../../operations/usage/summary";
import { isoText } from "../../values/instant";
import { From, type Names } from "../events/list";
import { type Bar, Bars, grouped, money } from "../figures";
import { EXAMPLES } from "../examples";
import { Empty, Table } from "../parts";
import { SettingsHead } from "./parts";

const DAY_MS = 86_400_000;
/** The page names so many sources, those that cost most. */
export const SOURCES_SHOWN = 100;
/** How many days may be looked back on, today included. */
const SPANS = [7, 30, 90];

/** How many days an address asks for. */
export const daysOf = (text: string | undefined): number =>
  SPANS.find((days) => String(days) === text) ?? 30;

/** When the first of so many days (UTC) began, of which today is the last. */
export const startOf = (days: number, now: number): number =>
  now - (now % DAY_MS) - (days - 1) * DAY_MS;

type Props = {
  days: number;
  byDay: Summary;
  sources: Summary["items"];
  /** How many sources are not named. */
  others: number;
  names: Names;
  isOwner: boolean;
  now: number;
};

/** What was done and what it cost: day by day, and by source. */
export function UsagePage(props: Props): JSX.Element {
  const { days, byDay, sources, isOwner } = props;
  return (
    <>
      <SettingsHead
        here="usage"
        title="Usage and cost"
        text="By list prices, before what the plan includes; days are of UTC"
        isOwner={isOwner}
      />
      <ul class="ranges places" aria-label="Look back">
        {SPANS.map((span) => (
          <li>
            <a
              href={`/console/settings/usage?days=${span}`}
              {...(span === days ? { "aria-current": "true" } : {})}
            >
              {span} days
            </a>
          </li>
        ))}
      </ul>
      {sources.length === 0 ? (
        <Empty
          title={`Nothing was done in these ${days} days`}
          text="Polls, events, notifications and their tries are counted here, and what each of them costs. This begins it:"
          example={EXAMPLES.event}
        />
      ) : (
        <>
          <Total total={byDay.total} />
          <Days {...props} />
          <Sources {...props} />
        </>
      )}
    </>
  );
}

function Total({ total }: { total: Usage }): JSX.Element {
  const figures = [
    [money(total.costUsd), "cost"],
    [grouped(total.events), "events"],
    [grouped(total.deliveries), "notifications delivered"],
    [grouped(total.polls), "polls"],
  ];
  return (
    <div class="cards">
      {figures.map(([figure, label]) => (
        <div class="card">
          <b class="num">{figure}</b>
          <span>{label}</span>
        </div>
      ))}
    </div>
  );
}

function Days({ days, byDay, now }: Props): JSX.Element {
  const used = new Map(byDay.items.map((item) => [item.key, item]));
  const from = startOf(days, now);
  const all = Array.from({ length: days }, (_, n) => isoText(from + n * DAY_MS).slice(0, 10));
  const bars = (field: "costUsd" | "events", words: (value: number) => string) =>
    all.map((at) => {
      const value = used.get(at)?.[field] ?? 0;
      return { at, value, text: words(value) };
    });
  return (
    <>
      <Chart label="Cost per day" bars={bars("costUsd", money)} />
      <Chart label="Events per day" bars={bars("events", grouped)} />
      <details>
        <summary>Each day in figures</summary>
        <Table
          heads={["Day", ...HEADS]}
          rows={byDay.items.toReversed().map((item) => [item.key, ...cellsOf(item)])}
        />
      </details>
    </>
  );
}

function Chart({ label, bars }: { label: string; bars: readonly Bar[] }): JSX.Element {
  return (
    <>
      <h2>{label}</h2>
      <div class="card">
        <Bars bars={bars} kind="tall" label={label} />
        <p class="small axis">
          <span>{bars[0]?.at}</span>
          <span>{bars.at(-1)?.at}</span>
        </p>
      </div>
    </>
  );
}

const HEADS = ["Events", "Delivered", "Tries", "Polls", "Cost"];

const cellsOf = ({ events, deliveries, attempts, polls, costUsd }: Usage): JSX.Element[] =>
  [...[events, deliveries, attempts, polls].map(grouped), money(costUsd)].map((text) => (
    <span class="num">{text}</span>
  ));

function Sources({ sources, others, names }: Props): JSX.Element {
  return (
    <>
      <h2>By source</h2>
      <Table
        heads={["Source", ...HEADS]}
        rows={sources.map((item) => [
          item.key === IDLE ? (
            <span>Polls that found nothing, of all accounts</span>
          ) : (
            <From source={item.key} names={names} />
          ),
          ...cellsOf(item),
        ])}
      />
      {others === 0 ? null : (
        <p class="more small quiet">
          and {grouped(others)} more, which cost less: <code>GET /v1/usage?by=source</code> has all
        </p>
      )}
    </>
  );
}
