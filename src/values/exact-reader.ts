import { keepDigits, type Members, seenOf } from "./digits";

/**
 * So many numbers of one text keep how they were written. Each costs a microsecond or two, at reading and at writing;
 * a record has a few. Of those after them code sees the same, and a text stays a text when it is written.
 */
const MOST_KEPT = 10_000;

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] =
  Array.from('"\\,:[]{}', (sign) => sign.charCodeAt(0));
const [TRUE, FALSE, NULL] = Array.from("tfn", (sign) => sign.charCodeAt(0));
const SPACE = 32;

/**
 * Reads a text that is known to be JSON and not too deep, and keeps the text of each number that a double would change.
 * `JSON.parse` can tell such texts too, but takes ten times as long for it.
 */
export class ExactReader {
  private at = 0;
  private count = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The next value; a number that is no member is read as `numberOf` shows it. */
  read(): unknown {
    const top: Members = { "": undefined };
    this.member(top, "");
    return top[""];
  }

  /** Reads a value and makes it the member `key` of `holder`. */
  private member(holder: Members | unknown[], key: string | number): void {
    this.skipSpace();
    const value = this.value();
    const isNumber = value === undefined;
    const name = String(key);
    const seen = isNumber ? this.number(holder, name) : value;
    if (Array.isArray(holder)) holder.push(seen);
    else if (name === "__proto__")
      Object.defineProperty(holder, name, {
        value: seen,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    else holder[name] = seen;
  }

  /** A value that is no number; undefined before a number. */
  private value(): unknown {
    switch (this.text.charCodeAt(this.at)) {
      case OPEN_OBJECT:
        return this.object();
      case OPEN_LIST:
        return this.list();
      case QUOTE:
        return this.string();
      case TRUE:
        this.at += 4;
        return true;
      case FALSE:
        this.at += 5;
        return false;
      case NULL:
        this.at += 4;
        return null;
      default:
        return undefined;
    }
  }

  private object(): Members {
    const members: Members = {};
    this.at += 1;
    for (let sign = this.sign(); sign !== CLOSE_OBJECT; sign = this.sign()) {
      if (sign === COMMA) {
        this.at += 1;
        this.skipSpace();
      }
      const key = this.string();
      if (this.sign() === COLON) this.at += 1;
      this.member(members, key);
    }
    this.at += 1;
    return members;
  }

  private list(): unknown[] {
    const items: unknown[] = [];
    this.at += 1;
    for (let sign = this.sign(); sign !== CLOSE_LIST; sign = this.sign()) {
      if (sign === COMMA) this.at += 1;
      this.member(items, items.length);
    }
    this.at += 1;
    return items;
  }

  private string(): string {
    const from = this.at + 1;
    let end = this.text.indexOf('"', from);
    while (this.isEscaped(end, from)) end = this.text.indexOf('"', end + 1);
    this.at = end + 1;
    const inside = this.text.slice(from, end);
    return inside.includes("\\") ? JSON.parse(`"${inside}"`) : inside;
  }

  /** Whether the sign at `at` stands behind an odd number of backslashes. */
  private isEscaped(at: number, from: number): boolean {
    let first = at;
    while (first > from && this.text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    return (at - first) % 2 === 1;
  }

  private number(holder: object, key: string): number | string {
    const from = this.at;
    while (isOfNumber(this.text.charCodeAt(this.at))) this.at += 1;
    const source = this.text.slice(from, this.at);
    const value = Number(source);
    if (`${value}` === source) return value;
    this.count += 1;
    if (this.count <= MOST_KEPT) keepDigits(holder, key, source);
    return seenOf(value, source);
  }

  /** The next sign that is no white space. */
  private sign(): number {
    this.skipSpace();
    return this.text.charCodeAt(this.at);
  }

  private skipSpace(): void {
    while (this.text.charCodeAt(this.at) <= SPACE) this.at += 1;
  }
}

/** `0`–`9`, `+`, `-`, `.`, `e`, `E`. */
const isOfNumber = (code: number): boolean =>
  (code >= 48 && code <= 57) ||
  code === 43 ||
  code === 45 ||
  code === 46 ||
  code === 69 ||
  code === 101;
