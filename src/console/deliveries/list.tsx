import type { JSX } from "hono/jsx/jsx-runtime";
import type { NotificationView } from "../../stream/history";
import { instanceOfSource } from "../../stream/stream-name";
import { type DeliveryStatus, deliveryStatus } from "../../stream/delivery-filter";
import { Instant, Pill, Table, type Tone } from "../parts";

/** One notification, as a line of a list. */
export type Row = {
  id: string;
  source: string;
  name: string | undefined;
  createdAt: number;
  status: DeliveryStatus | "kept";
  attempts: number;
  events: Happened[];
};
type Happened = { eventType: string; objectType: string; objectId: string };

export function rowOf(view: NotificationView, source: string, name: string | undefined): Row {
  const { notification, id, events } = view;
  return {
    id,
    source,
    name,
    createdAt: notification.createdAt,
    status: shownStatus(view),
    attempts: notification.attempts.length,
    events: events.map(({ eventType, objectType, objectId }) => ({
      eventType,
      objectType,
      objectId,
    })),
  };
}

/** Its status, and `kept` for one without a destination. */
export const shownStatus = (view: NotificationView): Row["status"] =>
  view.notification.state.kind === "kept" ? "kept" : deliveryStatus(view);

const EVENTS_SHOWN = 3;

/** Notifications, newest first, each a link to its page. */
export function Deliveries(props: { rows: Row[]; now: number; withSource?: boolean }): JSX.Element {
  const { rows, now, withSource } = props;
  const heads = ["When", ...(withSource === true ? ["From"] : []), "Events", "Status", "Tries"];
  return (
    <Table
      heads={heads}
      rows={rows.map((row) => [
        <a href={`/console/deliveries/${row.id}`}>
          <Instant at={row.createdAt} now={now} />
        </a>,
        ...(withSource === true ? [<Source source={row.source} name={row.name} />] : []),
        <Happenings events={row.events} />,
        <Status status={row.status} />,
        <span class="num">{row.attempts}</span>,
      ])}
    />
  );
}

/** Where a notification comes from; an instance links to its page. */
export function Source(props: { source: string; name: string | undefined }): JSX.Element {
  const { source, name } = props;
  const id = instanceOfSource(source);
  if (id === undefined) return <span>{name ?? source}</span>;
  return <a href={`/console/instances/${id}`}>{name ?? source}</a>;
}

function Happenings({ events }: { events: Happened[] }): JSX.Element {
  const more = events.length - EVENTS_SHOWN;
  return (
    <>
      {events.slice(0, EVENTS_SHOWN).map(({ eventType, objectType, objectId }) => (
        <span class="event">
          <b>{eventType.toLowerCase()}</b>{" "}
          <span class="quiet">
            {objectType} {objectId}
          </span>
        </span>
      ))}
      {more > 0 ? <span class="event quiet">and {more} more</span> : null}
    </>
  );
}

const TONES: Record<Row["status"], Tone> = {
  delivered: "good",
  dead: "bad",
  retrying: "wait",
  pending: "wait",
  sent: "wait",
  held: "off",
  kept: "off",
};

export function Status({ status }: { status: Row["status"] }): JSX.Element {
  return <Pill tone={TONES[status]}>{status === "kept" ? "no destination" : status}</Pill>;
}
