import type { JSX } from "hono/jsx/jsx-runtime";
import { isoTextOrNull } from "../../values/instant";
import { Choice as ChoiceField, Field as TextField, Instant } from "../form";
import { type Field, PUBLISHED, type Search } from "./search";

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
      <Select
        search={search}
        name="source"
        label="From"
        none="everywhere"
        choices={[[PUBLISHED, "all that is published"], ...sources]}
      />
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

/** What a field of the search is called by, and what is wrong with it. */
const aboutOf = ({ search, name, label }: Of) => ({
  id: `search-${name}`,
  name,
  label,
  fault: search.faults[name],
});

function Text(props: Of & { example: string }): JSX.Element {
  const { search, name, example } = props;
  return <TextField {...aboutOf(props)} value={search.typed[name] ?? ""} placeholder={example} />;
}

/** An instant; what is none stays as it was typed. */
function Time(props: Of): JSX.Element {
  const typed = props.search.typed[props.name] ?? "";
  const iso = typed === "" ? null : isoTextOrNull(Date.parse(typed));
  return <Instant {...aboutOf(props)} value={iso === null ? typed : iso.slice(0, 19)} />;
}

function Select(props: Of & { none: string; choices: readonly Choice[] }): JSX.Element {
  const { search, name, none, choices } = props;
  const offered = [["", none] as const, ...choices];
  return <ChoiceField {...aboutOf(props)} value={search.typed[name] ?? ""} of={offered} />;
}
