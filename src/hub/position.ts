import * as z from "zod";

/** A place in a vendor's list, and the token that stands for it. */

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

/** A position that is put off: an address that may die by then gives way to the last record. */
export function durable(position: Position): Position {
  return "after" in position ? { after: position.after } : position;
}
