import * as z from "zod";
import type { Paging } from "../../connectors/definition";
import { readField } from "./field";
import type { Parameters } from "./request";

/** Which page of a vendor's list is asked for, and which comes after it. */

const whole = z.number().int().nonnegative();
/** (time, id) of the last record that was read. */
const after = z.tuple([z.string(), z.string()]);
const searchSchema = z.strictObject({
  /** By time from `from` on, or inside the instant `from` by id. */
  phase: z.enum(["time", "id"]),
  /** Epoch ms as text. */
  from: z.string().optional(),
  id: z.string().optional(),
  /** The vendor's own cursor. */
  after: z.string().optional(),
  lastTime: z.string().optional(),
  lastId: z.string().optional(),
});
export type SearchPosition = z.infer<typeof searchSchema>;

export const positionSchema = z.union([
  z.strictObject({ page: z.number().int(), size: whole.positive() }),
  z.strictObject({ offset: whole, size: whole.positive() }),
  z.strictObject({ cursor: z.string().min(1) }),
  z.strictObject({ url: z.string().min(1) }),
  z.strictObject({ url: z.string().min(1), after }),
  z.strictObject({ after }),
  z.strictObject({ search: searchSchema }),
]);

/**
 * Where in a list a page begins; small JSON. Counting positions carry the page size they were counted
 * with, so that a caller who changes it in the middle skips nothing.
 */
export type Position = z.infer<typeof positionSchema>;

/** Above this nothing was made by us. */
const LONGEST_TOKEN = 16_384;

/** A position as the opaque `Elements-Next-Page-Token`. */
export function encodePosition(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** @returns undefined when the token is none of ours. */
export function decodePosition(token: string): Position | undefined {
  if (token.length > LONGEST_TOKEN || !/^[\w-]+$/.test(token)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    return positionSchema.safeParse(value).data;
  } catch {
    return undefined;
  }
}

/** Whether following `next` from `current` would read the same page for ever. */
export function samePosition(current: Position | null, next: Position | null): boolean {
  if (current === null || next === null) return false;
  return keyOf(current) === keyOf(next);
}

function keyOf(position: Position): string {
  return JSON.stringify(Object.entries(position).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export type PositionOfPage =
  | { ok: true; position: Position | null }
  | { ok: false; message: string };

/** Where page `page` (1-based) begins; null is the beginning. */
export function positionOfPage(paging: Paging, page: number, size: number): PositionOfPage {
  if (page === 1) return { ok: true, position: null };
  switch (paging.style) {
    case "page":
      return { ok: true, position: { page: paging.first + page - 1, size } };
    case "offset":
      return { ok: true, position: { offset: (page - 1) * size, size } };
    case "none":
    case "cursor":
    case "nextUrl":
    case "linkHeader":
    case "keyset":
    case "search":
      return {
        ok: false,
        message: `page: '${page}' cannot be reached by number here; follow nextPage`,
      };
  }
}

export type PageRequest =
  | {
      ok: true;
      parameters: Parameters;
      /** Records asked for. */
      size: number;
      /** A continuation with a path of its own: it takes the page's parameters only. */
      continuePath?: string;
      /** The whole address of the page. */
      url?: string;
    }
  | { ok: false; message: string };

/** The parameters of the page at `position`. */
export function pageParameters(
  paging: Paging,
  position: Position | null,
  size: number,
): PageRequest {
  const sized = (count: number): Parameters =>
    "sizeParameter" in paging && paging.sizeParameter !== undefined
      ? { [paging.sizeParameter]: count }
      : {};
  if (position === null) {
    const first = paging.style === "page" ? { [paging.pageParameter]: paging.first } : {};
    return { ok: true, parameters: { ...first, ...sized(size) }, size };
  }
  switch (paging.style) {
    case "page":
      if (!("page" in position)) break;
      return {
        ok: true,
        parameters: { [paging.pageParameter]: position.page, ...sized(position.size) },
        size: position.size,
      };
    case "offset":
      if (!("offset" in position)) break;
      return {
        ok: true,
        parameters: { [paging.offsetParameter]: position.offset, ...sized(position.size) },
        size: position.size,
      };
    case "cursor": {
      if (!("cursor" in position)) break;
      const cursor = { [paging.cursorParameter]: position.cursor };
      return paging.continuePath === undefined
        ? { ok: true, parameters: { ...sized(size), ...cursor }, size }
        : { ok: true, parameters: cursor, size, continuePath: paging.continuePath };
    }
    case "nextUrl":
    case "linkHeader":
      if (!("url" in position)) break;
      return { ok: true, parameters: {}, size, url: position.url };
    case "keyset":
      if (!("after" in position)) break;
      return "url" in position
        ? { ok: true, parameters: {}, size, url: position.url }
        : { ok: true, parameters: {}, size };
    case "search":
      if (!("search" in position)) break;
      return { ok: true, parameters: {}, size };
    case "none":
      break;
  }
  return { ok: false, message: "nextPage: The token belongs to another list" };
}

/** A page as it came: its whole answer, and its records before any were filtered. */
export type ReadPage = {
  position: Position | null;
  size: number;
  answer: unknown;
  headers: Pick<Headers, "get">;
  count: number;
  records: readonly unknown[];
};

/** A position that is put off: an address that may die by then gives way to the last record. */
export function durable(position: Position): Position {
  return "after" in position ? { after: position.after } : position;
}

/** Where the next page begins; null when this was the last. */
export function nextPosition(paging: Paging, page: ReadPage): Position | null {
  const { position, size, answer, headers, count } = page;
  switch (paging.style) {
    case "none":
      return null;
    case "page": {
      const current = position !== null && "page" in position ? position.page : paging.first;
      const seen = (current - paging.first) * size + count;
      return isLast(paging, page, seen) ? null : { page: current + 1, size };
    }
    case "offset": {
      const current = position !== null && "offset" in position ? position.offset : 0;
      return isLast(paging, page, current + count) ? null : { offset: current + count, size };
    }
    case "cursor": {
      if (paging.morePath !== undefined && readField(answer, paging.morePath) === false)
        return null;
      const cursor = cursorText(
        paging.lastField === undefined
          ? readField(answer, paging.cursorPath ?? "")
          : readField(page.records.at(-1), paging.lastField),
      );
      if (cursor === undefined) return null;
      // A feed that has nothing more gives an empty page and the cursor it was asked with.
      return count === 0 && samePosition(position, { cursor }) ? null : { cursor };
    }
    case "nextUrl": {
      const url = readField(answer, paging.urlPath);
      return typeof url === "string" && url !== "" ? { url } : null;
    }
    case "linkHeader": {
      const url = nextLink(headers.get("link") ?? "");
      return url === undefined ? null : { url };
    }
    case "keyset": {
      const url = readField(answer, paging.urlPath);
      const last = page.records.at(-1);
      const [time, id] = [readField(last, paging.timePath), readField(last, paging.idPath)];
      if (typeof url !== "string" || url === "") return null;
      return typeof time === "string" && typeof id === "string"
        ? { url, after: [time, id] }
        : { url };
    }
    case "search":
      return nextSearch(paging, page);
  }
}

/**
 * The page after this one of a search that never gives more than `most` records: at the limit the window is
 * cut at the last record's time; when the whole window was one instant, that instant is read by id.
 */
function nextSearch(paging: Extract<Paging, { style: "search" }>, page: ReadPage): Position | null {
  const { position, answer, records, size } = page;
  const search: SearchPosition =
    position !== null && "search" in position ? position.search : { phase: "time" };
  const { phase, from } = search;
  const last = records.at(-1);
  const time = epochText(readField(last, paging.timePath)) ?? search.lastTime;
  const lastId = highestId(records, paging.idPath, search.lastId);
  const seen = {
    ...(time === undefined ? {} : { lastTime: time }),
    ...(lastId === undefined ? {} : { lastId }),
  };
  const after = cursorText(readField(answer, paging.cursorPath));
  const next = (change: SearchPosition): Position => ({ search: change });
  if (after === undefined)
    return phase === "time" || from === undefined
      ? null
      : next({ phase: "time", from: String(BigInt(from) + 1n) });
  if (Number(after) + size <= paging.most) {
    const own = search.id === undefined ? {} : { id: search.id };
    return next({ phase, ...(from === undefined ? {} : { from }), ...own, ...seen, after });
  }
  if (phase === "id")
    return lastId === undefined || from === undefined ? null : next({ phase, from, id: lastId });
  if (time === undefined) return null;
  return time === from ? next({ phase: "id", from, id: "0" }) : next({ phase: "time", from: time });
}

function epochText(value: unknown): string | undefined {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : String(at);
}

/** Ids are compared as numbers: "9" comes before "10". */
function highestId(
  records: readonly unknown[],
  path: string,
  before: string | undefined,
): string | undefined {
  return records.reduce<string | undefined>((highest, record) => {
    const id = cursorText(readField(record, path));
    if (id === undefined || !/^\d+$/.test(id)) return highest;
    return highest === undefined || BigInt(id) > BigInt(highest) ? id : highest;
  }, before);
}

/**
 * Counted lists end when all that the vendor counts were `seen`, else with a short page; where the size is
 * the vendor's own, with an empty one.
 */
function isLast(
  paging: Extract<Paging, { style: "page" | "offset" }>,
  page: ReadPage,
  seen: number,
): boolean {
  const { count, size } = page;
  const total = totalOf(paging, page);
  if (total !== undefined && seen >= total) return true;
  return paging.sizeParameter === undefined ? count === 0 : count < size;
}

/** How many records the whole list has, where the vendor says so. */
export function totalOf(
  paging: Paging,
  { position, answer, headers }: Pick<ReadPage, "position" | "answer" | "headers">,
): number | undefined {
  if (paging.style === "none") return undefined;
  // A search that was cut counts what is left of it.
  if (position !== null && "search" in position && position.search.from !== undefined)
    return undefined;
  const told =
    paging.totalHeader === undefined
      ? paging.totalPath === undefined
        ? undefined
        : readField(answer, paging.totalPath)
      : headers.get(paging.totalHeader);
  const total = typeof told === "string" && told !== "" ? Number(told) : told;
  return typeof total === "number" && Number.isSafeInteger(total) && total >= 0 ? total : undefined;
}

function cursorText(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The `rel="next"` target of a Link header (RFC 8288). */
function nextLink(header: string): string | undefined {
  for (const [, target = "", parameters = ""] of header.matchAll(
    /<([^>]*)>((?:[^,"]|"[^"]*")*)/g,
  )) {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))/i.exec(parameters);
    const relations = (rel?.[1] ?? rel?.[2] ?? "").toLowerCase().split(/\s+/);
    if (target !== "" && relations.includes("next")) return target;
  }
  return undefined;
}
