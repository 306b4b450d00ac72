import type { DeliveryItem, Outcome } from "./attempt";

/** A row of the `exceptions` table, in the order of its columns. */
export type ExceptionValues = [
  id: string,
  organizationId: number,
  stream: string,
  destinationId: string,
  status: "retrying" | "held" | "dead",
  reason: string | null,
  attempts: number,
  nextAttemptAt: number | null,
  createdAt: number,
  updatedAt: number,
];

/** As much of a notification as its record takes. */
export type ExceptionItem = Pick<
  DeliveryItem,
  "seq" | "id" | "destinationId" | "createdAt" | "noted"
>;

/**
 * What operators see in the list of exceptions: each notification that is not delivered, and is retried, held or dead.
 * One that was only put off (`pending`, `parked`) has not failed, and keeps the record it has.
 * @returns rows to write, and the ids of notifications that are delivered now and may have a row (`recovered`).
 */
export function exceptionsOf(
  stream: { name: string; organizationId: number },
  items: readonly ExceptionItem[],
  outcomes: readonly Outcome[],
  now: number,
): { rows: ExceptionValues[]; recovered: string[] } {
  const rows: ExceptionValues[] = [];
  const recovered: string[] = [];
  for (const { seq, n, attempt, next } of outcomes) {
    const item = items.find((candidate) => candidate.seq === seq);
    if (item === undefined) continue;
    switch (next.kind) {
      case "pending":
      case "parked":
        break;
      case "delivered":
        if (n > 1 || item.noted) recovered.push(item.id);
        break;
      case "retrying":
      case "held":
      case "dead":
        rows.push([
          item.id,
          stream.organizationId,
          stream.name,
          item.destinationId,
          next.kind,
          next.kind === "retrying" ? null : (next.reason ?? null),
          attempt === undefined ? n - 1 : n,
          next.kind === "retrying" ? Math.round(next.at) : null,
          item.createdAt,
          now,
        ]);
    }
  }
  return { rows, recovered };
}
