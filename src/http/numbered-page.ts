import type { Context } from "hono";
import { wholeNumber } from "../values/whole-number";
import { invalid } from "./refusal";

/**
 * One page of a list on the connector surface: `page` from 1 and `pageSize`, or the token that came with the page
 * before (reference connector-events-api.md §2).
 */
export type Page = {
  offset: number;
  limit: number;
  /** Sets the paging headers of an answer with `returned` of `total` items. */
  answer: (c: Context, returned: number, total: number) => void;
};

const DEFAULT_SIZE = 200;
const MOST = 1_000;

/** @throws Refusal naming the parameter that is wrong. */
export function pageOf(query: Record<string, string>): Page {
  const limit = readWholeNumber(query["pageSize"], "pageSize", DEFAULT_SIZE, MOST);
  const token = query["nextPage"];
  const offset =
    token === undefined || token === ""
      ? (readWholeNumber(query["page"], "page", 1, 1_000_000) - 1) * limit
      : offsetOf(token);
  return {
    offset,
    limit,
    answer: (c, returned, total) => {
      c.header("Elements-Returned-Count", String(returned));
      c.header("Elements-Total-Count", String(total));
      if (offset + returned < total)
        c.header("Elements-Next-Page-Token", btoa(`offset:${offset + returned}`));
    },
  };
}

function offsetOf(token: string): number {
  try {
    const match = /^offset:(\d{1,9})$/.exec(atob(token));
    if (match !== null) return Number(match[1]);
  } catch {
    // Not base64: refused below.
  }
  throw invalid(`nextPage: '${token}' is not a token of the previous page`, "nextPage");
}

/** How many items are left out: a whole number, 0 without it. @throws Refusal naming the parameter. */
export function readOffset(text: string | undefined, name: string): number {
  const offset = wholeNumber(text === undefined || text === "" ? "0" : text);
  if (offset === undefined) throw invalid(`${name}: Expected a whole number, got '${text}'`, name);
  return offset;
}

/** A query parameter that is a whole number from 1 to `most`; `absent` without it. @throws Refusal naming it. */
export function readWholeNumber(
  text: string | undefined,
  name: string,
  absent: number,
  most: number,
): number {
  if (text === undefined || text === "") return absent;
  const value = wholeNumber(text) ?? 0;
  if (value < 1 || value > most)
    throw invalid(`${name}: Expected a whole number from 1 to ${most}, got '${text}'`, name);
  return value;
}
