import { format } from "@cfworker/json-schema";
import { LinearRegExp } from "../../expressions/linear-regex";
import { quoted } from "../../values/text";
import type { Work } from "./work";

/** What a schema asks of texts. */
export type TextRule = {
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
};

/** The formats that are checked, each in time that grows with the text alone; others say something to readers. */
const FORMATS = new Set([
  "date",
  "date-time",
  "time",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "uri",
  "uri-reference",
  "uri-template",
  "uuid",
  "json-pointer",
  "relative-json-pointer",
]);

const MOST_PATTERN = 1_000;
const CHARACTERS_A_STEP = 8;
const INSTRUCTIONS_A_STEP = 50;

/** What a schema asks of texts; undefined: nothing that is checked. */
export function textRule(schema: Record<string, unknown>): TextRule | undefined {
  const { minLength, maxLength, pattern, format: name } = schema as TextRule;
  const rule: TextRule = {
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(name === undefined || !FORMATS.has(name) ? {} : { format: name }),
  };
  return Object.keys(rule).length === 0 ? undefined : rule;
}

export type TextCheck = (text: string, work: Work) => boolean;

/** A pattern of a schema, in linear time. @throws when it is too long or the engine does not know it. */
export function linearPattern(pattern: string): LinearRegExp {
  // Reading one takes longer than its length alone would say.
  if (pattern.length > MOST_PATTERN)
    throw new RangeError(`expected at most ${MOST_PATTERN} characters, got ${pattern.length}`);
  return new LinearRegExp({ source: pattern, ignoreCase: false, multiline: false, dotAll: false });
}

export const matches = (pattern: LinearRegExp, text: string, work: Work): boolean => {
  work.spend((text.length / CHARACTERS_A_STEP) * (1 + pattern.size / INSTRUCTIONS_A_STEP));
  return pattern.test(text);
};

/** Whether a text is as a rule says. The library's own checks take patterns to an engine whose time has no bound. */
export function textCheck(rule: TextRule, pattern: LinearRegExp | undefined): TextCheck {
  const { minLength = 0, maxLength = Infinity } = rule;
  const isFormat = rule.format === undefined ? undefined : format[rule.format];
  return (text, work) => {
    work.spend(text.length / CHARACTERS_A_STEP);
    const length = text.length < minLength ? text.length : charactersOf(text);
    if (length < minLength || length > maxLength) return false;
    if (isFormat !== undefined && !isFormat(text)) return false;
    return pattern === undefined || matches(pattern, text, work);
  };
}

/** Characters, of which some are two units of UTF-16. */
function charactersOf(text: string): number {
  let pairs = 0;
  for (let at = 0; at < text.length; at += 1) {
    if ((text.charCodeAt(at) & 0xfc00) !== 0xd800) continue;
    if ((text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) pairs += 1;
  }
  return text.length - pairs;
}

/** What a rule expects, in words. */
export function expectedText({ minLength, maxLength, pattern, format: name }: TextRule): string {
  const length =
    minLength === undefined
      ? maxLength === undefined
        ? undefined
        : `at most ${maxLength} characters`
      : maxLength === undefined
        ? `at least ${minLength} characters`
        : `${minLength} to ${maxLength} characters`;
  const parts = [
    length,
    pattern === undefined ? undefined : `what matches ${quoted(pattern)}`,
    name === undefined ? undefined : `the format ${name}`,
  ];
  return `Expected ${parts.filter((part) => part !== undefined).join(", ")}`;
}
