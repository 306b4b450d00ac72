import {
  isKeyword,
  Mistake,
  mistake,
  peek,
  take,
  takeKeyword,
  takeSymbol,
  type Token,
  tokenize,
  type Tokens,
} from "./where-tokens";

/**
 * The `where` and `orderBy` of the hubs API (reference connector-events-api.md §7).
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

/** Longer than any address that may carry one; each token is an object. */
const MOST_CHARACTERS = 65_536;

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

function guarded<T>(name: string, text: string, read: (tokens: Tokens) => T): T | Failure {
  if (text.length > MOST_CHARACTERS)
    return { ok: false, message: `Invalid ${name}: longer than ${MOST_CHARACTERS} characters` };
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
