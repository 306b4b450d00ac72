import { useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { readPublished } from "../../publish/publication";
import type { StoredEvent } from "../../stream/event";
import type { NotificationView } from "../../stream/history";
import { isOpen } from "../../stream/settle";
import { becauseOf } from "../../operations/deliveries/because";
import { Attempts } from "../deliveries/page";
import { shownStatus, Status } from "../deliveries/list";
import { Act, Copyable, Empty, Facts, Instant, Of, Place, readable } from "../parts";
import { From, nameOf, type Names } from "./list";
import { eventsAddress } from "./search";

/** One event: what is stored of it, and what became of it at each destination. */
export function EventPage(props: {
  source: string;
  names: Names;
  event: StoredEvent;
  /** As \`/v1\` prints it. */
  printed: Record<string, unknown>;
  /** What the vendor sent, of an event that came by a webhook. */
  raw: string | null;
  deliveries: NotificationView[];
  now: number;
}): JSX.Element {
  const { source, names, event, printed, raw, deliveries, now } = props;
  const { objectType, objectId } = event;
  const { type, object } = nameOf(event);
  return (
    <>
      <div class="head">
        <div>
          <h1>
            {type} {object}
          </h1>
          <p class="quiet">
            From <From source={source} names={names} />, <Instant at={event.receivedAt} now={now} />
          </p>
        </div>
        <div class="acts">
          <a class="button" href={eventsAddress({ source, objectType, objectId })}>
            All of this object
          </a>
          <a class="button" href={eventsAddress({ source })}>
            All of this source
          </a>
        </div>
      </div>
      <Facts
        facts={[
          ["Changed", <Instant at={event.date} now={now} />],
          ["Received", <Instant at={event.receivedAt} now={now} />],
          ["Event id", event.id],
          ["Number in its source", event.seq],
        ]}
      />
      {deliveries.some(isWaiting) ? <ToldLater {...{ source, event, now }} /> : null}
      <h2>Notifications</h2>
      {deliveries.length === 0 ? <NobodyHears isFiltered={event.filtered === true} /> : null}
      {deliveries.map((view) => (
        <Sent view={view} names={names} now={now} />
      ))}
      <Stored printed={printed} raw={raw} />
    </>
  );
}

const isWaiting = ({ notification }: NotificationView): boolean => isOpen(notification);

/** Of what is published to be told later, the button that takes it back. */
function ToldLater(props: { source: string; event: StoredEvent; now: number }): JSX.Element | null {
  const { source, event, now } = props;
  const { deliverAt: at = 0 } = event;
  if (at <= now) return null;
  return (
    <div class="card mend again">
      <div>
        It is told <Instant at={at} now={now} />. Until then it can be taken back.
      </div>
      <Act to="/console/publish/cancel" label="Cancel the event">
        <Of id={useContext(Place).organizationId} />
        <input type="hidden" name="tenant" value={source.replace(/^tenant:-?/, "")} />
        <input type="hidden" name="id" value={readPublished(event).id} />
      </Act>
    </div>
  );
}

function Stored(props: { printed: Record<string, unknown>; raw: string | null }): JSX.Element {
  const { raw } = props;
  const { data, ...normalised } = props.printed;
  return (
    <>
      <h2>Normalised</h2>
      <Copyable text={JSON.stringify(normalised, null, 2)} label="the normalised event" />
      <h2>Record</h2>
      <Copyable text={JSON.stringify(data, null, 2)} label="the record" />
      {raw === null ? null : (
        <>
          <h2>What the vendor sent</h2>
          <Copyable text={readable(raw)} label="what the vendor sent" />
        </>
      )}
    </>
  );
}

function NobodyHears({ isFiltered }: { isFiltered: boolean }): JSX.Element {
  return isFiltered ? (
    <Empty
      title="Turned away by the filter"
      text="Each destination of its source has a filter that this event does not pass. It is kept, and can be replayed to another destination."
    />
  ) : (
    <Empty
      title="Nobody hears of it"
      text="No destination was set up for it when it came. It is kept: set a callback up, then deliver it again from the page of its source."
    />
  );
}

/** One notification of it: where it went, its tries, and the button that sends it again. */
function Sent(props: { view: NotificationView; names: Names; now: number }): JSX.Element {
  const { view, names, now } = props;
  const { notification, id } = view;
  const { destinationId, events } = notification;
  const because = becauseOf(notification, undefined);
  const called = destinationId === null ? undefined : names.destinations.get(destinationId);
  return (
    <section class="one" aria-label={`Notification ${id}`}>
      <h3>
        <Status status={shownStatus(view)} />{" "}
        {destinationId === null ? "" : (called ?? "a destination that is gone")}
      </h3>
      <div class="acts">
        <a class="button" href={`/console/deliveries/${id}`}>
          Request and signature
        </a>
        {destinationId === null ? null : (
          <Act to={`/console/deliveries/${id}/resend`} label="Resend" />
        )}
        {isOpen(notification) ? (
          <Act to={`/console/deliveries/${id}/cancel`} label="Cancel" />
        ) : null}
        {events.length < 2 ? null : (
          <span class="small quiet">with {events.length - 1} more events</span>
        )}
      </div>
      {because === null ? null : <p class="small">{because}</p>}
      {notification.attempts.length === 0 ? (
        <p class="small quiet">Not tried yet</p>
      ) : (
        <Attempts attempts={notification.attempts} now={now} />
      )}
    </section>
  );
}
