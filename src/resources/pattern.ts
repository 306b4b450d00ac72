import { utf8Length } from "../values/bytes";

/** The platform refuses longer LIKE patterns at run time. */
const MOST_BYTES = 50;

export type PatternCondition = { ok: true; sql: string } | { ok: false; message: string };

/** What a pattern consists of: text that means itself, `*` for any run, `_` for one character. */
type Part = { literal: string } | "*" | "_";

/** The parts of a pattern, in which a backslash stands before a `*`, `_` or `\` that means itself. */
function partsOf(pattern: string): Part[] {
  const parts: Part[] = [];
  let literal = "";
  const end = (): void => {
    if (literal !== "") parts.push({ literal });
    literal = "";
  };
  for (let at = 0; at < pattern.length; at += 1) {
    const sign = pattern.charAt(at);
    if (sign === "\\") literal += pattern.charAt((at += 1));
    else if (sign === "*" || sign === "_") {
      end();
      if (sign === "_" || parts.at(-1) !== "*") parts.push(sign);
    } else literal += sign;
  }
  end();
  return parts;
}

/** What a text that fits a pattern begins with, in lower case, and whether that is all of it. */
export function beginningOf(pattern: string): { text: string; isWhole: boolean } {
  const [first, ...more] = partsOf(asciiLower(pattern));
  const text = typeof first === "object" ? first.literal : "";
  return { text, isWhole: more.length === 0 && (first === undefined || text !== "") };
}

/**
 * The condition that a text in SQL fits a pattern: case-insensitive, `*` any run, `_` one character.
 * `lowerCase`: the text is ASCII in lower case already, and its index is used.
 */
export function patternCondition(
  text: string,
  pattern: string,
  lowerCase: boolean,
  bind: (value: string) => string,
): PatternCondition {
  const wanted = partsOf(folded(asciiLower(pattern)));
  const literals = wanted.map((part) => (typeof part === "object" ? part.literal : "")).join("");
  const sql = lowerCase ? text : foldedSql(text, pattern, bind);
  const lower = lowerCase ? text : `lower(${sql})`;
  if (wanted.every((part) => typeof part === "object"))
    return { ok: true, sql: `${lower} = ${bind(literals)}` };
  const like = wanted.map(likeOf).join("");
  if (utf8Length(like) <= MOST_BYTES)
    return { ok: true, sql: `${sql} LIKE ${bind(like)} ESCAPE '\\'` };
  const parts = betweenRuns(wanted);
  if (wanted.includes("_") || parts.length > 3)
    return { ok: false, message: `The pattern '${pattern}' is longer than ${MOST_BYTES} bytes` };
  const [start = "", middle = "", end = ""] = parts.length === 3 ? parts : [parts[0], "", parts[1]];
  const tests = [
    `length(${sql}) >= ${lengthOf(literals)}`,
    start === "" ? "1" : `substr(${lower}, 1, ${lengthOf(start)}) = ${bind(start)}`,
    middle === ""
      ? "1"
      : `instr(substr(${lower}, ${lengthOf(start) + 1}, length(${sql}) - ${lengthOf(start + end)}), ${bind(middle)}) > 0`,
    end === "" ? "1" : `substr(${lower}, -${lengthOf(end)}) = ${bind(end)}`,
  ];
  return { ok: true, sql: `(${tests.join(" AND ")})` };
}

const likeOf = (part: Part): string =>
  typeof part === "object" ? part.literal.replaceAll(/[\\%_]/g, "\\$&") : part === "*" ? "%" : "_";

/** The texts before, between and after the runs of a pattern. */
function betweenRuns(parts: readonly Part[]): string[] {
  const texts = [""];
  for (const part of parts) {
    if (part === "*") texts.push("");
    else if (typeof part === "object") texts.push(`${texts.pop() ?? ""}${part.literal}`);
  }
  return texts;
}

/**
 * A text in which the letters of a pattern stand in one case. SQLite knows the case of ASCII only; of all
 * others, those that the pattern does not have may stay as they are.
 */
function foldedSql(sql: string, pattern: string, bind: (value: string) => string): string {
  const letters = new Set(pattern.match(BEYOND_ASCII) ?? []);
  const replaced = new Map<string, string>();
  for (const letter of letters) {
    const one = foldedLetter(letter);
    for (const variant of [letter, one.toUpperCase()])
      if (variant !== one && lengthOf(variant) === 1) replaced.set(variant, one);
  }
  return [...replaced].reduce(
    (inner, [variant, one]) => `replace(${inner}, ${bind(variant)}, ${bind(one)})`,
    sql,
  );
}

const BEYOND_ASCII = /[^\0-\x7f]/gu;

const folded = (text: string): string => text.replaceAll(BEYOND_ASCII, foldedLetter);

/** The lower case of a letter's upper case (Σ, σ and ς are one), where those are single and not ASCII. */
function foldedLetter(letter: string): string {
  const upper = letter.toUpperCase();
  const lower = (lengthOf(upper) === 1 ? upper : letter).toLowerCase();
  return lengthOf(lower) === 1 && lower > "\x7f" ? lower : letter;
}

/** In code points, as SQLite counts. */
const lengthOf = (text: string): number => Array.from(text).length;

/** As SQLite's `lower` does. */
export function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (char) => char.toLowerCase());
}
