import type { JSX } from "hono/jsx/jsx-runtime";
import type { Attempt } from "../../delivery/attempt";
import type { NotificationView } from "../../stream/history";
import type { RequestView } from "../../operations/deliveries/lookup.io";
import type { DestinationState } from "../../delivery/state";
import { becauseOf } from "../../operations/deliveries/because";
import { curlOf } from "../../operations/deliveries/curl";
import type { Proof } from "../../operations/deliveries/proof";
import { State } from "../state";
import { dueAt, isOpen } from "../../stream/settle";
import { eventAddress } from "../events/search";
import { Act, Copyable, Empty, Facts, Instant, Pill, readable, Table } from "../parts";
import { rowOf, Source, Status } from "./list";
import { Proofs } from "./proofs";

export type Delivery = {
  view: NotificationView;
  source: string;
  name: string | undefined;
  /** Null when the notification has no destination, and for a flow's step before its first try. */
  request: RequestView | null;
  /** Its signatures, as far as a present key of the destination makes them. */
  proofs: Proof[];
  body: string;
  /** How the destination stands; undefined without one. */
  destination: DestinationState | undefined;
  now: number;
};

/** One notification: its attempts, its events, and the request that carries them. */
export function DeliveryPage(props: Delivery): JSX.Element {
  const { view, source, name, request, now } = props;
  const { notification, id, events } = view;
  return (
    <>
      <div class="head">
        <div>
          <h1>Notification {id}</h1>
          <p class="quiet">
            From <Source source={source} name={name} />,{" "}
            <Instant at={notification.createdAt} now={now} />
          </p>
        </div>
        {notification.destinationId === null ? null : (
          <div class="acts">
            {isOpen(notification) ? (
              <Act to={`/console/deliveries/${id}/cancel`} label="Cancel" />
            ) : null}
            <Act to={`/console/deliveries/${id}/resend`} label="Resend" main />
          </div>
        )}
      </div>
      <DeliveryFacts {...props} />
      <h2>Tries</h2>
      {notification.attempts.length === 0 ? (
        <Empty title="Not tried yet" text="Each try shows here with its status and answer." />
      ) : (
        <Attempts attempts={notification.attempts} now={now} />
      )}
      <h2>Events</h2>
      <Events source={source} events={events} now={now} />
      <h2>Request body</h2>
      <Copyable text={bodyOf(props)} label="the request body" />
      {request === null ? null : (
        <>
          <h2>Request headers</h2>
          <Facts facts={Object.entries(request.headers)} />
          <Proofs {...props} body={request.body} />
          <Curl request={request} />
        </>
      )}
    </>
  );
}

const addressOf = ({ notification }: NotificationView, request: RequestView | null): string =>
  request?.url ?? notification.destinationId ?? "none";

/** What was sent; for a notification without a destination, what would be. */
function bodyOf({ view, request, body }: Delivery): string {
  const isStep = view.notification.envelope.format === "flow-step";
  if (request === null) return isStep ? "Made when it is sent" : readable(body);
  const isWhole = !request.truncated && request.encoding === "text";
  return isWhole ? readable(request.body) : `${request.body}${request.truncated ? " …" : ""}`;
}

function DeliveryFacts({ view, source, name, request, destination, now }: Delivery): JSX.Element {
  const due = dueAt(view.notification.state);
  const because = becauseOf(view.notification, undefined);
  const next = due !== null && due <= now ? "now" : <Instant at={due ?? now} now={now} />;
  return (
    <Facts
      facts={[
        ["Status", <Status status={rowOf(view, source, name).status} />],
        ...(because === null ? [] : [["Why", because] as const]),
        ...(due === null ? [] : [["Next try", next] as const]),
        ["Destination", addressOf(view, request)],
        ...(destination === undefined
          ? []
          : [["Destination's state", <State state={destination} now={now} />] as const]),
      ]}
    />
  );
}

function Events(props: {
  source: string;
  events: NotificationView["events"];
  now: number;
}): JSX.Element {
  const { source, events, now } = props;
  return (
    <Table
      heads={["Event", "Object", "Changed", "Data"]}
      rows={events.map((event) => [
        <a href={eventAddress(source, event.seq)}>{event.eventType}</a>,
        `${event.objectType} ${event.objectId}`,
        <Instant at={event.date} now={now} />,
        <details>
          <summary>Show</summary>
          <pre tabindex={0}>
            {event.data === undefined ? "Too large to be shown" : readable(event.data)}
          </pre>
        </details>,
      ])}
    />
  );
}

function Curl({ request }: { request: RequestView }): JSX.Element | null {
  const command = curlOf(request);
  if (command === undefined) return null;
  return (
    <>
      <h2>As a command</h2>
      <p class="quiet small">The same request by hand; secrets are masked, and stay so.</p>
      <Copyable text={command} label="the request as a curl command" />
    </>
  );
}

/** The tries of a notification, the latest first. */
export function Attempts({ attempts, now }: { attempts: Attempt[]; now: number }): JSX.Element {
  return (
    <Table
      heads={["Try", "When", "Status", "Took", "Answer"]}
      rows={attempts
        .toReversed()
        .map((attempt) => [
          <span class="num">{attempt.n}</span>,
          <Instant at={attempt.at} now={now} />,
          attempt.status === null ? (
            <Pill tone="bad">no answer</Pill>
          ) : (
            <Pill tone={attempt.status >= 200 && attempt.status < 300 ? "good" : "bad"}>
              {attempt.status}
            </Pill>
          ),
          <span class="num">{attempt.durationMs} ms</span>,
          <Answer attempt={attempt} />,
        ])}
    />
  );
}

function Answer({ attempt }: { attempt: Attempt }): JSX.Element {
  const { error, responseBody, responseHeaders, truncated } = attempt;
  const headers = Object.entries(responseHeaders);
  if (error === null && responseBody === "" && headers.length === 0)
    return <span class="quiet">empty</span>;
  return (
    <>
      {error === null ? null : <span class="event">{error}</span>}
      {responseBody === "" ? null : (
        <details>
          <summary>{truncated ? "Show its beginning" : "Show"}</summary>
          <pre tabindex={0}>{readable(responseBody)}</pre>
        </details>
      )}
      {headers.length === 0 ? null : (
        <details>
          <summary>Headers</summary>
          <pre tabindex={0}>{headers.map(([name, value]) => `${name}: ${value}`).join("\n")}</pre>
        </details>
      )}
    </>
  );
}
