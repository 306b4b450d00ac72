import type { Resource } from "../../connectors/definition";

/**
 * The `where` and `orderBy` of the hubs API (connector-events-api.md §7).
 *
 *     expr  = and {"OR" and} ;  and = term {"AND" term} ;  term = "(" expr ")" | cond
 *     cond  = field ("="|"!="|"<"|">"|"<="|">=") value | field "LIKE" string
 *           | field "IN" "(" value {"," value} ")" | field "IS" ["NOT"] "NULL"
 *     field = name {"." name} | "`" text "`" ;  value = 'string' | number | true | false | bare-token
 *
 * Keywords in any case; a keyword is a field only in backticks and a value only in quotes.
 */

export const OPERATORS = ["=", "!=", "<", ">", "<=", ">="] as const;
export type Operator = (typeof OPERATORS)[number];

/** `text` is without quotes and escapes; numbers keep their digits, booleans are in lower case. */
export interface Value {
  kind: "string" | "number" | "boolean" | "bare";
  text: string;
}

/** An `and` has no direct `and` below it, an `or` no `or`; both have two parts or more. */
export type Expression =
  | { kind: "and"; parts: Expression[] }
  | { kind: "or"; parts: Expression[] }
  | { kind: "compare"; field: string; operator: Operator; value: Value }
  | { kind: "like"; field: string; pattern: string }
  | { kind: "in"; field: string; values: Value[] }
  | { kind: "null"; field: string; not: boolean };

export interface OrderBy {
  field: string;
  direction: "asc" | "desc";
}

type Failure = { ok: false; message: string };
export type ParsedWhere = { ok: true; expression: Expression } | Failure;
export type ParsedOrderBy = { ok: true; orderBy: OrderBy } | Failure;
export type MappedWhere = { ok: true; parameters: Record<string, string> } | Failure;

/** Positions in messages count UTF-16 units from 1. */
export const parseWhere = (text: string): ParsedWhere =>
  guarded("where", text, (tokens) => ({ ok: true, expression: readExpression(tokens, 0) }));

/** `Field asc|desc`; ascending when it does not say. */
export const parseOrderBy = (text: string): ParsedOrderBy =>
  guarded("orderBy", text, (tokens) => {
    const field = readField(tokens);
    const direction = takeKeyword(tokens, "DESC") ? "desc" : "asc";
    if (direction === "asc") takeKeyword(tokens, "ASC");
    return { ok: true, orderBy: { field, direction } };
  });

/** Only comparisons joined by AND can become request parameters. */
export function mapWhere(expression: Expression, resource: Pick<Resource, "where">): MappedWhere {
  const parameters = new Map<string, string>();
  for (const condition of expression.kind === "and" ? expression.parts : [expression]) {
    const mapped = mapCondition(condition, resource);
    if ("unsupported" in mapped) {
      return {
        ok: false,
        message: `Unsupported ${mapped.unsupported} in where; ${supported(resource)}`,
      };
    }
    if (parameters.has(mapped.parameter)) {
      return { ok: false, message: `Repeated condition on "${mapped.field}" in where` };
    }
    parameters.set(mapped.parameter, mapped.value.text);
  }
  return { ok: true, parameters: Object.fromEntries(parameters) };
}

function mapCondition(
  condition: Expression,
  resource: Pick<Resource, "where">,
): { parameter: string; field: string; value: Value } | { unsupported: string } {
  switch (condition.kind) {
    case "and":
    case "or": {
      const fields = [...new Set(fieldsOf(condition))].map((field) => `"${field}"`);
      return { unsupported: `${condition.kind.toUpperCase()} of ${fields.join(", ")}` };
    }
    case "like":
      return { unsupported: `operator "LIKE" of "${condition.field}"` };
    case "in":
      return { unsupported: `operator "IN" of "${condition.field}"` };
    case "null":
      return {
        unsupported: `operator "IS ${condition.not ? "NOT " : ""}NULL" of "${condition.field}"`,
      };
    case "compare": {
      const { field, operator, value } = condition;
      const rule = Object.hasOwn(resource.where, field) ? resource.where[field] : undefined;
      if (!rule) return { unsupported: `field "${field}"` };
      if (!rule.operators.includes(operator)) {
        return { unsupported: `operator "${operator}" of "${field}"` };
      }
      return { parameter: rule.parameter, field, value };
    }
  }
}

const fieldsOf = (expression: Expression): string[] =>
  "parts" in expression ? expression.parts.flatMap(fieldsOf) : [expression.field];

function supported(resource: Pick<Resource, "where">): string {
  const fields = Object.entries(resource.where).map(
    ([field, { operators }]) => `"${field}" (${operators.join(" ")})`,
  );
  return fields.length === 0
    ? "it supports no conditions"
    : `it supports ${fields.join(", ")}, joined by AND`;
}

// Tokens

type Token =
  | { kind: "symbol" | "word" | "string" | "quotedField"; text: string; raw: string; at: number }
  | { kind: "end"; text: ""; raw: ""; at: number };

interface Tokens {
  readonly all: Token[];
  readonly end: Token;
  next: number;
}

/** Thrown and caught in this file only. */
class Mistake extends Error {
  readonly at: number;
  readonly expected: string;
  readonly found: string;
  constructor(at: number, expected: string, found: string) {
    super();
    this.at = at;
    this.expected = expected;
    this.found = found;
  }
}

function guarded<T>(name: string, text: string, read: (tokens: Tokens) => T): T | Failure {
  try {
    const end: Token = { kind: "end", text: "", raw: "", at: text.length };
    const tokens: Tokens = { all: tokenize(text), end, next: 0 };
    const result = read(tokens);
    const rest = peek(tokens);
    if (rest.kind !== "end")
      throw mistake(rest, name === "where" ? "AND, OR or the end" : "the end");
    return result;
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const { at, expected, found } = error;
    const shown = found.length > 40 ? `${found.slice(0, 40)}…` : found;
    const what = found === "" ? "the end" : `"${shown}"`;
    return {
      ok: false,
      message: `Invalid ${name}: expected ${expected} at position ${at + 1}, found ${what}`,
    };
  }
}

const mistake = (token: Token, expected: string) => new Mistake(token.at, expected, token.raw);

const TOKEN =
  /\s+|(?<string>'[^']*(?:''[^']*)*')|`(?<field>[^`]+)`|(?<symbol>[<>!]=|[=<>(),])|(?<word>[^\s'"`(),<>=!]+)/y;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new Mistake(at, lexicalHint(text.charAt(at)), text.slice(at));
    const raw = match[0];
    const { string, field, symbol, word } = match.groups ?? {};
    if (string !== undefined) {
      tokens.push({ kind: "string", text: string.slice(1, -1).replaceAll("''", "'"), raw, at });
    } else if (field !== undefined) tokens.push({ kind: "quotedField", text: field, raw, at });
    else if (symbol !== undefined) tokens.push({ kind: "symbol", text: symbol, raw, at });
    else if (word !== undefined) tokens.push({ kind: "word", text: word, raw, at });
    at += raw.length;
  }
  return tokens;
}

function lexicalHint(character: string): string {
  switch (character) {
    case "'":
      return "text closed by a single quote";
    case "`":
      return "a field closed by a backtick";
    case '"':
      return "text in single quotes";
    default:
      return "!=";
  }
}

const peek = (tokens: Tokens): Token => tokens.all[tokens.next] ?? tokens.end;

function take(tokens: Tokens): Token {
  const token = peek(tokens);
  if (token.kind !== "end") tokens.next += 1;
  return token;
}

const KEYWORDS = new Set(["AND", "OR", "LIKE", "IN", "IS", "NOT", "NULL"]);
const isKeyword = (text: string) => KEYWORDS.has(text.toUpperCase());

function takeKeyword(tokens: Tokens, keyword: string): boolean {
  const token = peek(tokens);
  const found = token.kind === "word" && token.text.toUpperCase() === keyword;
  if (found) tokens.next += 1;
  return found;
}

function takeSymbol(tokens: Tokens, symbol: string): boolean {
  const token = peek(tokens);
  const found = token.kind === "symbol" && token.text === symbol;
  if (found) tokens.next += 1;
  return found;
}

// Grammar

const DEEPEST = 50;

function readExpression(tokens: Tokens, depth: number): Expression {
  const parts = [readAnd(tokens, depth)];
  while (takeKeyword(tokens, "OR")) parts.push(readAnd(tokens, depth));
  return join("or", parts);
}

function readAnd(tokens: Tokens, depth: number): Expression {
  const parts = [readTerm(tokens, depth)];
  while (takeKeyword(tokens, "AND")) parts.push(readTerm(tokens, depth));
  return join("and", parts);
}

function join(kind: "and" | "or", parts: Expression[]): Expression {
  const flat = parts.flatMap((part) => (part.kind === kind ? part.parts : [part]));
  const [only, ...others] = flat;
  return only && others.length === 0 ? only : { kind, parts: flat };
}

function readTerm(tokens: Tokens, depth: number): Expression {
  const start = peek(tokens);
  if (!takeSymbol(tokens, "(")) return readCondition(tokens);
  if (depth === DEEPEST) throw mistake(start, `at most ${DEEPEST} nested parentheses`);
  const inner = readExpression(tokens, depth + 1);
  if (!takeSymbol(tokens, ")")) throw mistake(peek(tokens), 'AND, OR or ")"');
  return inner;
}

function readCondition(tokens: Tokens): Expression {
  const field = readField(tokens);
  const token = take(tokens);
  if (token.kind === "symbol") {
    const operator = OPERATORS.find((it) => it === token.text);
    if (operator !== undefined)
      return { kind: "compare", field, operator, value: readValue(tokens) };
  }
  if (token.kind === "word") {
    switch (token.text.toUpperCase()) {
      case "LIKE": {
        const pattern = take(tokens);
        if (pattern.kind !== "string") throw mistake(pattern, "text in single quotes");
        return { kind: "like", field, pattern: pattern.text };
      }
      case "IN":
        return { kind: "in", field, values: readValues(tokens) };
      case "IS": {
        const not = takeKeyword(tokens, "NOT");
        if (!takeKeyword(tokens, "NULL"))
          throw mistake(peek(tokens), not ? "NULL" : "NULL or NOT NULL");
        return { kind: "null", field, not };
      }
    }
  }
  throw mistake(token, "=, !=, <, >, <=, >=, LIKE, IN or IS");
}

const NAME = /^[\p{L}_$@][\p{L}\p{M}\p{N}_$@-]*(?:\.[\p{L}_$@][\p{L}\p{M}\p{N}_$@-]*)*$/u;

function readField(tokens: Tokens): string {
  const token = take(tokens);
  if (token.kind === "quotedField") return token.text;
  if (token.kind === "word" && NAME.test(token.text) && !isKeyword(token.text)) return token.text;
  throw mistake(token, "a field");
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function readValue(tokens: Tokens): Value {
  const token = take(tokens);
  if (token.kind === "string") return { kind: "string", text: token.text };
  if (token.kind !== "word" || isKeyword(token.text)) throw mistake(token, "a value");
  if (NUMBER.test(token.text)) return { kind: "number", text: token.text };
  if (/^(?:true|false)$/i.test(token.text))
    return { kind: "boolean", text: token.text.toLowerCase() };
  return { kind: "bare", text: token.text };
}

function readValues(tokens: Tokens): Value[] {
  if (!takeSymbol(tokens, "(")) throw mistake(peek(tokens), '"("');
  const values = [readValue(tokens)];
  while (takeSymbol(tokens, ",")) values.push(readValue(tokens));
  if (!takeSymbol(tokens, ")")) throw mistake(peek(tokens), '"," or ")"');
  return values;
}
