import type { JSX } from "hono/jsx/jsx-runtime";
import { EXAMPLES } from "../examples";
import type { SourceName } from "../names.io";
import { Empty, IfMayChange } from "../parts";
import { type Asked, DeliverAgain } from "./again";
import type { Page } from "./find.io";
import { type Choice, SearchForm } from "./form";
import { EventList, From, type Names } from "./list";
import { eventsAddress, oneSource, PUBLISHED, type Search } from "./search";

/** A list is brought up to date at most once in so many milliseconds: of one stream, and of many. */
const EVERY_MS = { one: 1_000, many: 4_000 };

export type Shown = Page & {
  search: Search;
  names: Names;
  /** What the form offers, in words. */
  sources: readonly Choice[];
  destinations: readonly Choice[];
  recovers: Choice | undefined;
  /** Whether the list has all sources, and not just the latest. */
  isListed: boolean;
  cursor: string | undefined;
  asked: Asked | undefined;
  now: number;
};

/** Events of one source, or of the organization's latest sources: looked for, and live. */
export function EventsPage(props: Shown): JSX.Element {
  const { search, names, cursor, found, now } = props;
  const source = oneSource(search);
  const isLive = cursor === undefined && Object.keys(search.faults).length === 0;
  const hasLines = found.some(({ lines }) => lines.length > 0);
  return (
    <>
      <Head search={search} names={names} />
      <SearchForm {...props} />
      {source === undefined ? null : <DeliverAgain {...props} source={source} />}
      <div class="liveline">
        <p class="quiet small">
          <Looked {...props} />
        </p>
        {isLive ? (
          <>
            <span class="quiet small" id="live-state" role="status"></span>
            <button type="button" id="pause" hidden>
              Pause
            </button>
          </>
        ) : (
          <a href={eventsAddress(search.typed)}>To the latest</a>
        )}
      </div>
      <div id="live" data-every={source === undefined ? EVERY_MS.many : EVERY_MS.one}>
        {hasLines ? (
          <EventList found={found} names={names} now={now} withSource={source === undefined} />
        ) : (
          <NoEvent {...props} />
        )}
      </div>
      <p class="more" id="more">
        <Older {...props} hasLines={hasLines} />
      </p>
    </>
  );
}

function Head({ search, names }: { search: Search; names: Names }): JSX.Element {
  const source = oneSource(search);
  const all =
    search.typed.source === PUBLISHED ? "All that was published" : "Everything that came in";
  const [, tenant] = /^tenant:(?!-$)(.+)$/.exec(source ?? "") ?? [];
  const query = tenant === undefined ? "" : `?tenant=${encodeURIComponent(tenant)}`;
  return (
    <div class="head">
      <div>
        <h1>Events</h1>
        <p class="quiet">{source === undefined ? all : <Of source={source} names={names} />}</p>
      </div>
      <div class="acts">
        <a class="button" href="/console/event-types">
          Event types
        </a>
        <IfMayChange>
          <a class="button" href={`/console/publish${query}`}>
            Publish an event
          </a>
        </IfMayChange>
      </div>
    </div>
  );
}

function Of({ source, names }: { source: string; names: Names }): JSX.Element {
  const kind = names.sources.get(source)?.kind;
  return (
    <>
      {kind === undefined ? null : KINDS[kind]}
      <From source={source} names={names} />
      {kind === "instance" ? (
        <>
          {" · "}
          <a href={`${names.sources.get(source)?.href}#untaken`}>what came and gave no event</a>
        </>
      ) : null}
    </>
  );
}

const KINDS: Record<SourceName["kind"], string> = {
  instance: "Of the instance ",
  user: "Of the app’s user ",
  scope: "Of changes in ",
  tenant: "",
  own: "",
};

/** Where was looked: an honest line. */
function Looked({ search, names, sources, isListed }: Shown): JSX.Element {
  const { filter } = search;
  if (Object.keys(search.faults).length > 0) return <></>;
  if (oneSource(search) !== undefined)
    return <>{filter.text === undefined ? "All that is kept of it." : TEXT}</>;
  if (isListed)
    return <>All sources: what is {filter.status} is listed for all of them together.</>;
  const called = [...names.sources.values()].map(({ name }) => name);
  const most = sources.length === 1 ? "one source" : `${sources.length} sources`;
  return (
    <>
      Looked through the {most} in which something happened last
      {called.length === 0 ? "" : `: ${called.join(", ")}`}. Others are found by their own page.{" "}
      {filter.text === undefined ? "" : TEXT}
    </>
  );
}

const TEXT =
  "A text is looked for in 2,000 events at a time: more fields or a time narrow it down.";

function Older({ search, next, hasLines }: Shown & { hasLines: boolean }): JSX.Element | null {
  if (next === null) return null;
  return <a href={eventsAddress(search.typed, next)}>{hasLines ? "Older" : "Look further back"}</a>;
}

function NoEvent({ search, next }: Shown): JSX.Element {
  if (Object.keys(search.faults).length > 0)
    return <Empty title="Not looked for" text="A field above is wrong; nothing was searched." />;
  const isNarrow = Object.keys(search.typed).some((name) => name !== "source");
  if (next !== null)
    return (
      <Empty title="Nothing yet" text="Nothing that fits is among the latest; look further back." />
    );
  if (isNarrow)
    return (
      <Empty
        title="No such event"
        text="Nothing that is kept fits. Take a field away, or widen the time."
      />
    );
  return (
    <Empty
      title="No event yet"
      text="Each change in a connected account, each event of your app and each change of a resource shows here the moment it is stored. This publishes one:"
      example={EXAMPLES.event}
    />
  );
}
