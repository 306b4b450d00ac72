import type { Connector, Operation, Resource } from "../connectors/definition";
import type { Paging } from "../connectors/paging";
import { type DateBound, dateBounds } from "./date-bounds";
import { pageParameters, type PageRequest, positionOfPage } from "./paging";
import type { Position } from "./position";
import { translateList } from "./dialect";
import { findResource, type FoundResource, type Given, type Parameters, valuesOf } from "./request";
import { mapWhere } from "./conditions";
import { type Expression, parseOrderBy, parseWhere } from "./where";
import { quoted } from "../values/text";

/** A list of the hubs API, and which request of the vendor it becomes. */

/**
 * `page` counts from 1 and is ignored when there is a `position`; `fields` is a comma list. `byId`: in the order of
 * the records' ids, where the vendor has one.
 */
export type HubQuery = {
  where?: string;
  orderBy?: string;
  fields?: string;
  pageSize?: number;
  page?: number;
  position?: Position;
  byId?: boolean;
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
  idField: string;
};
type Wrong = { ok: false; message: string };
type Configuration = Readonly<Record<string, string | null>>;

/** Everything that decides which request a list is, apart from its path. */
export function planList(
  connector: Connector,
  path: string,
  query: HubQuery,
  configuration: Configuration,
): { ok: true; plan: ListPlan } | Wrong {
  const found = findResource(connector, path);
  const list = found?.resource.list;
  if (found === undefined || list === undefined)
    return wrong(`Resource '${path}' cannot be listed`);
  const where = readWhere(query.where ?? "", found);
  if (!where.ok) return where;
  const unordered = orderFault(query.orderBy ?? "", found);
  if (unordered !== undefined) return wrong(unordered);
  const page = requestedPage(found.resource, query, configuration);
  if (!page.ok) return page;
  const values = valuesOf({ connector, configuration });
  const filter = listFilter(found, where, { page, fields: listOf(query.fields), values });
  if (!filter.ok) return filter;
  const { paging } = found.resource;
  const { position, size } = page;
  return {
    ok: true,
    plan: {
      ...requestOf(found, query.byId === true ? byIdOf(found.resource, list) : list, page, filter),
      paging,
      position,
      size,
      bounds: dateBounds(where.expression, found.resource),
      fields: listOf(query.fields),
      idField: found.resource.idField,
    },
  };
}

const byIdOf = ({ idOrder }: Resource, list: Operation): Operation => ({
  ...list,
  query: { ...list.query, ...idOrder },
});

type RequestedPage = Extract<PageRequest, { ok: true }> & { position: Position | null };

/**
 * Where the page begins and how many records it may have: the smallest of what caller, vendor and instance
 * allow.
 */
function requestedPage(
  resource: Resource,
  query: HubQuery,
  configuration: Configuration,
): RequestedPage | Wrong {
  const most = Math.min(
    query.pageSize ?? DEFAULT_PAGE_SIZE,
    resource.maxPageSize,
    wholeOf(configuration["pagination.max"]) ?? Infinity,
  );
  const start: ReturnType<typeof positionOfPage> =
    query.position === undefined
      ? positionOfPage(resource.paging, query.page ?? 1, most)
      : { ok: true, position: query.position };
  if (!start.ok) return start;
  const page = pageParameters(resource.paging, start.position, most);
  return page.ok ? { ...page, position: start.position } : page;
}

type ListFilter = { ok: true; parameters: Parameters; body?: Record<string, unknown> } | Wrong;

/** What the first request of a list says besides its page: plain parameters, or the vendor's query language. */
function listFilter(
  { resource, pathValues }: FoundResource,
  { parameters, expression }: { parameters: Parameters; expression?: Expression },
  wanted: { page: RequestedPage; fields: string[]; values: Configuration },
): ListFilter {
  const { page, fields, values } = wanted;
  if (resource.language === undefined)
    return { ok: true, parameters: { ...parameters, ...page.parameters } };
  const { position, size } = page;
  const request = { expression, position, size, fields, values, pathValues };
  const translated = translateList(resource.language, request);
  if (!translated.ok) return translated;
  const { query, body } = translated;
  const all = { ...parameters, ...query };
  return { ok: true, parameters: all, ...(body === undefined ? {} : { body }) };
}

function requestOf(
  { pathValues }: FoundResource,
  list: Operation,
  { continuePath, parameters, url }: RequestedPage,
  filter: Extract<ListFilter, { ok: true }>,
): Pick<ListPlan, "operation" | "given"> {
  return {
    operation: continuePath === undefined ? list : continued(list, continuePath),
    given: {
      pathValues,
      parameters: continuePath === undefined ? filter.parameters : parameters,
      ...(filter.body === undefined ? {} : { body: filter.body }),
      ...(url === undefined ? {} : { url }),
    },
  };
}

/** A vendor's cursor remembers the list it belongs to: the next page is asked for with nothing but the cursor. */
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
  const expression = withCurrentNames(written.expression, resource.formerly);
  if (resource.language !== undefined) return { ok: true, parameters: {}, expression };
  const mapped = mapWhere(expression, resource);
  return mapped.ok ? { ...mapped, expression } : mapped;
}

/** Fields that the expression calls by a former name get the name they have today. */
function withCurrentNames(
  expression: Expression,
  formerly: Readonly<Record<string, string>>,
): Expression {
  if ("parts" in expression)
    return {
      ...expression,
      parts: expression.parts.map((part) => withCurrentNames(part, formerly)),
    };
  const { field } = expression;
  return Object.hasOwn(formerly, field)
    ? { ...expression, field: formerly[field] ?? field }
    : expression;
}

function orderFault(text: string, { name }: FoundResource): string | undefined {
  if (text.trim() === "") return undefined;
  const parsed = parseOrderBy(text);
  if (!parsed.ok) return parsed.message;
  return `Unsupported orderBy "${quoted(parsed.orderBy.field)}"; '${name}' comes in the vendor's own order`;
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
