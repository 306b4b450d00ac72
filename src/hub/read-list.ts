import { isWithin } from "./date-bounds";
import { readId, selectFields } from "./field";
import type { ListPlan } from "./list";
import { nextPosition, totalOf } from "./paging";
import type { Position } from "./position";
import { readPath } from "../values/path";

/** What a vendor's answer to a list means. */

export type ListPage =
  | {
      ok: true;
      records: unknown[];
      next: Position | null;
      total?: number;
      silent?: true;
      /** The ids of all records in the answer, also of those outside the exact date bounds. */
      ids: string[];
      /** Records in the answer that have no id. */
      unnamed: number;
      /** How many records the vendor says that its whole list has, those outside the exact bounds included. */
      counted?: number;
    }
  | { ok: false; message: string };

/**
 * The records of an answer, without those outside the exact date bounds. No content (`undefined`) is an empty list,
 * `silent` since the vendor named none. `total`: when the vendor says it, or when the whole list is on its first page.
 */
export function readList(plan: ListPlan, answer: unknown, headers: Pick<Headers, "get">): ListPage {
  const all = answer === undefined ? [] : recordsAt(answer, plan.operation.root);
  const error = all?.length === 0 ? errorIn(answer) : undefined;
  if (error !== undefined) return refused(`The answer names an error instead of a list: ${error}`);
  if (all === undefined) return refused(`The answer has no list at '${plan.operation.root}'`);
  const { position, size, paging, bounds, fields } = plan;
  const next = nextPosition(paging, {
    position,
    size,
    answer,
    headers,
    count: all.length,
    records: all,
  });
  const within = bounds.length === 0 ? all : all.filter((record) => isWithin(record, bounds));
  const records =
    fields.length === 0 ? within : within.map((record) => selectFields(record, fields));
  const isWhole = position === null && next === null;
  const counted = totalOf(paging, { position, answer, headers });
  // The vendor's total counts records that the exact bounds leave out, so it only holds without bounds.
  const total = isWhole ? records.length : bounds.length === 0 ? counted : undefined;
  const ids = all.flatMap((record) => readId(record, plan.idField) ?? []);
  return {
    ok: true,
    records,
    next,
    ids,
    unnamed: all.length - ids.length,
    ...(answer === undefined ? { silent: true as const } : {}),
    ...(total === undefined ? {} : { total }),
    ...(counted === undefined ? {} : { counted }),
  };
}

/** What a 2xx answer without records says went wrong, in its `errors` or `error`; at most 200 characters. */
function errorIn(answer: unknown): string | undefined {
  const named = readPath(answer, "errors") ?? readPath(answer, "error") ?? null;
  const isEmpty = named === null || named === "" || named === false;
  return isEmpty || (Array.isArray(named) && named.length === 0)
    ? undefined
    : JSON.stringify(named).slice(0, 200);
}

/**
 * The list at `root`. Null counts as an empty list. So does a dotted path whose last member is absent, since
 * some vendors leave out an empty list: `{"QueryResponse":{}}` at `QueryResponse.Customer`. An answer without
 * the members above is not an answer to this list: undefined.
 */
function recordsAt(answer: unknown, root: string): unknown[] | undefined {
  const value = readPath(answer, root);
  if (Array.isArray(value)) return value;
  if (value === null && root !== "") return [];
  if (value !== undefined) return undefined;
  const above = root.includes(".")
    ? readPath(answer, root.slice(0, root.lastIndexOf(".")))
    : undefined;
  return typeof above === "object" && above !== null ? [] : undefined;
}

function refused(message: string): { ok: false; message: string } {
  return { ok: false, message };
}
