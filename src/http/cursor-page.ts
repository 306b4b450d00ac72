import * as z from "zod";
import { wholeNumber } from "../values/whole-number";
import { invalid } from "./refusal";

/**
 * Lists of `/v1` are read with `limit`, 1 to 200 (50 if absent), and `cursor`: text that came as
 * `next` with the page before, and that only we understand (reference v1-api.md). The connector surface has numbered
 * pages instead: `numbered-page.ts`.
 */
export function readLimit(text: string | undefined): number {
  if (text === undefined || text === "") return 50;
  const limit = wholeNumber(text) ?? 0;
  if (limit < 1 || limit > 200)
    throw invalid(`limit: Expected a whole number from 1 to 200, got '${text}'`, "limit");
  return limit;
}

/** Where the page begins; null for the first one. @throws Refusal when no list of this kind gave this cursor out. */
export function readListCursor<T>(text: string | undefined, schema: z.ZodType<T>): T | null {
  if (text === undefined || text === "") return null;
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(text, "base64url").toString()));
    if (parsed.success) return parsed.data;
  } catch {
    // Not base64 or not JSON: refused below.
  }
  throw invalid(`cursor: '${text.slice(0, 40)}' is not a cursor of this list`, "cursor");
}

/** A place in a list that goes back in time. */
export const timeCursor = z.strictObject({ at: z.number(), id: z.string() });
export type TimePlace = z.infer<typeof timeCursor>;

export function writeListCursor(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
