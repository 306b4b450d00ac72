import { isoTextOrNull } from "../../values/instant";
import { parsedJson } from "../../values/json";
import { isObject } from "../../values/record";
import { NO_JSON } from "../event-types/typed";

/** How what `/v1` has under a name stands in a form: as a text. */
export type As = {
  show: (value: unknown) => string;
  /** What `/v1` takes; a text of another kind stays as it is, and is refused there. */
  read: (text: string) => unknown;
  /** What `/v1` takes for no text, of a destination that there is. */
  none: unknown;
  /** What is wrong with a text, where `/v1` does not know that there was one. */
  fault?: (text: string) => string | undefined;
  /** How many lines of it are seen. */
  lines?: number;
  of?: readonly (readonly [value: string, words: string])[];
  /** Nobody reads along what is typed. */
  isSecret?: true;
  /** In UTC. */
  isInstant?: true;
};

/** A field of a form, by what `/v1` calls it. */
export type FormField = {
  /** `batch.size` is a member of `batch`. */
  name: string;
  label: string;
  hint: string;
  as: As;
  isRequired?: true;
  /** Of several members: it is one only where the first of them is this. */
  when?: string;
};

export const line: As = {
  show: (value) => (["string", "number"].includes(typeof value) ? String(value) : ""),
  read: (text) => text,
  none: null,
};
export const instant: As = {
  ...line,
  read: (text) => isoTextOrNull(Date.parse(text)) ?? text,
  isInstant: true,
};
export const secret: As = { ...line, isSecret: true };
/** A line that says nothing as long as it says `usual`. */
export const unless = (usual: string): As => ({
  ...line,
  show: (value) => (value === usual ? "" : line.show(value)),
});
export const expression: As = { ...line, lines: 3 };

const numberIn = (text: string): number | string =>
  /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : text;
export const number: As = { ...line, read: numberIn };

/** What stands on lines, or between commas. */
const itemsIn = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map((item) => item.trim())
    .filter((item) => item !== "");

export const list: As = {
  show: (value) => (Array.isArray(value) ? value.join("\n") : ""),
  read: itemsIn,
  none: [],
  lines: 3,
};
export const numbers: As = {
  show: (value) => (Array.isArray(value) ? value.join(", ") : ""),
  read: (text) => itemsIn(text).map(numberIn),
  none: null,
};

export const json: As = {
  show: (value) => (isEmpty(value) ? "" : JSON.stringify(value, null, 2)),
  read: (text) => parsedJson(text)?.value ?? text,
  none: {},
  fault: (text) => (text === "" || parsedJson(text) !== undefined ? undefined : NO_JSON),
  lines: 3,
};
const isEmpty = (value: unknown): boolean => !isObject(value) || Object.keys(value).length === 0;

const HEADER = /^([^:]*):(.*)$/;
const headersIn = (text: string): (RegExpExecArray | null)[] =>
  text
    .split("\n")
    .filter((one) => one.trim() !== "")
    .map((one) => HEADER.exec(one));

export const headers: As = {
  show: (value) =>
    Object.entries(isObject(value) ? value : {})
      .map(([name, content]) => `${name}: ${String(content)}`)
      .join("\n"),
  read(text) {
    const pairs = headersIn(text);
    if (pairs.includes(null)) return text;
    return Object.fromEntries(pairs.map((pair) => [pair?.[1]?.trim(), pair?.[2]?.trim()]));
  },
  none: {},
  fault: (text) =>
    headersIn(text).includes(null) ? "Expected 'Name: value' on each line" : undefined,
  lines: 3,
};

/** @param usual what is chosen of a destination that says nothing. */
export const choice = (of: NonNullable<As["of"]>, usual = ""): As => ({
  ...line,
  show: (value) => line.show(value) || usual,
  of,
});

const SEPARATORS: Record<string, string> = { " ": "space", ",": "comma" };
export const separator: As = {
  ...choice([
    ["", "only the newest"],
    ["space", "all, with a space between"],
    ["comma", "all, with a comma between"],
  ]),
  show: (value) => SEPARATORS[String(value)] ?? "",
  read: (text) => ({ space: " ", comma: "," })[text] ?? text,
};

export const enabled: As = {
  ...choice([
    ["true", "on"],
    ["false", "off, until somebody switches it on"],
  ]),
  show: String,
  read: (text) => text === "true",
};

export const deactivate: As = {
  ...choice([
    ["", "as destinations of its kind are"],
    ["exhausted", "as soon as tries are exhausted"],
    ["1", "after a day without a delivery"],
    ...["3", "5", "7", "14", "30"].map((days): [string, string] => [
      days,
      `after ${days} days without a delivery`,
    ]),
    ["never", "never"],
  ]),
  read: numberIn,
};
