import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { isoTextOrNull } from "../../values/instant";
import type { Field, Search } from "./search";

/** A choice of a list: its value, and what it is called. */
export type Choice = readonly [value: string, name: string];

const STATUSES = ["pending", "sent", "retrying", "held", "delivered", "dead"];

/** What events are looked for by: a form whose address can be kept and passed on. */
export function SearchForm(props: {
  search: Search;
  sources: readonly Choice[];
  destinations: readonly Choice[];
}): JSX.Element {
  const { search, sources, destinations } = props;
  const chosen = STATUSES.map((status): Choice => [status, status]);
  return (
    <form class="filters" method="get" action="/console/events" role="search">
      <Select search={search} name="source" label="From" none="everywhere" choices={sources} />
      <Text search={search} name="objectType" label="Object type" example="contacts" />
      <Text search={search} name="objectId" label="Object id" example="4711" />
      <Text search={search} name="eventType" label="Event type" example="UPDATED" />
      <Select search={search} name="status" label="Status" none="any" choices={chosen} />
      <Select
        search={search}
        name="destinationId"
        label="Destination"
        none="any"
        choices={destinations}
      />
      <Time search={search} name="from" label="Since (UTC)" />
      <Time search={search} name="to" label="Until (UTC)" />
      <Text search={search} name="text" label="Text in the data" example="anything" />
      <div class="acts">
        <button class="main">Search</button>
        {Object.keys(search.typed).length === 0 ? null : (
          <a class="button" href="/console/events">
            Clear
          </a>
        )}
      </div>
    </form>
  );
}

type Of = { search: Search; name: Field; label: string };

/** A field with its label and, beside it, what is wrong with it. */
function Labelled(props: Of & { children: Child }): JSX.Element {
  const { search, name, label, children } = props;
  const fault = search.faults[name];
  return (
    <label>
      <span>{label}</span>
      {children}
      {fault === undefined ? null : (
        <span class="fault" id={`fault-${name}`}>
          {fault}
        </span>
      )}
    </label>
  );
}

const faultFacts = ({ search, name }: Pick<Of, "search" | "name">): Record<string, string> =>
  search.faults[name] === undefined
    ? {}
    : { "aria-invalid": "true", "aria-describedby": `fault-${name}` };

function Text(props: Of & { example: string }): JSX.Element {
  const { search, name, example } = props;
  return (
    <Labelled {...props}>
      <input
        name={name}
        value={search.typed[name] ?? ""}
        placeholder={example}
        autocomplete="off"
        {...faultFacts(props)}
      />
    </Labelled>
  );
}

/** An instant; what is none stays as it was typed. */
function Time(props: Of): JSX.Element {
  const { search, name } = props;
  const typed = search.typed[name] ?? "";
  const iso = typed === "" ? null : isoTextOrNull(Date.parse(typed));
  const isKept = typed !== "" && iso === null;
  return (
    <Labelled {...props}>
      <input
        type={isKept ? "text" : "datetime-local"}
        step="1"
        name={name}
        value={isKept ? typed : (iso ?? "").slice(0, 19)}
        {...faultFacts(props)}
      />
    </Labelled>
  );
}

function Select(props: Of & { none: string; choices: readonly Choice[] }): JSX.Element {
  const { search, name, none, choices } = props;
  const typed = search.typed[name] ?? "";
  const isOther = typed !== "" && !choices.some(([value]) => value === typed);
  const offered: readonly Choice[] = isOther ? [[typed, typed], ...choices] : choices;
  return (
    <Labelled {...props}>
      <select name={name} {...faultFacts(props)}>
        <option value="">{none}</option>
        {offered.map(([value, called]) => (
          <option value={value} selected={value === typed}>
            {called}
          </option>
        ))}
      </select>
    </Labelled>
  );
}
