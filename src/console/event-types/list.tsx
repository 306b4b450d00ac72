import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { EventTypeView } from "../../event-types/event-type";
import { EXAMPLES } from "../examples";
import { Empty, IfMayChange, Pill, Table } from "../parts";

type Props = {
  types: readonly EventTypeView[];
  search: string;
  /** Whose: `own`, `builtIn`, or of both. */
  whose: string;
  /** The address of the next page. */
  next: string | null;
};

export const addressOf = (name: string): string =>
  `/console/event-types/${encodeURIComponent(name)}`;

/** What events look like: the organization's own types, and those of connectors. */
export function TypeList(props: Props): JSX.Element {
  const { types, next } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Event types</h1>
          <p class="quiet">What your events look like, for you and for those who receive them</p>
        </div>
        <IfMayChange>
          <a class="button main" href="/console/new-event-type">
            New event type
          </a>
        </IfMayChange>
      </div>
      <Search {...props} />
      {types.length === 0 ? (
        <Nothing {...props} />
      ) : (
        <Table heads={["Type", "What happened", "Data", "Version"]} rows={types.map(cellsOf)} />
      )}
      {next === null ? null : (
        <p class="more">
          <a href={next}>More types</a>
        </p>
      )}
    </>
  );
}

const Search = ({ search, whose }: Props): JSX.Element => (
  <form class="filters" role="search">
    <label>
      The name holds
      <input name="search" value={search} maxlength={128} autocomplete="off" />
    </label>
    <label>
      Whose
      <select name="whose">
        {[
          ["", "Your own and connectors’"],
          ["own", "Your own"],
          ["builtIn", "Connectors’"],
        ].map(([value, label]) => (
          <option value={value} selected={value === whose}>
            {label}
          </option>
        ))}
      </select>
    </label>
    <div class="acts">
      <button>Search</button>
    </div>
  </form>
);

function Nothing({ search, whose }: Props): JSX.Element {
  if (search !== "")
    return <Empty title="No such type" text={`There is none whose name holds “${search}”.`} />;
  return (
    <Empty
      title={whose === "own" ? "None of your own yet" : "None here"}
      text="A type says what the data of an event is: what you publish is checked by its schema, and your customers read it. Press New event type, or send it:"
      example={EXAMPLES.eventType}
    />
  );
}

function cellsOf({
  name,
  description,
  schema,
  version,
  deprecated,
  builtIn,
}: EventTypeView): Child[] {
  return [
    <a href={addressOf(name)}>{name}</a>,
    <>
      {description} {deprecated ? <Pill tone="wait">deprecated</Pill> : null}
    </>,
    schema === null ? <span class="quiet">any</span> : "checked by a schema",
    builtIn ? <span class="quiet">built in</span> : <span class="num">{version}</span>,
  ];
}
