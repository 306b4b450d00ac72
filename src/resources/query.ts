import { type Hints, hintsOf } from "./hints";
import type { Kind } from "./kinds/kind";
import { patternCondition } from "./pattern";
import {
  type ElementList,
  listOf,
  type Place,
  type Property,
  propertyOf,
  supportedProperties,
} from "./property";
import { type Expression, parseRsql, type Value } from "./rsql";

export type SqlValue = string | number;

/** A condition with its bound values: user text never stands in the SQL itself. */
export type Condition = { sql: string; hints: Hints };

export type Translated =
  | ({ ok: true } & Condition)
  /** `supported`: the property is unknown. */
  | { ok: false; message: string; supported?: string[] };

/** Values bound by position: SQLite takes a hundred, and the list has some of its own. */
const MOST_VALUES = 80;

export class Bindings {
  readonly values: SqlValue[] = [];

  add = (value: SqlValue): string => {
    this.values.push(value);
    return `?${this.values.length}`;
  };
}

class Refused extends Error {
  readonly supported: string[] | undefined;
  constructor(message: string, supported?: string[]) {
    super(message);
    this.supported = supported;
  }
}

/** The condition a query puts on rows `r` of a kind; its values are added to `bindings`. */
export function translateQuery(text: string, kind: Kind, bindings: Bindings): Translated {
  const parsed = parseRsql(text);
  if (!parsed.ok) return parsed;
  const before = bindings.values.length;
  let aliases = 0;
  const bind = (value: SqlValue): string => {
    if (bindings.values.length - before >= MOST_VALUES)
      throw new Refused(`The query has more than ${MOST_VALUES} values`);
    return bindings.add(value);
  };
  const place: Place = { kind, alias: "r", bind, fresh: () => `e${(aliases += 1)}` };
  const scope: Scope = {
    bind,
    supported: supportedProperties(kind),
    property: (name) => propertyOf(name, place),
    list: (name) => listOf(name, place),
  };
  try {
    return {
      ok: true,
      sql: condition(parsed.expression, scope),
      hints: hintsOf(parsed.expression),
    };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { message, supported } = error;
    return { ok: false, message, ...(supported === undefined ? {} : { supported }) };
  }
}

/** Where the properties of an expression are looked up. */
type Scope = {
  bind: (value: SqlValue) => string;
  supported: string[];
  property: (name: string) => Property | undefined;
  list: (name: string) => ElementList | undefined;
};

type Test = Extract<Expression, { kind: "test" }>;

function condition(expression: Expression, scope: Scope): string {
  if (expression.kind === "test") return testCondition(expression, scope);
  return balanced(
    expression.parts.map((part) => condition(part, scope)),
    expression.kind === "or" ? "OR" : "AND",
  );
}

/** A chain as a tree of little depth: SQLite limits the depth of expressions. */
function balanced(parts: readonly string[], word: string): string {
  const [first = "1"] = parts;
  if (parts.length <= 1) return first;
  const middle = parts.length >> 1;
  return `(${balanced(parts.slice(0, middle), word)} ${word} ${balanced(parts.slice(middle), word)})`;
}

function testCondition(test: Test, scope: Scope): string {
  const { property: name, operator } = test;
  if (operator === "with" || operator === "without") {
    const found = withCondition(test, scope);
    return operator === "with" ? found : `NOT ${found}`;
  }
  const property = scope.property(name);
  if (property === undefined)
    throw new Refused(
      `Invalid 'query' parameter '[${name}]'. Supported: [${scope.supported.join(", ")}]`,
      scope.supported,
    );
  if (test.list && operator !== "in" && operator !== "out")
    throw new Refused(`'${name}': A list of values needs =in= or =out=`);
  const [value] = test.values;
  if (value === undefined) throw new Refused(`'${name}': Expected a value`);
  switch (operator) {
    case "like":
      return holds(property, value, () => like(property, value, scope.bind));
    case "unlike":
      return `NOT ${holds(property, value, () => like(property, value, scope.bind))}`;
    case "equal":
      return holds(property, value, () => compare(property, "=", value.text, scope.bind));
    case "unequal":
      return `NOT ${holds(property, value, () => compare(property, "=", value.text, scope.bind))}`;
    case "less":
      return around(property, compare(property, "<", value.text, scope.bind));
    case "at-most":
      return around(property, compare(property, "<=", value.text, scope.bind));
    case "greater":
      return around(property, compare(property, ">", value.text, scope.bind));
    case "at-least":
      return around(property, compare(property, ">=", value.text, scope.bind));
    case "in":
      return around(property, member(property, test.values, scope.bind));
    case "out":
      return `NOT ${around(property, member(property, test.values, scope.bind))}`;
  }
}

/** True or false, never null: an absent value makes a positive test false. */
function around({ around: wrap }: Property, sql: string): string {
  return wrap === undefined ? `coalesce(${sql}, 0)` : wrap(sql);
}

/** A bare `null` asks whether the property is absent. */
function holds(property: Property, value: Value, test: () => string): string {
  if (value.quoted || value.text !== "null") return around(property, test());
  const { around: wrap, sql } = property;
  return wrap === undefined ? `(${sql} IS NULL)` : `(NOT ${wrap(`${sql} IS NOT NULL`)})`;
}

function withCondition({ property: name, values }: Test, scope: Scope): string {
  const list = scope.list(name);
  const [query] = values;
  if (list === undefined || query === undefined)
    throw new Refused(`'${name}' is not a list that =with= and =without= can look into`);
  const parsed = parseRsql(query.text);
  if (!parsed.ok) throw new Refused(`'${name}': ${parsed.message}`);
  return list.around(
    condition(parsed.expression, {
      bind: scope.bind,
      supported: ["id", "kind", "name"],
      property: list.property,
      list: () => undefined,
    }),
  );
}

/** Case-insensitive with wildcards; numbers and times have neither case nor wildcards. */
function like(
  property: Property,
  { text, pattern }: Value,
  bind: (value: SqlValue) => string,
): string {
  if (property.type === "number" || property.type === "time")
    return compare(property, "=", text, bind);
  const matched = patternCondition(property.sql, pattern, property.type === "name", bind);
  if (matched.ok) return matched.sql;
  throw new Refused(matched.message);
}

function compare(
  property: Property,
  operator: "=" | "<" | "<=" | ">" | ">=",
  text: string,
  bind: (value: SqlValue) => string,
): string {
  return `${property.sql} ${operator} ${bind(valueFor(property, text))}`;
}

function member(
  property: Property,
  values: readonly Value[],
  bind: (value: SqlValue) => string,
): string {
  const list = values.map(({ text }) => valueFor(property, text));
  return `${property.sql} IN (SELECT value FROM json_each(${bind(JSON.stringify(list))}))`;
}

function valueFor({ type }: Property, text: string): SqlValue {
  switch (type) {
    case "name":
    case "text":
      return text;
    case "number":
      if (/^-?\d{1,15}$/.test(text)) return Number(text);
      throw new Refused(`Expected a whole number, got '${text}'`);
    case "time": {
      const at = timeOf(text);
      if (at === undefined)
        throw new Refused(
          `Expected milliseconds since 1970 or a time like 2020-09-04T22:41:30.892+0000, got '${text}'`,
        );
      return at;
    }
  }
}

/** Epoch milliseconds, or the form of reference resource-api.md §3 with any numeric offset or `Z`. */
export function timeOf(text: string): number | undefined {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const match =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(?:Z|([ +-]\d\d):?(\d\d))$/.exec(text);
  if (match === null) return undefined;
  // A raw `+` in a query string arrives as a space.
  const hours = match[2]?.replace(" ", "+");
  const at = Date.parse(hours === undefined ? text : `${match[1]}${hours}:${match[3]}`);
  return Number.isNaN(at) ? undefined : at;
}
