import { type Context, Hono } from "hono";
import type * as z from "zod";
import { instanceDestinationId } from "../../delivery/destination";
import { notFound } from "../../http/refusal";
import { isSource, streamOfSource } from "../../operations/streams/lookup.io";
import { replayRequest, startReplay } from "../../operations/streams/replay.io";
import { eventView } from "../../operations/streams/view";
import { instanceOfSource } from "../../stream/stream-name";
import { isoTextOrNull } from "../../values/instant";
import { wholeNumber } from "../../values/whole-number";
import {
  namesOfDestinations,
  namesOfSources,
  publishedSources,
  recentSources,
  type SourceName,
} from "../names.io";
import { leave, readForm } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { AGAIN_FIELDS, type Asked } from "./again";
import { EventPage } from "./event";
import { findIn, findListed, isListed, type Page, readEvent, sourcesOf } from "./find.io";
import type { Choice } from "./form";
import { LIVE_EVENTS } from "./live-script";
import { EventsPage } from "./page";
import { eventsAddress, oneSource, PUBLISHED, readSearch, type Search } from "./search";

/** Without a source, the events of this many are looked through: those in which something happened last. */
const STREAMS = 20;
const DAY_MS = 86_400_000;
/** The form offers this many destinations beside those of the list. */
const OFFERED = 50;

export const eventPages = new Hono<ConsoleEnv>()
  .get("/events", (c) => showEvents(c, readSearch(c.req.query()), undefined))
  .get("/events/:seq{\\d+}/:source{.+}", async (c) => {
    const source = c.req.param("source");
    const names = await namesOf(c, source);
    const { name, stub } = streamOfSource(c, source);
    const found = await readEvent(stub, wholeNumber(c.req.param("seq")) ?? 0);
    if (found === null)
      throw notFound("No such event: it never came, or is older than what is kept");
    const { event, deliveries, raw } = found;
    const destinations = await namesOfDestinations(c, destinationsOf(deliveries));
    return c.render(
      <EventPage
        source={source}
        names={{ sources: names, destinations }}
        event={event}
        printed={eventView(name, event)}
        raw={raw}
        deliveries={deliveries}
        now={Date.now()}
      />,
      { title: `${event.objectType} ${event.objectId}`, here: "events", live: true },
    );
  })
  .post("/events/:source{.+}/replay", async (c) => {
    const source = c.req.param("source");
    await namesOf(c, source);
    const asked = readAsked(await readForm(c));
    if (asked.range === undefined) {
      c.status(400);
      return showEvents(c, readSearch({ source }), asked);
    }
    const jobId = await startReplay(c, { ...streamOfSource(c, source), source }, asked.range);
    const text = `The events of that range are being delivered again (${jobId}): each with the id it had.`;
    return leave(c, eventsAddress({ source }), { tone: "good", text });
  });

/** The name of one source. @throws Refusal `not-found` for what is none of the organization's. */
async function namesOf(c: Context<ConsoleEnv>, source: string): Promise<Map<string, SourceName>> {
  const names = isSource(source) ? await namesOfSources(c, [source]) : new Map();
  if (!names.has(source)) throw notFound(`No source '${source.slice(0, 100)}'`);
  return names;
}

async function showEvents(
  c: Context<ConsoleEnv>,
  search: Search,
  asked: Asked | undefined,
): Promise<Response> {
  const { typed } = search;
  const cursor = c.req.query("cursor") || undefined;
  const isLive = cursor === undefined && asked === undefined;
  const { page, sources, isAll } = await find(c, search, cursor);
  const found = page.found.flatMap(({ lines }) => lines);
  const missing = found.map(({ source }) => source).filter((source) => !sources.has(source));
  const [more, destinations] = await Promise.all([
    namesOfSources(c, [...new Set(missing)]),
    namesOfDestinations(c, [...destinationsFound(page), typed.destinationId ?? ""], OFFERED),
  ]);
  return c.render(
    <EventsPage
      {...page}
      search={search}
      names={{ sources: new Map([...sources, ...more]), destinations }}
      sources={[...sources].map(([value, { name }]): Choice => [value, name])}
      destinations={[...destinations]}
      recovers={recoversOf(oneSource(search), typed.destinationId, destinations)}
      isListed={isAll}
      cursor={cursor}
      asked={asked}
      now={Date.now()}
    />,
    { title: "Events", here: "events", ...(isLive ? { script: LIVE_EVENTS } : {}) },
  );
}

/** A page of what is looked for, and the names of where: nothing as long as a field is wrong. */
async function find(
  c: Context<ConsoleEnv>,
  search: Search,
  cursor: string | undefined,
): Promise<{ page: Page; sources: Map<string, SourceName>; isAll: boolean }> {
  const { typed, filter, faults } = search;
  const source = oneSource(search);
  const isPublished = typed.source === PUBLISHED;
  const isWrong = Object.keys(faults).length > 0;
  const nothing = { found: [], next: null };
  if (source !== undefined) {
    const sources = await namesOf(c, source);
    return {
      page: isWrong ? nothing : await findIn(c, [source], filter, cursor),
      sources,
      isAll: true,
    };
  }
  const isAll = isListed(filter) && !isPublished;
  if (isAll || isWrong || cursor === undefined) {
    const since = Date.now() - DAY_MS;
    const sources = await (isPublished ? publishedSources : recentSources)(c, since, STREAMS);
    if (isWrong) return { page: nothing, sources, isAll };
    const page = isAll
      ? await findListed(c, filter, cursor)
      : await findIn(c, [...sources.keys()], filter, undefined);
    return { page, sources, isAll };
  }
  const known = await namesOfSources(c, sourcesOf(cursor).filter(isSource).slice(0, STREAMS));
  return { page: await findIn(c, [...known.keys()], filter, cursor), sources: known, isAll };
}

const destinationsFound = ({ found }: Page): string[] =>
  found.flatMap(({ lines }) =>
    lines.flatMap(({ outcomes }) => outcomes.flatMap(({ destinationId }) => destinationId ?? [])),
  );

const destinationsOf = (
  views: readonly { notification: { destinationId: string | null } }[],
): string[] => views.flatMap(({ notification }) => notification.destinationId ?? []);

/** Whose dead notifications the page of a source recovers: of the destination looked for, or of the instance's own. */
function recoversOf(
  source: string | undefined,
  destinationId: string | undefined,
  names: ReadonlyMap<string, string>,
): Choice | undefined {
  const instanceId = instanceOfSource(source ?? "");
  const own = instanceId === undefined ? undefined : instanceDestinationId(instanceId);
  const id = destinationId ?? own;
  const name = id === undefined ? undefined : names.get(id);
  return id === undefined || name === undefined ? undefined : [id, name];
}

/** A form of a replay, read by the rules of `/v1`; `range` undefined: something is wrong with it. */
function readAsked(
  form: URLSearchParams,
): Asked & { range: z.output<typeof replayRequest> | undefined } {
  const typed = Object.fromEntries(
    AGAIN_FIELDS.flatMap((name) => {
      const value = form.get(name)?.trim() ?? "";
      return value === "" ? [] : [[name, value]];
    }),
  ) as Asked["typed"];
  const { data, error } = replayRequest.safeParse({
    ...typed,
    ...withZone("from", typed.from),
    ...withZone("to", typed.to),
  });
  const faults = Object.fromEntries(
    (error?.issues ?? []).toReversed().map(({ path, message }) => [String(path[0]), message]),
  );
  return { typed, faults, range: data };
}

/** What a browser's field of a date and time says is UTC: the form says so. */
function withZone(name: "from" | "to", typed: string | undefined): Record<string, string> {
  if (typed === undefined) return {};
  return { [name]: isoTextOrNull(Date.parse(typed)) ?? typed };
}
