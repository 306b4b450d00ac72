import type { Resource } from "../connectors/definition";
import type { Expression, Operator } from "./where";
import { readPath } from "../values/path";

/** A `where` bound on one of a resource's own dates, or on a date that a condition of the connector's names. */
export type DateBound = { field: string; operator: "<" | ">" | "<=" | ">="; instant: Instant };

/** Nanoseconds since 1970. `zoned`: the text names a zone; instants with and without one cannot be compared. */
export type Instant = { nanoseconds: bigint; zoned: boolean };

const ORDERED = new Set<Operator>(["<", ">", "<=", ">="]);

/**
 * The date bounds that we check on each record ourselves. The vendor's own filter is often coarser: a `>` becomes
 * a parameter that includes the instant, or that ignores fractions of a second.
 */
export function dateBounds(
  expression: Expression | undefined,
  resource: Pick<Resource, "updatedField" | "createdField" | "where">,
): DateBound[] {
  if (expression === undefined) return [];
  const conditions = expression.kind === "and" ? expression.parts : [expression];
  return conditions.flatMap((condition) => {
    if (condition.kind !== "compare") return [];
    const bound = boundOf(condition.field, condition.operator, resource);
    const instant = instantOfValue(condition.value.text);
    return bound === undefined || instant === undefined ? [] : [{ ...bound, instant }];
  });
}

function boundOf(
  field: string,
  operator: Operator,
  { where, updatedField, createdField }: Parameters<typeof dateBounds>[1],
): Pick<DateBound, "field" | "operator"> | undefined {
  const checks = Object.hasOwn(where, field) ? where[field]?.checks : undefined;
  if (checks !== undefined) return checks;
  const isDate = field === updatedField || field === createdField;
  return isDate && isOrdered(operator) ? { field, operator } : undefined;
}

const isOrdered = (operator: Operator): operator is DateBound["operator"] => ORDERED.has(operator);

/** False only when a date of the record breaks a bound. A date that cannot be read or compared breaks none. */
export function isWithin(record: unknown, bounds: readonly DateBound[]): boolean {
  return bounds.every(({ field, operator, instant }) => {
    const value = readPath(record, field);
    const date = typeof value === "string" ? readInstant(value) : undefined;
    if (date === undefined || date.zoned !== instant.zoned) return true;
    switch (operator) {
      case "<":
        return date.nanoseconds < instant.nanoseconds;
      case ">":
        return date.nanoseconds > instant.nanoseconds;
      case "<=":
        return date.nanoseconds <= instant.nanoseconds;
      case ">=":
        return date.nanoseconds >= instant.nanoseconds;
    }
  });
}

const ISO =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:([Zz])|([+-]\d\d)(?::?(\d\d))?)?$/;

/** ISO 8601 with any number of fraction digits up to nine; the zone may lack its colon. */
export function readInstant(text: string): Instant | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, day, minute, second = "00", fraction = "", utc, hours, minutes = "00"] = match;
  const zone = hours === undefined ? "Z" : `${hours}:${minutes}`;
  const ms = Date.parse(`${day}T${minute}:${second}${zone}`);
  if (Number.isNaN(ms)) return undefined;
  return {
    nanoseconds: BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0")),
    zoned: utc !== undefined || hours !== undefined,
  };
}

/** The instant that a value of a `where` names; a day is its beginning. */
export const instantOfValue = (text: string): Instant | undefined =>
  readInstant(text) ?? readInstant(`${text}T00:00`);
