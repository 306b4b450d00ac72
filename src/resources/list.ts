import { resourceColumns } from "../db/resources";
import { invalid, Refusal } from "../http/refusal";
import { scopeKey, type ScopeName } from "./address";
import type { Hints } from "./hints";
import type { Kind } from "./kinds/kind";
import { scopeKinds } from "./kinds/registry";
import { packedQuery } from "./packed-query";
import { Bindings, type SqlValue, translateQuery } from "./query";

export type Page = { page: number; pageSize: number };
export type Statement = { sql: string; values: SqlValue[] };
export type ListStatements = { rows: Statement; count: Statement };

const DEFAULT_SIZE = 20;
const MOST = 1_000;

/** @throws Refusal naming the parameter (reference resource-api.md §4: no silent cap). */
export function pageOf(query: Record<string, string>): Page {
  return {
    page: whole(query["page"], "page", 1, 1_000_000_000),
    pageSize: whole(query["pageSize"], "pageSize", DEFAULT_SIZE, MOST),
  };
}

function whole(text: string | undefined, name: string, absent: number, most: number): number {
  if (text === undefined || text === "") return absent;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw invalid(
    `Invalid '${name}' parameter '${text}'. Expected a whole number from 1 to ${most}`,
    name,
  );
}

const SORTS: Readonly<Record<string, string>> = {
  name: "r.name",
  title: "r.title",
  "metadata.audit.createTimestamp": "r.seq",
  "metadata.audit.modifyTimestamp": "r.modified_at",
};

type Sort = { column: string; direction: "ASC" | "DESC" };

function sortOf(text: string | undefined): Sort {
  if (text === undefined || text === "") return { column: "r.seq", direction: "ASC" };
  const [field = "", direction = "ASC", ...more] = text.split(",");
  const column = Object.hasOwn(SORTS, field) ? SORTS[field] : undefined;
  const upper = direction.toUpperCase();
  if (column === undefined || more.length > 0 || (upper !== "ASC" && upper !== "DESC"))
    throw invalid(
      `Invalid 'sort' parameter '${text}'. Expected <field>,ASC or <field>,DESC with one of: [${Object.keys(SORTS).join(", ")}]`,
      "sort",
    );
  return { column, direction: upper };
}

/**
 * The SQL of a list and of its count: everything a caller wrote is bound. The index is named, so that a
 * list walks its scope, its kind or a range of names, never the table.
 */
export function listStatements(
  organizationId: number,
  kind: Kind,
  scope: ScopeName | "all",
  query: Record<string, string>,
  { page, pageSize }: Page,
): ListStatements {
  const bindings = new Bindings();
  const base = `r.organization_id = ${bindings.add(organizationId)} AND r.kind = '${kind.kind}'`;
  const text = query["query"]?.trim() ?? "";
  const filter =
    text === "" ? { ok: true as const, sql: "1", hints: {} } : translateQuery(text, kind, bindings);
  if (!filter.ok)
    throw filter.supported === undefined
      ? invalid(`Invalid 'query' parameter '${text}'. ${filter.message}`, "query")
      : new Refusal({ kind: "invalid", message: filter.message, field: "query" });
  const sort = sortOf(query["sort"]);
  const path = accessPath(kind, scope, filter.hints, sort, bindings);
  const from = `FROM ${path.table} WHERE ${base} AND ${path.condition} AND ${filter.sql}`;
  const values = [...bindings.values];
  const order =
    sort.column === "r.seq"
      ? `r.seq ${sort.direction}`
      : `${sort.column} ${sort.direction}, r.seq ${sort.direction}`;
  const limit = bindings.add(pageSize + 1);
  const offset = bindings.add((page - 1) * pageSize);
  return {
    // One row more than the page shows whether it is the last page, whose rows need no counting.
    rows: {
      sql: `SELECT ${resourceColumns("r")} ${from} ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`,
      values: [...bindings.values],
    },
    count: { sql: `SELECT count(*) AS total ${from}`, values },
  };
}

/** Which index a list walks, with the conditions that keep it to a part of it. */
function accessPath(
  kind: Kind,
  scope: ScopeName | "all",
  hints: Hints,
  sort: Sort,
  bindings: Bindings,
): { table: string; condition: string } {
  const scopes = scopesOf(kind, scope, hints);
  const inScopes =
    scopes === undefined
      ? undefined
      : scopes.length === 1
        ? `r.scope = ${bindings.add(scopes[0] ?? "")}`
        : `r.scope IN (${scopes.map((key) => bindings.add(key)).join(", ")})`;
  if (hints.names !== undefined)
    return {
      table: inScopes === undefined ? allScopes : "resources AS r",
      condition: `${inScopes ?? "r.scope = o.scope"} AND ${nameRange(hints.names, bindings)}`,
    };
  if (inScopes === undefined)
    return { table: "resources AS r INDEXED BY resources_kind", condition: "1" };
  return {
    table:
      sort.column === "r.name" ? "resources AS r" : "resources AS r INDEXED BY resources_scope",
    condition: inScopes,
  };
}

/** All scopes of the organization, so that a name can be looked up in each of them by its key. */
const allScopes = `(SELECT '' AS scope UNION ALL SELECT s.kind || '/' || s.name FROM resources AS s
  WHERE s.organization_id = ?1 AND s.kind IN (${scopeKinds.map((kind) => `'${kind}'`).join(", ")}))
  AS o CROSS JOIN resources AS r`;

/** The scopes a list can have rows of, when they are few; undefined: all. */
function scopesOf(kind: Kind, scope: ScopeName | "all", hints: Hints): string[] | undefined {
  if (scope !== "all") return [scopeKey(scope)];
  if (kind.scopes.length === 0) return [""];
  const { scopeName } = hints;
  return scopeName === undefined
    ? undefined
    : kind.scopes.map((held) => scopeKey({ kind: held, name: scopeName }));
}

function nameRange(names: NonNullable<Hints["names"]>, bindings: Bindings): string {
  if (names.kind === "one")
    return `r.name IN (SELECT value FROM json_each(${bindings.add(JSON.stringify(names.names))}))`;
  return `r.name >= ${bindings.add(names.prefix)} AND r.name < ${bindings.add(`${names.prefix}\u{10ffff}`)}`;
}

/** Clients bound all headers of an answer together: Node's fetch refuses 16 KB. */
const LONGEST_LINKS = 4_000;

/**
 * `Link` of a page (RFC 8288): next while there is one, self, first, last. A long query repeated four times would
 * not reach every client: then it is packed, and what has no room is left out, next last of all; undefined: all of it.
 */
export function linkHeader(
  path: string,
  search: string,
  page: Page,
  total: number,
): string | undefined {
  const last = Math.max(1, Math.ceil(total / page.pageSize));
  const given = new URLSearchParams(search);
  const compact = search.length * 4 > LONGEST_LINKS ? packedQuery(given) : given;
  const link = (rel: string, number: number): string => {
    const parameters = new URLSearchParams(compact);
    parameters.set("pageSize", String(page.pageSize));
    parameters.set("page", String(number));
    return `<${path}?${parameters.toString()}>; rel="${rel}"`;
  };
  const links = [
    ...(page.page < last ? [link("next", page.page + 1)] : []),
    link("self", page.page),
    link("first", 1),
    link("last", last),
  ];
  const kept = links.reduce<string[]>(
    (some, one) => ([...some, one].join(", ").length > LONGEST_LINKS ? some : [...some, one]),
    [],
  );
  return kept.length === 0 ? undefined : kept.join(", ");
}
