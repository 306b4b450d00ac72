import * as z from "zod";
import { invalid } from "./refusal";

/** Lists of our own surface: `limit` 1–200 (default 50) and an opaque `cursor`. */
export function readLimit(text: string | undefined): number {
  if (text === undefined || text === "") return 50;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 200)
    throw invalid(`limit: Expected a whole number from 1 to 200, got '${text}'`, "limit");
  return limit;
}

/** @throws Refusal when the cursor is none that a list of this kind gave out. */
export function readListCursor<T>(text: string | undefined, schema: z.ZodType<T>): T | null {
  if (text === undefined || text === "") return null;
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(text, "base64url").toString()));
    if (parsed.success) return parsed.data;
  } catch {
    // Said below.
  }
  throw invalid(`cursor: '${text.slice(0, 40)}' is not a cursor of this list`, "cursor");
}

export function writeListCursor(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** An instant of a query parameter, in milliseconds. */
export function readInstant(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === "") return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw invalid(`${name}: Expected an ISO 8601 instant, got '${text}'`, name);
  return at;
}

/** An instant in a body. */
export const instantField = z.iso
  .datetime({ offset: true, error: "Expected an ISO 8601 instant" })
  .transform((text) => Date.parse(text));
