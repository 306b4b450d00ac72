import { DEEPEST } from "./depth";

/** Where the value of a member lies among the bytes: from the first of its bytes to the one after its last. */
export type Member = { name: string; from: number; to: number };

const code = (sign: string): number => sign.charCodeAt(0);
const [QUOTE, BACKSLASH, COMMA, COLON, MINUS, PLUS, DOT, ZERO, NINE] = Array.from(
  '"\\,:-+.09',
  code,
);
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Array.from("[]{}", code);
const [TRUE, FALSE, NULL, UPPER_E, LOWER_E, U] = Array.from("tfnEeu", code);
const SPACES = new Set(Array.from(" \t\n\r", code));
const ESCAPED = new Set(Array.from('"\\/bfnrt', code));
const HEX = new Set(Array.from("0123456789abcdefABCDEF", code));
const FIRST_PRINTED = 32;

type Expected = "value" | "item" | "key" | "first key" | "colon" | "more" | "end";

/**
 * Checks JSON text (RFC 8259, at most 500 levels) without making a value of it, which may take ten times the memory, and
 * notes where the values of the outermost object's members lie. It takes time linear in the text, and can be
 * done piece by piece.
 */
export class JsonScan {
  /** Of the outermost object, if the text is one; in their order. */
  readonly members: Member[] = [];
  private at = 0;
  private expected: Expected = "value";
  /** Of each object or list that is open: whether it is an object. */
  private readonly open: boolean[] = [];
  private name = "";
  private from = 0;
  private readonly bytes: Uint8Array;

  /** `bytes`: valid UTF-8. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Reads on until about `until`. @returns whether anything is left. @throws SyntaxError when it is no JSON, or too deep. */
  read(until: number): boolean {
    const { bytes } = this;
    const end = Math.min(until, bytes.length);
    while (this.at < end) {
      const sign = bytes[this.at] ?? 0;
      if (SPACES.has(sign)) this.at += 1;
      else this.token(sign);
    }
    if (this.at < bytes.length) return true;
    if (this.expected !== "end") this.fail();
    return false;
  }

  private token(sign: number): void {
    switch (this.expected) {
      case "item":
        return sign === CLOSE_LIST ? this.close() : this.value(sign);
      case "value":
        return this.value(sign);
      case "first key":
        return sign === CLOSE_OBJECT ? this.close() : this.key(sign);
      case "key":
        return this.key(sign);
      case "colon":
        this.expected = "value";
        return this.sign(sign === COLON);
      case "more": {
        const isObject = this.open.at(-1) === true;
        if (sign === (isObject ? CLOSE_OBJECT : CLOSE_LIST)) return this.close();
        this.expected = isObject ? "key" : "value";
        return this.sign(sign === COMMA);
      }
      case "end":
        return this.fail();
    }
  }

  private sign(isExpected: boolean): void {
    if (!isExpected) this.fail();
    this.at += 1;
  }

  private key(sign: number): void {
    if (sign !== QUOTE) this.fail();
    const from = this.at;
    this.string();
    if (this.open.length === 1) this.name = this.textOf(from, this.at);
    this.expected = "colon";
  }

  private value(sign: number): void {
    if (this.open.length === 1) this.from = this.at;
    if (sign === OPEN_OBJECT || sign === OPEN_LIST) {
      this.open.push(sign === OPEN_OBJECT);
      if (this.open.length > DEEPEST)
        throw new SyntaxError(`It is nested deeper than ${DEEPEST} levels`);
      this.expected = sign === OPEN_OBJECT ? "first key" : "item";
      this.at += 1;
      return;
    }
    if (sign === QUOTE) this.string();
    else if (sign === TRUE) this.literal("true");
    else if (sign === FALSE) this.literal("false");
    else if (sign === NULL) this.literal("null");
    else this.number();
    this.ended();
  }

  private close(): void {
    this.at += 1;
    this.open.pop();
    this.ended();
  }

  /** A value has ended. */
  private ended(): void {
    const { name, from, at: to } = this;
    if (this.open.length === 1 && this.open[0] === true) this.members.push({ name, from, to });
    this.expected = this.open.length === 0 ? "end" : "more";
  }

  private string(): void {
    const { bytes } = this;
    for (this.at += 1; bytes[this.at] !== QUOTE;) {
      const sign = bytes[this.at] ?? 0;
      if (sign < FIRST_PRINTED) this.fail();
      this.at += 1;
      if (sign === BACKSLASH) this.escaped(bytes[this.at] ?? 0);
    }
    this.at += 1;
  }

  private escaped(sign: number): void {
    this.sign(sign === U || ESCAPED.has(sign));
    if (sign === U)
      for (let digit = 0; digit < 4; digit += 1) this.sign(HEX.has(this.bytes[this.at] ?? 0));
  }

  private literal(text: string): void {
    for (const sign of text) this.sign(this.bytes[this.at] === code(sign));
  }

  private number(): void {
    const { bytes } = this;
    if (bytes[this.at] === MINUS) this.at += 1;
    if (bytes[this.at] === ZERO) this.at += 1;
    else this.digits();
    if (bytes[this.at] === DOT) {
      this.at += 1;
      this.digits();
    }
    if (bytes[this.at] !== LOWER_E && bytes[this.at] !== UPPER_E) return;
    this.at += 1;
    if (bytes[this.at] === MINUS || bytes[this.at] === PLUS) this.at += 1;
    this.digits();
  }

  /** One at least. */
  private digits(): void {
    this.sign(this.isDigit());
    while (this.isDigit()) this.at += 1;
  }

  private isDigit(): boolean {
    const sign = this.bytes[this.at] ?? 0;
    return sign >= (ZERO ?? 0) && sign <= (NINE ?? 0);
  }

  private textOf(from: number, to: number): string {
    return JSON.parse(Buffer.from(this.bytes.subarray(from, to)).toString());
  }

  private fail(): never {
    throw new SyntaxError(
      this.at < this.bytes.length ? `Unexpected sign at byte ${this.at}` : "It ends too early",
    );
  }
}
