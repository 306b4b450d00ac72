import type { JSX } from "hono/jsx/jsx-runtime";
import { CALLS } from "../../flows/logs/calls";
import type { Hit } from "../../flows/logs/hits";
import type { Unprocessed } from "../../flows/unprocessed/store";
import type { NotificationView } from "../../stream/history";
import { rowOf, Status } from "../deliveries/list";
import { Act, Empty, Instant, Pill, Table } from "../parts";
import type { Step } from "./steps";

type Names = ReadonlyMap<string, Step>;
const named = (steps: Names, id: string): string => steps.get(id)?.name ?? "a step that is gone";

/** What a flow's steps did, each a link to its request and answer. */
export function Runs(props: { views: NotificationView[]; steps: Names; now: number }): JSX.Element {
  const { views, steps, now } = props;
  if (views.length === 0)
    return (
      <Empty
        title="Nothing ran yet"
        text="Start the flow and fire a test event: each step shows here."
      />
    );
  return (
    <Table
      heads={["When", "Step", "Started by", "Status", "Tries"]}
      rows={views.map((view) => {
        const { id, createdAt, status, attempts, events } = rowOf(view, "", undefined);
        const { envelope } = view.notification;
        return [
          <a href={`/console/deliveries/${id}`}>
            <Instant at={createdAt} now={now} />
          </a>,
          envelope.format === "flow-step" ? named(steps, envelope.componentId) : "",
          events.map(({ objectType, objectId }) => `${objectType} ${objectId}`).join(", "),
          <Status status={status} />,
          <span class="num">{attempts}</span>,
        ];
      })}
    />
  );
}

/** Messages that failed for good. */
export function Messages(props: {
  rows: Unprocessed[];
  steps: Names;
  next: string | null;
  now: number;
}): JSX.Element | null {
  const { rows, steps, next, now } = props;
  if (rows.length === 0) return null;
  return (
    <>
      <h2>Unprocessed messages</h2>
      <Table
        heads={["When", "Step", "Why", ""]}
        rows={rows.map((row) => [
          <a href={`/console/apps/unprocessed-messages/${row.id}`}>
            <Instant at={row.createdAt} now={now} />
          </a>,
          named(steps, row.componentId),
          row.error,
          <MessageActs id={row.id} />,
        ])}
      />
      {next === null ? null : (
        <p class="more">
          <a href={next}>More</a>
        </p>
      )}
    </>
  );
}

export function MessageActs({ id }: { id: string }): JSX.Element {
  const here = `/console/apps/unprocessed-messages/${id}`;
  return (
    <div class="acts">
      <Act to={`${here}/retry`} label="Retry" main />
      <Act to={`${here}/remove`} label="Remove" />
    </div>
  );
}

/** Calls of a flow's webhooks that started no run. */
export function Calls({ hits, now }: { hits: Hit[]; now: number }): JSX.Element | null {
  const calls = hits.filter(({ _index }) => _index === CALLS);
  if (calls.length === 0) return null;
  return (
    <>
      <h2>Calls that started no run</h2>
      <Table
        heads={["When", "", "Why"]}
        rows={calls.map(({ gridTimestamp, severity, msg }) => [
          <Instant at={Date.parse(gridTimestamp)} now={now} />,
          <Pill tone={severity === "error" ? "bad" : "off"}>
            {severity === "error" ? "refused" : "not taken"}
          </Pill>,
          msg ?? "",
        ])}
      />
    </>
  );
}
