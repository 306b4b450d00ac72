/** The words that a `where` or an `orderBy` is made of (`where.ts`). */

export type Token =
  | { kind: "symbol" | "word" | "string" | "quotedField"; text: string; raw: string; at: number }
  | { kind: "end"; text: ""; raw: ""; at: number };

export interface Tokens {
  readonly all: Token[];
  readonly end: Token;
  next: number;
}

/** Thrown by readers of tokens, and caught where reading began. */
export class Mistake extends Error {
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

export const mistake = (token: Token, expected: string) =>
  new Mistake(token.at, expected, token.raw);

const TOKEN =
  /\s+|(?<string>'[^']*(?:''[^']*)*')|`(?<field>[^`]+)`|(?<symbol>[<>!]=|[=<>(),])|(?<word>[^\s'"`(),<>=!]+)/y;

export function tokenize(text: string): Token[] {
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

export const peek = (tokens: Tokens): Token => tokens.all[tokens.next] ?? tokens.end;

export function take(tokens: Tokens): Token {
  const token = peek(tokens);
  if (token.kind !== "end") tokens.next += 1;
  return token;
}

const KEYWORDS = new Set(["AND", "OR", "LIKE", "IN", "IS", "NOT", "NULL"]);
export const isKeyword = (text: string) => KEYWORDS.has(text.toUpperCase());

export function takeKeyword(tokens: Tokens, keyword: string): boolean {
  const token = peek(tokens);
  const found = token.kind === "word" && token.text.toUpperCase() === keyword;
  if (found) tokens.next += 1;
  return found;
}

export function takeSymbol(tokens: Tokens, symbol: string): boolean {
  const token = peek(tokens);
  const found = token.kind === "symbol" && token.text === symbol;
  if (found) tokens.next += 1;
  return found;
}
