import type { Connector, Operation, Paging } from "../connectors/definition";
import { type DateBound, dateBounds, isWithin } from "./date-bounds";
import { selectFields } from "./field";
import { nextPosition, pageParameters, positionOfPage, totalOf } from "./paging";
import type { Position } from "./position";
import { speak } from "./dialect";
import { findResource, type FoundResource, type Given, type Parameters, valuesOf } from "./request";
import { mapWhere } from "./conditions";
import { type Expression, parseOrderBy, parseWhere } from "./where";
import { readPath } from "../values/path";

/** Which vendor request a hub list is, and what its answer says. */

/** `page` is 1-based and gives way to `position`; `fields` is a comma list. */
export type HubQuery = {
  where?: string;
  orderBy?: string;
  fields?: string;
  pageSize?: number;
  page?: number;
  position?: Position;
};

export const DEFAULT_PAGE_SIZE = 200;

export type ListPlan = {
  operation: Operation;
  given: Given;
  paging: Paging;
  position: Position | null;
  size: number;
  bounds: DateBound[];
  fields: string[];
};
type Wrong = { ok: false; message: string };

export function planList(
  connector: Connector,
  path: string,
  query: HubQuery,
  configuration: Readonly<Record<string, string | null>>,
): { ok: true; plan: ListPlan } | Wrong {
  const found = findResource(connector, path);
  const list = found?.resource.list;
  if (found === undefined || list === undefined)
    return wrong(`Resource '${path}' cannot be listed`);
  const { resource } = found;
  const where = readWhere(query.where ?? "", found);
  if (!where.ok) return where;
  const ordered = checkOrder(query.orderBy ?? "", found);
  if (ordered !== undefined) return wrong(ordered);
  const size = Math.min(
    query.pageSize ?? DEFAULT_PAGE_SIZE,
    resource.maxPageSize,
    wholeOf(configuration["pagination.max"]) ?? Infinity,
  );
  const start: ReturnType<typeof positionOfPage> =
    query.position === undefined
      ? positionOfPage(resource.paging, query.page ?? 1, size)
      : { ok: true, position: query.position };
  if (!start.ok) return start;
  const page = pageParameters(resource.paging, start.position, size);
  if (!page.ok) return page;
  const { continuePath, url } = page;
  const spoken = spokenList(found, where, start.position, {
    ...page,
    query,
    configuration,
    connector,
  });
  if (!spoken.ok) return spoken;
  return {
    ok: true,
    plan: {
      operation: continuePath === undefined ? list : continued(list, continuePath),
      given: {
        pathValues: found.pathValues,
        parameters:
          continuePath === undefined
            ? { ...where.parameters, ...(spoken.said ? spoken.query : page.parameters) }
            : page.parameters,
        ...(spoken.body === undefined ? {} : { body: spoken.body }),
        ...(url === undefined ? {} : { url }),
      },
      paging: resource.paging,
      position: start.position,
      size: page.size,
      bounds: dateBounds(where.expression, resource),
      fields: listOf(query.fields),
    },
  };
}

type SpokenList =
  | { ok: true; said: boolean; query: Parameters; body?: Record<string, unknown> }
  | Wrong;

/** The list in its vendor's own language, where it has one. */
function spokenList(
  { resource, pathValues }: FoundResource,
  { expression }: { expression?: Expression },
  position: Position | null,
  asked: {
    size: number;
    query: HubQuery;
    configuration: Readonly<Record<string, string | null>>;
    connector: Connector;
  },
): SpokenList {
  if (resource.language === undefined) return { ok: true, said: false, query: {} };
  const { size, query, configuration, connector } = asked;
  const values = valuesOf({ connector, configuration });
  const fields = listOf(query.fields);
  const given = { expression, position, size, fields, values, pathValues };
  const spoken = speak(resource.language, given);
  return spoken.ok ? { ...spoken, said: true } : spoken;
}

/** A continuation knows its list: it takes the cursor and nothing that the list was asked with. */
function continued(list: Operation, path: string): Operation {
  return { ...list, path, query: {}, ...(list.body === undefined ? {} : { body: {} }) };
}

type ReadWhere = { ok: true; parameters: Parameters; expression?: Expression } | Wrong;

function readWhere(text: string, { resource }: FoundResource): ReadWhere {
  if (text.trim() === "") return { ok: true, parameters: {} };
  if (resource.passThrough !== undefined)
    return { ok: true, parameters: { [resource.passThrough]: text } };
  const written = parseWhere(text);
  if (!written.ok) return written;
  const parsed = { expression: underTodaysNames(written.expression, resource.formerly) };
  if (resource.language !== undefined)
    return { ok: true, parameters: {}, expression: parsed.expression };
  const mapped = mapWhere(parsed.expression, resource);
  return mapped.ok ? { ...mapped, expression: parsed.expression } : mapped;
}

function underTodaysNames(
  expression: Expression,
  formerly: Readonly<Record<string, string>>,
): Expression {
  if ("parts" in expression)
    return {
      ...expression,
      parts: expression.parts.map((part) => underTodaysNames(part, formerly)),
    };
  const { field } = expression;
  return Object.hasOwn(formerly, field)
    ? { ...expression, field: formerly[field] ?? field }
    : expression;
}

function checkOrder(text: string, { name }: FoundResource): string | undefined {
  if (text.trim() === "") return undefined;
  const parsed = parseOrderBy(text);
  if (!parsed.ok) return parsed.message;
  return `Unsupported orderBy "${parsed.orderBy.field}"; '${name}' comes in the vendor's own order`;
}

export type ListPage =
  | { ok: true; records: unknown[]; next: Position | null; total?: number }
  | Wrong;

/** The records of an answer, held against the exact bounds; `total` when the vendor tells it, or the list ends on its first page. */
export function readList(plan: ListPlan, answer: unknown, headers: Pick<Headers, "get">): ListPage {
  const all = recordsAt(answer, plan.operation.root);
  if (all === undefined) return wrong(`The answer has no list at '${plan.operation.root}'`);
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
  // The vendor counts what the exact bounds would leave out.
  const counted = bounds.length === 0 ? totalOf(paging, { position, answer, headers }) : undefined;
  const total = isWhole ? records.length : counted;
  return { ok: true, records, next, ...(total === undefined ? {} : { total }) };
}

/**
 * The list at `root`. Null is an empty one; so is an absent last step of a dotted path, as some vendors
 * leave an empty list out. An answer without even its first step is none of this list.
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

export function listOf(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function wholeOf(text: string | null | undefined): number | undefined {
  const number = Number(text ?? "");
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

function wrong(message: string): Wrong {
  return { ok: false, message };
}
