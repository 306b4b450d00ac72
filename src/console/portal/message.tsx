import type { JSX } from "hono/jsx/jsx-runtime";
import type { DestinationState } from "../../delivery/state";
import { becauseOf } from "../../operations/deliveries/because";
import type { RequestView } from "../../operations/deliveries/lookup.io";
import type { NotificationView } from "../../stream/history";
import { dueAt } from "../../stream/settle";
import { shownStatus, Status } from "../deliveries/list";
import { Attempts } from "../deliveries/page";
import type { Outcome } from "../events/found";
import { Act, Copyable, Empty, Facts, Instant, readable } from "../parts";
import { State } from "../state";
import { addressOf } from "./endpoints";
import { Token } from "../visitors/page";

type Message = {
  view: NotificationView;
  request: RequestView | null;
  destination: DestinationState | undefined;
  endpoint: string;
  now: number;
};

/** What was sent to an endpoint: every try, and the request. */
export function MessagePage(props: Message): JSX.Element {
  const { view, request, now } = props;
  const { notification, id } = view;
  return (
    <>
      <div class="head">
        <div>
          <h1>{titleOf(view)}</h1>
          <p class="quiet">
            Message {id}, <Instant at={notification.createdAt} now={now} />
          </p>
        </div>
        <div class="acts">
          <Act to={`/portal/messages/${encodeURIComponent(id)}/resend`} label="Resend" main>
            <Token />
          </Act>
        </div>
      </div>
      <About {...props} />
      <h2>Tries</h2>
      {notification.attempts.length === 0 ? (
        <Empty title="Not tried yet" text="Each try shows here with its status and answer." />
      ) : (
        <Attempts attempts={notification.attempts} now={now} />
      )}
      {request === null ? null : (
        <>
          <h2>Request body</h2>
          <Copyable
            text={request.truncated ? `${request.body} …` : readable(request.body)}
            label="the request body"
          />
          <h2>Request headers</h2>
          <Facts facts={Object.entries(request.headers)} />
        </>
      )}
    </>
  );
}

function About({
  view: { notification, ...view },
  destination,
  endpoint,
  now,
}: Message): JSX.Element {
  const due = dueAt(notification.state);
  const because = becauseOf(notification, destination);
  return (
    <Facts
      facts={[
        ["Status", <Status status={shownStatus({ ...view, notification })} />],
        ...(because === null ? [] : [["Why", because] as const]),
        ...(due === null || due <= now
          ? []
          : [["Next try", <Instant at={due} now={now} />] as const]),
        ["Endpoint", <a href={addressOf(notification.destinationId ?? "")}>{endpoint}</a>],
        ...(destination === undefined
          ? []
          : [["Endpoint's state", <State state={destination} now={now} />] as const]),
      ]}
    />
  );
}

const titleOf = ({ events }: NotificationView): string =>
  [...new Set(events.map(({ eventType }) => eventType))].join(", ") || "Message";

/** What was published, whoever hears of it. `data`: JSON. */
export function EventPage(props: {
  type: string;
  id: string;
  receivedAt: number;
  channels: readonly string[];
  data: string;
  outcomes: readonly Outcome[];
  names: ReadonlyMap<string, string>;
  now: number;
}): JSX.Element {
  const { type, id, receivedAt, channels, data, outcomes, names, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>{type}</h1>
          <p class="quiet">
            Event {id}, <Instant at={receivedAt} now={now} />
          </p>
        </div>
      </div>
      <Facts
        facts={[
          ...(channels.length === 0 ? [] : [["Channels", channels.join(", ")] as const]),
          ...outcomes.map(
            (outcome) =>
              [
                names.get(outcome.destinationId ?? "") ?? "An endpoint",
                <a href={`/portal/messages/${encodeURIComponent(outcome.id)}`}>
                  <Status status={outcome.status ?? "pending"} />
                </a>,
              ] as const,
          ),
          ...(outcomes.length === 0 ? [["Endpoints", "none hears of it"] as const] : []),
        ]}
      />
      <h2>Data</h2>
      <Copyable text={readable(data)} label="the data" />
    </>
  );
}
