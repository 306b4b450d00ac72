import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Instance } from "../../instances/instance";
import { EXAMPLES } from "../examples";
import { ConnectLink, Empty, Instant, Pill, Table } from "../parts";
import type { Health } from "./health";

/** `attention`: how many things keep it from getting or telling events. */
export type Listed = { instance: Instance; health: Health; attention: number };

/** The organization's instances, a page of them. */
export function InstanceList(props: {
  items: Listed[];
  total: number;
  next: string | null;
  now: number;
}): JSX.Element {
  const { items, total, next, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Instances</h1>
          <p class="quiet">{total === 1 ? "1 connected account" : `${total} connected accounts`}</p>
        </div>
        <ConnectLink />
      </div>
      {items.length === 0 ? (
        <Empty
          title="No instance yet"
          text="An instance is a customer's account at a vendor. Connect a first one here, or by a program:"
          example={EXAMPLES.instance}
        />
      ) : (
        <Table
          heads={["Instance", "Status", "Events", "Last poll", "Failures", "Callback"]}
          rows={items.map((item) => cellsOf(item, now))}
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

function cellsOf({ instance, health, attention }: Listed, now: number): Child[] {
  return [
    <>
      <a class="event" href={`/console/instances/${instance.id}`}>
        {instance.name}
      </a>
      <span class="small quiet">
        {instance.connector.name} · {instance.id}
      </span>
    </>,
    <>
      <Pill tone={health.tone}>{health.word}</Pill>
      {attention === 0 ? null : <span class="event small quiet">{attention} to look at</span>}
    </>,
    health.mode,
    health.lastPoll === null ? (
      <span class="quiet">never</span>
    ) : (
      <Instant at={health.lastPoll} now={now} />
    ),
    <span class="num">{health.failures}</span>,
    health.callback ?? <span class="quiet">none</span>,
  ];
}
