import { copyDigits } from "./digits";
import {
  headerSecrets,
  jsonHeaderSecrets,
  keySecrets,
  maskedText,
  type Span,
  unmaskedText,
  urlSecrets,
} from "./secret-text";

/**
 * Credentials in JSON that describes requests: members called `headers`, as an object or as a text of JSON, of `query`,
 * addresses in members whose names end in `url` or `uri`, and secrets of a `signature`, at any depth.
 */

/** Finds the credentials of the texts that stand at one place. */
type Find = (text: string) => Span[];
type Change = (text: string, find: Find, other: unknown) => string;

const isHeaders = (key: string): boolean => key.toLowerCase() === "headers";
/** Members that are sent each under its own name. */
const isSent = (holder: string): boolean => isHeaders(holder) || holder === "query";

/** How a member's text is read; undefined: it is no place of credentials. */
function finder(holder: string, key: string): Find | undefined {
  if (isSent(holder)) return (text) => headerSecrets(key, text);
  // A signature's `headers` is a name; what is secret of it says so.
  if (holder === "signature" && (isHeaders(key) || /secret$/i.test(key)))
    return isHeaders(key) ? undefined : keySecrets;
  if (isHeaders(key)) return jsonHeaderSecrets;
  return /ur[il]$/i.test(key) ? urlSecrets : undefined;
}

/**
 * A copy in which each text that has credentials is changed; a value without any is the same, not copied.
 * @param other a value of the same shape, whose text at the same place `change` gets too. @param holder the name of `value`.
 */
function changed(value: unknown, other: unknown, change: Change, holder = ""): unknown {
  if (typeof value !== "object" || value === null) return value;
  const of = (member: unknown, key: string): unknown => {
    const beside: unknown =
      typeof other === "object" && other !== null && Object.hasOwn(other, key)
        ? Reflect.get(other, key)
        : undefined;
    if (typeof member !== "string") return changed(member, beside, change, key);
    const find = Array.isArray(value) ? undefined : finder(holder, key);
    return find === undefined || find(member).length === 0 ? member : change(member, find, beside);
  };
  const entries = Object.entries(value);
  const members = entries.map(([key, member]): [string, unknown] => [key, of(member, key)]);
  if (members.every(([, member], index) => Object.is(member, entries[index]?.[1]))) return value;
  return copyDigits(
    value,
    Array.isArray(value) ? members.map(([, member]) => member) : Object.fromEntries(members),
  );
}

/** A value with the texts that have credentials changed. */
export const mapSecrets = <T>(value: T, map: (text: string, spans: Span[]) => string): T =>
  changed(value, undefined, (text, find) => map(text, find(text))) as T;

/** A value as somebody may see it who must not learn its credentials. */
export const maskedJson = <T>(value: T): T => mapSecrets(value, maskedText);

/** A value that was shown and comes back: a mask keeps what is stored at the same place. */
export const unmaskedJson = <T>(given: T, stored: unknown): T =>
  changed(given, stored, (text, find, other) =>
    typeof other === "string"
      ? unmaskedText({ text, spans: find(text) }, { text: other, spans: find(other) })
      : text,
  ) as T;

/** Whether any text of a value has a sign of a sealed credential: such a value can only have been made up. */
export function hasMadeUpToken(value: unknown): boolean {
  return JSON.stringify(value)?.includes("~sealed.") === true;
}
