import type { JSX } from "hono/jsx/jsx-runtime";
import { Status } from "../deliveries/list";
import type { SourceName } from "../names.io";
import { Instant, Table } from "../parts";
import { PUBLISHED } from "../../publish/publication";
import type { Found, Line, Outcome } from "./found";
import { eventAddress } from "./search";

/** Events that went to more destinations than this say how many others there are. */
const OUTCOMES_SHOWN = 3;

export type Names = {
  sources: ReadonlyMap<string, SourceName>;
  destinations: ReadonlyMap<string, string>;
};

/** Events, newest first, each a link to its page. */
export function EventList(props: {
  found: readonly Found[];
  names: Names;
  now: number;
  withSource: boolean;
}): JSX.Element {
  const { found, names, now, withSource } = props;
  const lines = found.flatMap((one) => one.lines);
  return (
    <Table
      heads={["Received", ...(withSource ? ["From"] : []), "Event", "Notifications"]}
      keys={lines.map(keyOf)}
      rows={lines.map((line) => [
        <Instant at={line.receivedAt} now={now} />,
        ...(withSource ? [<From source={line.source} names={names} />] : []),
        <Event line={line} now={now} />,
        <Outcomes line={line} names={names} />,
      ])}
    />
  );
}

const Event = ({ line, now }: { line: Line; now: number }): JSX.Element => (
  <>
    <a class="event" href={eventAddress(line.source, line.seq)}>
      <b>{nameOf(line).type}</b> {nameOf(line).object}
    </a>
    {line.date > now && line.objectType === PUBLISHED ? (
      <span class="small quiet">
        told <Instant at={line.date} now={now} />
      </span>
    ) : null}
  </>
);

/** What happened, and to what; what is published has a type alone. */
export function nameOf(event: Pick<Line, "eventType" | "objectType" | "objectId">): {
  type: string;
  object: string;
} {
  const { eventType, objectType, objectId } = event;
  return objectType === PUBLISHED
    ? { type: eventType, object: objectId }
    : { type: eventType.toLowerCase(), object: `${objectType} ${objectId}` };
}

const keyOf = ({ source, seq, outcomes }: Line): string => `${source} ${seq} ${outcomes[0]?.id}`;

/** Where an event comes from, in words. */
export function From({ source, names }: { source: string; names: Names }): JSX.Element {
  const known = names.sources.get(source);
  if (known === undefined) return <span class="quiet">a source that is gone</span>;
  return known.href === undefined ? (
    <span>{known.name}</span>
  ) : (
    <a href={known.href}>{known.name}</a>
  );
}

function Outcomes({ line, names }: { line: Line; names: Names }): JSX.Element {
  const { outcomes, isFiltered } = line;
  if (outcomes.length === 0)
    return (
      <span class="quiet">{isFiltered ? "turned away by the filter" : "nobody hears it"}</span>
    );
  const more = outcomes.length - OUTCOMES_SHOWN;
  return (
    <>
      {outcomes.slice(0, OUTCOMES_SHOWN).map((outcome) => (
        <a class="event outcome" href={`/console/deliveries/${outcome.id}`}>
          {outcome.status === undefined ? null : <Status status={outcome.status} />}{" "}
          <span class="small">{destinationOf(outcome, names)}</span>
        </a>
      ))}
      {more > 0 ? <span class="event small quiet">and {more} more</span> : null}
    </>
  );
}

export const destinationOf = ({ destinationId }: Outcome, names: Names): string =>
  destinationId === null
    ? ""
    : (names.destinations.get(destinationId) ?? "a destination that is gone");
