import type { Language } from "../connectors/definition";
import { readInstant } from "./date-bounds";
import type { Position, SearchPosition } from "./position";
import type { Expression, Operator, Value } from "./where";
import { quoted } from "../values/text";

/** What the list shall have, to be said in the vendor's query language. */
export type ListRequest = {
  expression: Expression | undefined;
  position: Position | null;
  size: number;
  /** Fields that the caller wants; empty: those in the configuration of the instance. */
  fields: readonly string[];
  values: Readonly<Record<string, string | null>>;
  pathValues: Readonly<Record<string, string>>;
};

export type Translated =
  | { ok: true; query: Record<string, string>; body?: Record<string, unknown> }
  | { ok: false; message: string };

/** The request in the vendor's language: query parameters, or a body. */
export function translateList(language: Language, request: ListRequest): Translated {
  try {
    switch (language.name) {
      case "soql":
        return { ok: true, query: { q: soql(language, request) } };
      case "qbo":
        return { ok: true, query: { query: qbo(language, request) } };
      case "hubspot":
        return { ok: true, query: {}, body: hubspotSearch(language, request) };
    }
  } catch (error) {
    if (error instanceof Untranslatable) return { ok: false, message: error.message };
    throw error;
  }
}

/** Thrown and caught in this file only. */
class Untranslatable extends Error {}

function unsupported(what: string): never {
  throw new Untranslatable(`Unsupported ${what} in where`);
}

// SOQL

function soql(language: Extract<Language, { name: "soql" }>, request: ListRequest): string {
  const { columnsKey, time, id } = language;
  const object = language.object.replace(
    /\{(\w+)\}/g,
    (_, name: string) => request.pathValues[name] ?? "",
  );
  if (!/^\w+$/.test(object)) unsupported(`object '${object}'`);
  const columns =
    request.fields.length > 0
      ? [...new Set([id, time, ...request.fields.map(soqlField)])].join(",")
      : (request.values[columnsKey] ?? id);
  const conditions = request.expression === undefined ? [] : [soqlText(request.expression)];
  const { position } = request;
  if (position !== null && "after" in position) {
    const [at, last] = position.after;
    const instant = soqlLiteral({ kind: "string", text: at });
    conditions.push(
      `((${time} = ${instant} AND ${id} > ${soqlQuoted(last)}) OR ${time} > ${instant})`,
    );
  }
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return `SELECT ${columns} FROM ${object}${where} ORDER BY ${time}, ${id}`;
}

function soqlText(expression: Expression): string {
  switch (expression.kind) {
    case "and":
    case "or":
      return `(${expression.parts.map(soqlText).join(` ${expression.kind.toUpperCase()} `)})`;
    case "compare":
      return `${soqlField(expression.field)} ${expression.operator} ${soqlLiteral(expression.value)}`;
    case "like":
      return `${soqlField(expression.field)} LIKE ${soqlQuoted(expression.pattern)}`;
    case "in":
      return `${soqlField(expression.field)} IN (${expression.values.map(soqlLiteral).join(",")})`;
    case "null":
      return `${soqlField(expression.field)} ${expression.not ? "!=" : "="} null`;
  }
}

function soqlField(name: string): string {
  return /^[A-Za-z]\w*(\.[A-Za-z]\w*)*$/.test(name) ? name : unsupported(`field "${quoted(name)}"`);
}

/** SOQL wants instants, numbers and booleans without quotes, everything else in quotes. */
function soqlLiteral({ kind, text }: Value): string {
  if (kind === "number" || kind === "boolean") return text;
  if (/^\d{4}-\d\d-\d\d$/.test(text) || readInstant(text)?.zoned === true) return text;
  return soqlQuoted(text);
}

const soqlQuoted = (text: string): string =>
  `'${text
    .replace(/[\\'"]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")}'`;

// QuickBooks

function qbo(language: Extract<Language, { name: "qbo" }>, request: ListRequest): string {
  const { object, time, hasActive } = language;
  const { expression, position, size } = request;
  const parts =
    expression === undefined ? [] : expression.kind === "and" ? expression.parts : [expression];
  const conditions = [...parts.map(qboCondition), ...(hasActive ? ["Active IN (true,false)"] : [])];
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const start = position !== null && "offset" in position ? position.offset + 1 : 1;
  return `SELECT * FROM ${object}${where} ORDERBY ${time} ASC STARTPOSITION ${start} MAXRESULTS ${size}`;
}

function qboCondition(condition: Expression): string {
  switch (condition.kind) {
    case "compare":
      if (condition.operator === "!=") return unsupported(`operator "!=" of "${condition.field}"`);
      return `${soqlField(condition.field)} ${condition.operator} ${qboLiteral(condition.value)}`;
    case "like":
      return `${soqlField(condition.field)} LIKE ${qboQuoted(condition.pattern)}`;
    case "in":
      return `${soqlField(condition.field)} IN (${condition.values.map(qboLiteral).join(",")})`;
    case "and":
    case "or":
    case "null":
      return unsupported(`${condition.kind.toUpperCase()}; QuickBooks joins by AND only`);
  }
}

const qboLiteral = ({ kind, text }: Value): string => (kind === "boolean" ? text : qboQuoted(text));
const qboQuoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;

// HubSpot

type Filter = { propertyName: string; operator: string; value?: string; values?: string[] };

const OPERATORS: Record<Operator, string> = {
  "=": "EQ",
  "!=": "NEQ",
  "<": "LT",
  ">": "GT",
  "<=": "LTE",
  ">=": "GTE",
};

/** HubSpot takes at most this many groups of filters, joined by OR. */
const MOST_GROUPS = 5;

function hubspotSearch(
  language: Extract<Language, { name: "hubspot" }>,
  request: ListRequest,
): Record<string, unknown> {
  const { time, id } = language;
  const search: SearchPosition =
    request.position !== null && "search" in request.position
      ? request.position.search
      : { phase: "time" };
  const window = windowFilters(search, time, id);
  const groups = alternatives(request.expression).map((part) => ({
    filters: [...filtersOf(part, time), ...window],
  }));
  if (groups.length > MOST_GROUPS) unsupported(`OR of more than ${MOST_GROUPS}`);
  return {
    filterGroups: groups.filter(({ filters }) => filters.length > 0),
    sorts: [{ propertyName: search.phase === "id" ? id : time, direction: "ASCENDING" }],
    limit: request.size,
    after: search.after ?? "0",
    ...(request.fields.length === 0 ? {} : { properties: request.fields }),
  };
}

/**
 * HubSpot shows at most 10,000 results of a search, so a long one is continued as a new search (`search.ts`): from
 * a later instant on, or, where one instant has too many, at that instant from a higher id on.
 */
function windowFilters(
  { phase, from, id }: SearchPosition,
  time: string,
  idName: string,
): Filter[] {
  if (from === undefined) return [];
  if (phase === "time") return [{ propertyName: time, operator: "GTE", value: from }];
  return [
    { propertyName: time, operator: "EQ", value: from },
    { propertyName: idName, operator: "GT", value: id ?? "0" },
  ];
}

function alternatives(expression: Expression | undefined): (Expression | undefined)[] {
  return expression?.kind === "or" ? expression.parts : [expression];
}

function filtersOf(expression: Expression | undefined, time: string): Filter[] {
  if (expression === undefined) return [];
  switch (expression.kind) {
    case "and":
      return expression.parts.flatMap((part) => filtersOf(part, time));
    case "compare": {
      const { field, operator, value } = expression;
      // A bare `lastmodifieddate='…'` has always meant "since" in this connector.
      const since = field === time && operator === "=";
      return [
        {
          propertyName: field,
          operator: since ? "GTE" : OPERATORS[operator],
          value: epochOf(value.text),
        },
      ];
    }
    case "like": {
      const value = expression.pattern.replaceAll("%", "*");
      return [{ propertyName: expression.field, operator: "CONTAINS_TOKEN", value }];
    }
    case "in":
      return [
        {
          propertyName: expression.field,
          operator: "IN",
          values: expression.values.map(({ text }) => text),
        },
      ];
    case "null":
      return [
        {
          propertyName: expression.field,
          operator: expression.not ? "HAS_PROPERTY" : "NOT_HAS_PROPERTY",
        },
      ];
    case "or":
      return unsupported("OR inside AND");
  }
}

/** Dates are epoch milliseconds in filters, though ISO in results. */
function epochOf(text: string): string {
  const instant = /^\d{4}-\d\d-\d\d/.test(text) ? readInstant(text) : undefined;
  return instant === undefined ? text : String(instant.nanoseconds / 1_000_000n);
}
