import { encode } from "../../accounts/judge.ts";
import type { Sent } from "../client.ts";
import { type Door, sentTo, takesBody } from "./doors.ts";
import { BODIES, filled, inHeader, inUrl, type Raw, TEXTS, URL_BYTES } from "./shapes.ts";

/** A request of a size: its body is at most so long. */
export type Attack = { name: string; sent: (size: number) => Sent };

/**
 * So many of a list: over the doors, and over rounds, each comes to its turn. Every door reads its input with the same
 * few readers, so not each needs each shape.
 */
export class Turns {
  #next: number;
  constructor(round: number) {
    this.#next = round * 7;
  }

  of<T>(all: readonly T[], count: number): T[] {
    const from = this.#next;
    this.#next += Math.min(count, all.length);
    return all.slice(0, count).map((_, index) => all[(from + index) % all.length] as T);
  }
}

/** Bodies that nobody expects: what is JSON everywhere, forms where forms are read, of the rest some. */
export const bodies = (door: Door, turns: Turns): Attack[] =>
  takesBody(door)
    ? bodiesFor(door, turns).map(([name, { type, body }]) => ({
        name,
        sent: (size) => sentTo(door, { body: body(size), headers: { "content-type": type } }),
      }))
    : [];

function bodiesFor(door: Door, turns: Turns): [string, Raw][] {
  const all = Object.entries(BODIES);
  const isRead = (name: string, { type }: Raw): boolean => {
    if (door.path.startsWith("/console")) return /form/.test(type);
    if (door.line.includes("/api-v2/events/")) return true;
    return type.includes("json") && !name.startsWith("raw ");
  };
  const read = all.filter(([name, raw]) => isRead(name, raw));
  const rest = all.filter(([name, raw]) => !isRead(name, raw));
  return [...read, ...turns.of(rest, 8)];
}

type Place = readonly (string | number)[];

/** Where a value holds texts. */
function leaves(value: unknown, at: Place = []): Place[] {
  if (typeof value === "string") return [at];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => leaves(one, [...at, key]));
}

/** A copy of a value with another one at a place. */
export function replaced(value: unknown, [key, ...rest]: Place, by: unknown): unknown {
  if (key === undefined) return by;
  const copy: any = Array.isArray(value) ? [...value] : { ...(value as object) };
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

const MOST_LEAVES = 12;
export const placesOf = (door: Door): Place[] => leaves(door.body).slice(0, MOST_LEAVES);

/** Bodies that fit, but for one text. */
export const fields = (door: Door, turns: Turns): Attack[] =>
  takesBody(door)
    ? placesOf(door).flatMap((place) =>
        turns.of(Object.entries(TEXTS), 8).map(([name, text]) => ({
          name: `${name} as ${place.join(".")}`,
          sent: (size) => {
            const write = (length: number) =>
              encode(door.method, door.path, replaced(door.body, place, filled(text, length))).body;
            // Quotes and the like are longer once they are written.
            const factor = write(1_000).length / 1_000;
            return sentTo(door, { body: write(Math.floor((size * 0.9) / Math.max(1, factor))) });
          },
        })),
      )
    : [];

/** Parameters that lists read, by surface. */
const PARAMETERS: [start: string, names: string[]][] = [
  [
    "/elements",
    [
      "where",
      "nextPage",
      "pageSize",
      "page",
      "from",
      "to",
      "searchText",
      "interval",
      "fields",
      "elementKey",
      "state",
    ],
  ],
  [
    "/v1",
    [
      "cursor",
      "limit",
      "from",
      "to",
      "source",
      "status",
      "objectId",
      "destinationId",
      "actor",
      "action",
      "by",
    ],
  ],
  ["/apis", ["query", "sort", "fields", "embed", "expand", "page", "pageSize"]],
  ["/events", ["query", "sort", "page", "pageSize"]],
  ["/console", ["next", "page", "before", "status", "cursor"]],
  [
    "/",
    [
      "query",
      "pattern",
      "filter",
      "sort",
      "projection",
      "limit",
      "offset",
      "flowId",
      "from",
      "to",
      "sharedWithPermissions",
      "token",
    ],
  ],
];
/** They go through the same readers whatever they ask for. */
const IN_QUERIES = [
  "letters, then another",
  "quotes",
  "backslashes",
  "square brackets",
  "braces",
  "parentheses",
  "dots",
  "conditions",
  "RSQL alternatives",
  "RSQL parts",
  "Lucene words",
  "stars",
  "commas",
  "equals",
  "digits",
  "dates",
  "jsonata",
  "repetition of repetition",
];

export function queries(door: Door, turns: Turns): Attack[] {
  if (door.method !== "GET") return [];
  const names = PARAMETERS.find(([start]) => door.path.startsWith(start))?.[1] ?? [];
  const many: Attack = {
    name: "many parameters",
    sent: () => sentTo(door, { path: `${door.path}?${filled(["a=b", "&a=b", ""], URL_BYTES)}` }),
  };
  const each = names.flatMap((parameter) =>
    turns.of(IN_QUERIES, 3).map((name) => ({
      name: `${name} as ?${parameter}`,
      sent: () => {
        const value = inUrl(TEXTS[name] ?? ["", "a", ""], URL_BYTES);
        return sentTo(door, { path: `${door.path}?${parameter}=${value}` });
      },
    })),
  );
  return [many, ...each];
}

const HEADERS = [
  "authorization",
  "cookie",
  "content-type",
  "element-instances",
  "origin",
  "accept",
  "idempotency-key",
  "x-axway-tenant-id",
  "content-encoding",
  "if-match",
];
const IN_HEADERS = ["letters", "quotes", "commas", "equals", "dots", "digits", "tags", "slashes"];

/** Headers that are long, and a body that is small once it is packed. */
export const headers = (door: Door, turns: Turns): Attack[] =>
  turns.of(HEADERS, 2).flatMap((header) =>
    turns.of(IN_HEADERS, 2).map((name) => ({
      name: `${name} as ${header}`,
      sent: () =>
        sentTo(door, { headers: { [header]: inHeader(TEXTS[name] ?? ["", "a", ""], URL_BYTES) } }),
    })),
  );

const IN_PATHS = ["letters", "dots", "percents", "quotes", "stars", "digits", "jsonata"];

/** Paths with a long text in the place of a thing. */
export function paths(door: Door, turns: Turns): Attack[] {
  const [, route = ""] = door.line.split(" ");
  const at = route.split("/").findIndex((segment) => segment.startsWith(":"));
  if (at < 0) return [];
  return turns.of(IN_PATHS, 3).map((name) => ({
    name: `${name} in the path`,
    sent: () => {
      const segments = door.path.split("/");
      segments[at] = inUrl(TEXTS[name] ?? ["", "a", ""], URL_BYTES);
      return sentTo(door, { path: segments.join("/") });
    },
  }));
}
