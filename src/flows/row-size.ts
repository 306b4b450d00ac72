import type { Flow } from "./flow";

/** A row of D1 holds two million bytes. A clone has two descriptors in one: its own, and its template's. */
export const MOST_FLOW_BYTES = 1_900_000;

/** About as many bytes as a flow takes in the database. */
export function flowBytes(flow: Partial<Flow>): number {
  return Object.values(flow).reduce<number>((sum, value) => {
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
    return sum + Buffer.byteLength(text);
  }, 0);
}
