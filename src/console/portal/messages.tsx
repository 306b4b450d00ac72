import type { JSX } from "hono/jsx/jsx-runtime";
import { isoTextOrNull } from "../../values/instant";
import { Status } from "../deliveries/list";
import type { Found, Line } from "../events/found";
import { type Field as FieldName, FIELDS, type Search } from "../events/search";
import { Choice, Field, Instant as InstantField } from "../form";
import { Empty, Instant, Table } from "../parts";

export type Names = ReadonlyMap<string, string>;

const HERE = "/portal/messages";
const STATUSES = ["pending", "sent", "retrying", "held", "delivered", "dead"];

/** What was sent to the tenant's endpoints and published to it, newest first, with what it is looked for by. */
export function MessageList(props: {
  found: readonly Found[];
  next: string | null;
  search: Search;
  names: Names;
  now: number;
}): JSX.Element {
  const { found, next, search, names, now } = props;
  const lines = found.flatMap((one) => one.lines);
  return (
    <>
      <div class="head">
        <div>
          <h1>Messages</h1>
          <p class="quiet">What happened, and what became of it at your endpoints</p>
        </div>
      </div>
      <SearchForm search={search} names={names} />
      {lines.length === 0 ? (
        <Nothing isSearch={Object.keys(search.typed).length > 0} />
      ) : (
        <Table
          heads={["When", "Event", "Endpoints"]}
          rows={lines.map((line) => [
            <Instant at={line.receivedAt} now={now} />,
            <Event line={line} />,
            <Outcomes line={line} names={names} />,
          ])}
        />
      )}
      {next === null ? null : (
        <p class="more">
          <a href={messagesAddress(search.typed, next)}>More</a>
        </p>
      )}
    </>
  );
}

const Nothing = ({ isSearch }: { isSearch: boolean }): JSX.Element =>
  isSearch ? (
    <Empty title="Nothing found" text="Nothing that is kept has all of that." />
  ) : (
    <Empty
      title="No message yet"
      text="What your endpoints hear of shows here with each try and its answer. A test of an endpoint shows on its page."
    />
  );

/** What an event is called. What is published has its type alone; of others the object tells more. */
function Event({ line }: { line: Line }): JSX.Element {
  const { seq, source, eventType, objectType, objectId } = line;
  const isPublished = source.startsWith("tenant:");
  const type = isPublished ? eventType : `${objectType}.${eventType}`;
  const about = (
    <>
      <b>{type}</b> <span class="small quiet">{objectId}</span>
    </>
  );
  if (!isPublished) return <span class="event">{about}</span>;
  return (
    <a class="event" href={`/portal/events/${seq}`}>
      {about}
    </a>
  );
}

function Outcomes({ line: { outcomes }, names }: { line: Line; names: Names }): JSX.Element {
  if (outcomes.length === 0) return <span class="quiet">no endpoint hears of it</span>;
  return (
    <>
      {outcomes.map(({ id, destinationId, status }) => (
        <a class="event outcome" href={`${HERE}/${encodeURIComponent(id)}`}>
          {status === undefined ? null : <Status status={status} />}{" "}
          <span class="small">{names.get(destinationId ?? "") ?? "an endpoint"}</span>
        </a>
      ))}
    </>
  );
}

/** The address of a page of messages. */
function messagesAddress(typed: Search["typed"], cursor: string): string {
  const query = new URLSearchParams({ cursor });
  for (const name of FIELDS) if (typed[name] !== undefined) query.set(name, typed[name]);
  return `${HERE}?${query.toString()}`;
}

function SearchForm({ search, names }: { search: Search; names: Names }): JSX.Element {
  const { typed, faults } = search;
  const about = (name: FieldName, label: string) => {
    return { id: `search-${name}`, name, label, fault: faults[name], value: typed[name] ?? "" };
  };
  const instant = (name: "from" | "to", label: string) => {
    const iso = isoTextOrNull(Date.parse(typed[name] ?? ""));
    const value = iso === null ? (typed[name] ?? "") : iso.slice(0, 19);
    return <InstantField {...about(name, label)} value={value} />;
  };
  return (
    <form class="filters" method="get" action={HERE} role="search">
      <Field {...about("eventType", "Event type")} placeholder="order.paid" />
      <Field {...about("objectId", "Id")} placeholder="4711" />
      <Choice
        {...about("status", "Status")}
        of={[["", "any"], ...STATUSES.map((status) => [status, status] as const)]}
      />
      <Choice {...about("destinationId", "Endpoint")} of={[["", "any"], ...names]} />
      {instant("from", "Since (UTC)")}
      {instant("to", "Until (UTC)")}
      <Field {...about("text", "Text in published data")} placeholder="anything" />
      <div class="acts">
        <button class="main">Search</button>
        {Object.keys(typed).length === 0 ? null : (
          <a class="button" href={HERE}>
            Clear
          </a>
        )}
      </div>
    </form>
  );
}
