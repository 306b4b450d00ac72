import type { Paging } from "../connectors/paging";
import { type Position, samePosition } from "./position";
import type { Parameters } from "./request";
import { cursorText, nextSearch, type ReadPage } from "./search";
import { readPath } from "../values/path";

/** Which page of a vendor's list is asked for, and which comes after it. */

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
      /** The vendor has another path for later pages, which takes only the page's parameters. */
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
  if (position !== null) {
    const request = laterPage(paging, position, size);
    return request ?? { ok: false, message: "nextPage: The token belongs to another list" };
  }
  const first = paging.style === "page" ? { [paging.pageParameter]: paging.first } : {};
  return { ok: true, parameters: { ...first, ...sizeParameter(paging, size) }, size };
}

/** @returns undefined when the position is of another style of paging. */
function laterPage(paging: Paging, position: Position, size: number): PageRequest | undefined {
  const counted = (parameter: string, start: number, count: number): PageRequest => ({
    ok: true,
    parameters: { [parameter]: start, ...sizeParameter(paging, count) },
    size: count,
  });
  switch (paging.style) {
    case "none":
      return undefined;
    case "page":
      if (!("page" in position)) return undefined;
      return counted(paging.pageParameter, position.page, position.size);
    case "offset":
      if (!("offset" in position)) return undefined;
      return counted(paging.offsetParameter, position.offset, position.size);
    case "cursor": {
      if (!("cursor" in position)) return undefined;
      const cursor = { [paging.cursorParameter]: position.cursor };
      return paging.continuePath === undefined
        ? { ok: true, parameters: { ...sizeParameter(paging, size), ...cursor }, size }
        : { ok: true, parameters: cursor, size, continuePath: paging.continuePath };
    }
    case "nextUrl":
    case "linkHeader":
      if (!("url" in position)) return undefined;
      return { ok: true, parameters: {}, size, url: position.url };
    case "keyset":
      if (!("after" in position)) return undefined;
      return "url" in position
        ? { ok: true, parameters: {}, size, url: position.url }
        : { ok: true, parameters: {}, size };
    case "search":
      return "search" in position ? { ok: true, parameters: {}, size } : undefined;
  }
}

function sizeParameter(paging: Paging, size: number): Parameters {
  return "sizeParameter" in paging && paging.sizeParameter !== undefined
    ? { [paging.sizeParameter]: size }
    : {};
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
      if (paging.morePath !== undefined && readPath(answer, paging.morePath) === false) return null;
      const cursor = cursorText(
        paging.lastField === undefined
          ? readPath(answer, paging.cursorPath ?? "")
          : readPath(page.records.at(-1), paging.lastField),
      );
      if (cursor === undefined) return null;
      // At its end, a change feed answers with an empty page and the same cursor.
      return count === 0 && samePosition(position, { cursor }) ? null : { cursor };
    }
    case "nextUrl": {
      const url = readPath(answer, paging.urlPath);
      return typeof url === "string" && url !== "" ? { url } : null;
    }
    case "linkHeader": {
      const url = nextLink(headers.get("link") ?? "");
      return url === undefined ? null : { url };
    }
    case "keyset": {
      const url = readPath(answer, paging.urlPath);
      const last = page.records.at(-1);
      const [time, id] = [readPath(last, paging.timePath), readPath(last, paging.idPath)];
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
 * Whether a list in numbered pages ends here: when as many records as the vendor's total were `seen`, or with a
 * page that is not full. Where the vendor fixes the page size, we do not know what is full: an empty page ends it.
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

/** The vendor's total of the whole list, if it gives one. */
export function totalOf(
  paging: Paging,
  { position, answer, headers }: Pick<ReadPage, "position" | "answer" | "headers">,
): number | undefined {
  if (paging.style === "none") return undefined;
  // A search that was split (`search.ts`) has the total of its rest only.
  if (position !== null && "search" in position && position.search.from !== undefined)
    return undefined;
  const given =
    paging.totalHeader === undefined
      ? paging.totalPath === undefined
        ? undefined
        : readPath(answer, paging.totalPath)
      : headers.get(paging.totalHeader);
  const total = typeof given === "string" && given !== "" ? Number(given) : given;
  return typeof total === "number" && Number.isSafeInteger(total) && total >= 0 ? total : undefined;
}

/** The links of a Link header: `<target>; parameters`, with commas between them and in quotes. */
function* linksOf(header: string): Generator<{ target: string; parameters: string }> {
  let at = 0;
  for (;;) {
    const open = header.indexOf("<", at);
    const close = open === -1 ? -1 : header.indexOf(">", open);
    if (close === -1) return;
    at = close + 1;
    while (at < header.length && header[at] !== ",") {
      const end = header[at] === '"' ? header.indexOf('"', at + 1) : at;
      at = (end === -1 ? header.length : end) + 1;
    }
    yield { target: header.slice(open + 1, close), parameters: header.slice(close + 1, at) };
  }
}

/** The `rel="next"` target of a Link header (RFC 8288). */
function nextLink(header: string): string | undefined {
  for (const { target, parameters } of linksOf(header)) {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))/i.exec(parameters);
    const relations = (rel?.[1] ?? rel?.[2] ?? "").toLowerCase().split(/\s+/);
    if (target !== "" && relations.includes("next")) return target;
  }
  return undefined;
}
