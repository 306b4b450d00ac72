/** The filter language of lists (reference resource-api.md §4): parsed here, translated in `query.ts`. */

export type Operator =
  | "like"
  | "unlike"
  | "equal"
  | "unequal"
  | "less"
  | "at-most"
  | "greater"
  | "at-least"
  | "in"
  | "out"
  | "with"
  | "without";

/**
 * `quoted` tells `"null"` from the bare word that stands for absence. `pattern` is the text in which a backslash stands
 * before each `*`, `_` and `\` that means itself.
 */
export type Value = { text: string; pattern: string; quoted: boolean };

export type Expression =
  | { kind: "or" | "and"; parts: Expression[] }
  | { kind: "test"; property: string; operator: Operator; values: Value[]; list: boolean };

export type Parsed = { ok: true; expression: Expression } | { ok: false; message: string };

const OPERATORS: readonly [string, Operator][] = [
  ["===", "equal"],
  ["!==", "unequal"],
  ["==", "like"],
  ["!=", "unlike"],
  ["=eq=", "equal"],
  ["=neq=", "unequal"],
  ["=lt=", "less"],
  ["=le=", "at-most"],
  ["=gt=", "greater"],
  ["=ge=", "at-least"],
  ["=in=", "in"],
  ["=out=", "out"],
  ["=without=", "without"],
  ["=with=", "with"],
  ["<=", "at-most"],
  [">=", "at-least"],
  ["<", "less"],
  [">", "greater"],
];

const LONGEST = 8_000;
const DEEPEST = 20;

class Unreadable extends Error {}

/** Any text: either an expression, or where and why it is none. */
export function parseRsql(text: string): Parsed {
  if (text.length > LONGEST)
    return { ok: false, message: `The query is longer than ${LONGEST} characters` };
  const reader = new Reader(text);
  try {
    const expression = reader.alternatives(0);
    reader.end();
    return { ok: true, expression };
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, message: error.message };
    throw error;
  }
}

const isSpecial = (char: string): boolean => char === "*" || char === "_" || char === "\\";

/** Outside of quotes a backslash that is before nothing special is a character like any other. */
function bare(word: string): Pick<Value, "text" | "pattern"> {
  let [text, pattern] = ["", ""];
  for (let at = 0; at < word.length; at += 1) {
    const isEscape = word[at] === "\\";
    const isEscaped = isEscape && isSpecial(word[at + 1] ?? "");
    if (isEscaped) at += 1;
    const one = word[at] ?? "";
    text += one;
    pattern += isEscape ? `\\${one}` : one;
  }
  return { text, pattern };
}

class Reader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  alternatives(depth: number): Expression {
    return this.chain("or", ",", (): Expression => this.conjunction(depth));
  }

  end(): void {
    this.skipSpace();
    if (this.at < this.text.length) throw this.unexpected("the end, ';' or ','");
  }

  private conjunction(depth: number): Expression {
    return this.chain("and", ";", (): Expression => this.term(depth));
  }

  private chain(kind: "or" | "and", sign: string, next: () => Expression): Expression {
    const first = next();
    const parts = [first];
    while (this.takes(sign) || this.takesWord(kind)) parts.push(next());
    return parts.length === 1 ? first : { kind, parts };
  }

  private term(depth: number): Expression {
    if (depth > DEEPEST) throw new Unreadable(`Parentheses are nested more than ${DEEPEST} deep`);
    this.skipSpace();
    if (this.takes("(")) {
      const inner = this.alternatives(depth + 1);
      this.expect(")");
      return inner;
    }
    const property = this.word("a property");
    const operator = this.operator();
    this.skipSpace();
    if (this.takes("(")) {
      const values = [this.value()];
      while (this.takes(",")) values.push(this.value());
      this.expect(")");
      return { kind: "test", property, operator, values, list: true };
    }
    return { kind: "test", property, operator, values: [this.value()], list: false };
  }

  private operator(): Operator {
    this.skipSpace();
    for (const [sign, operator] of OPERATORS)
      if (this.text.startsWith(sign, this.at)) {
        this.at += sign.length;
        return operator;
      }
    throw this.unexpected("an operator");
  }

  private value(): Value {
    this.skipSpace();
    const quote = this.text[this.at];
    return quote === "'" || quote === '"'
      ? { ...this.quoted(quote), quoted: true }
      : { ...bare(this.word("a value")), quoted: false };
  }

  private quoted(quote: string): Pick<Value, "text" | "pattern"> {
    const start = this.at;
    let [text, pattern] = ["", ""];
    for (this.at += 1; this.at < this.text.length; this.at += 1) {
      const char = this.text[this.at] ?? "";
      if (char === quote) {
        this.at += 1;
        return { text, pattern };
      }
      const isEscaped = char === "\\";
      if (isEscaped) this.at += 1;
      const one = this.text[this.at] ?? "";
      text += one;
      pattern += isEscaped && isSpecial(one) ? `\\${one}` : one;
    }
    throw new Unreadable(`The quote at position ${start + 1} is not closed`);
  }

  private word(expected: string): string {
    const match = /^[^"'();,=!~<>\s]+/.exec(this.text.slice(this.at));
    if (match === null) throw this.unexpected(expected);
    this.at += match[0].length;
    return match[0];
  }

  private takes(sign: string): boolean {
    this.skipSpace();
    if (!this.text.startsWith(sign, this.at)) return false;
    this.at += sign.length;
    return true;
  }

  /** ` or `, ` and `: a word of its own. */
  private takesWord(word: string): boolean {
    if (!/\s/.test(this.text[this.at - 1] ?? "") && this.text[this.at - 1] !== ")") return false;
    const end = this.at + word.length;
    if (this.text.slice(this.at, end).toLowerCase() !== word) return false;
    if (!/[\s(]/.test(this.text[end] ?? "")) return false;
    this.at = end;
    return true;
  }

  private expect(sign: string): void {
    if (!this.takes(sign)) throw this.unexpected(`'${sign}'`);
  }

  private skipSpace(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at += 1;
  }

  private unexpected(expected: string): Unreadable {
    const found = this.at < this.text.length ? `'${this.text[this.at]}'` : "the end";
    return new Unreadable(`Expected ${expected} at position ${this.at + 1}, found ${found}`);
  }
}
