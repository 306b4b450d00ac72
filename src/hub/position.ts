import * as z from "zod";

/** A place in a vendor's list. */

const whole = z.number().int().nonnegative();
/** (time, id) of the last record that was read. */
const after = z.tuple([z.string(), z.string()]);
const searchSchema = z.strictObject({
  /** `time`: results from the instant `from` on. `id`: results at exactly that instant, in the order of ids. */
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
 * Where in a list a page begins; small JSON. Page numbers and offsets carry the page size they were computed with:
 * a caller who asks for another size in the middle of the list still skips nothing.
 */
export type Position = z.infer<typeof positionSchema>;

/** Whether following `next` from `current` would read the same page for ever. */
export function samePosition(current: Position | null, next: Position | null): boolean {
  if (current === null || next === null) return false;
  return keyOf(current) === keyOf(next);
}

function keyOf(position: Position): string {
  return JSON.stringify(Object.entries(position).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * A position to go on from later. A next-page URL may have expired by then, so where the last record is known, the
 * list goes on behind that record instead.
 */
export function durable(position: Position): Position {
  return "after" in position ? { after: position.after } : position;
}
