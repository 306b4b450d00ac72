import { Refusal } from "../../http/refusal";
import { readFilter } from "../../operations/deliveries/filter";
import type { DeliveryFilter } from "../../stream/delivery-filter";

/** What events are looked for by, as it stands in the address of the page. */
export const FIELDS = [
  "source",
  "objectType",
  "objectId",
  "eventType",
  "status",
  "destinationId",
  "from",
  "to",
  "text",
] as const;
export type Field = (typeof FIELDS)[number];

export type Search = {
  /** As somebody typed it; a field that was left empty is absent. */
  typed: Partial<Record<Field, string>>;
  filter: DeliveryFilter;
  /** What is wrong, by field: of each the words that `/v1` has for it. */
  faults: Partial<Record<Field, string>>;
};

/** The source that stands for all that is published, to whichever tenant. */
export const PUBLISHED = "publish";

/** The one source whose events are looked for; undefined: those of several are. */
export const oneSource = ({ typed: { source } }: Pick<Search, "typed">): string | undefined =>
  source === PUBLISHED ? undefined : source;

/** Fields that not every text is good for. */
const CHECKED = ["status", "from", "to"] as const;

/** Reads the query of the page by the rules of `/v1`'s lists; what is wrong is left out of the filter. */
export function readSearch(query: Readonly<Record<string, string>>): Search {
  const typed = Object.fromEntries(
    FIELDS.flatMap((name) => {
      const value = query[name]?.trim() ?? "";
      return value === "" ? [] : [[name, value]];
    }),
  ) as Search["typed"];
  const faults: Search["faults"] = {};
  const good: Record<string, string> = { ...typed };
  for (const name of CHECKED) {
    const fault = faultOf(name, typed[name]);
    if (fault === undefined) continue;
    faults[name] = fault;
    delete good[name];
  }
  return { typed, faults, filter: readFilter(good) };
}

function faultOf(name: Field, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  try {
    readFilter({ [name]: value });
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.message.replace(/^\w+: /, "");
  }
}

/** Whether it is looked for in notifications, since an event alone has neither status nor destination. */
export const isOfDeliveries = ({ status, destinationId }: DeliveryFilter): boolean =>
  status !== undefined || destinationId !== undefined;

/** The address of a page of events. */
export function eventsAddress(typed: Search["typed"], cursor?: string): string {
  const query = new URLSearchParams(
    FIELDS.flatMap((name): [string, string][] => {
      const value = typed[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  if (cursor !== undefined) query.set("cursor", cursor);
  return query.size === 0 ? "/console/events" : `/console/events?${query.toString()}`;
}

/** The address of one event. A source may hold slashes, which stay as they are. */
export const eventAddress = (source: string, seq: number): string =>
  `/console/events/${seq}/${pathOf(source)}`;

/** Where events of a source are asked for again. */
export const replayAddress = (source: string): string => `/console/events/${pathOf(source)}/replay`;

const pathOf = (source: string): string => source.split("/").map(encodeURIComponent).join("/");
