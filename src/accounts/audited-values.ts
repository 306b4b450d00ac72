import { sha256 } from "../values/bytes";
import { isObject } from "../values/record";
import { maskedJson } from "../values/secret-json";
import { hasToken, maskedUrl } from "../values/secret-text";
import { isSecretName, MASK } from "../values/secret-name";

/** What a thing was or is, by member; members of members are told by dotted paths. */
export type State = Record<string, unknown>;

/** The members that differ, as they were and as they are; what a side doesn't have is absent there. */
export type Differences = { before: State; after: State };

/** More members than these, and longer values, are cut off: an entry is read by people. */
const MOST_MEMBERS = 50;
const MOST_CHARACTERS = 256;
const MOST_DEPTH = 12;

const HIDDEN = "~hidden.";

/** A secret within a state: that it was changed shows, and nothing else. */
export const hidden = (value: string | null | undefined): string | null =>
  value === null || value === undefined ? null : `${HIDDEN}${sha256(value, "hex")}`;

type Leaf = { names: readonly string[]; value: unknown };

/** What differs between two states, secrets masked. */
export function differences(before: State | undefined, after: State | undefined): Differences {
  const [was, is] = [leavesOf(before), leavesOf(after)];
  const changed = [...new Set([...was.keys(), ...is.keys()])].filter(
    (path) => textOf(was.get(path)) !== textOf(is.get(path)),
  );
  const shown = changed.slice(0, MOST_MEMBERS);
  const side = (leaves: ReadonlyMap<string, Leaf>): State =>
    Object.fromEntries(
      shown.flatMap((path) => {
        const leaf = leaves.get(path);
        return leaf === undefined ? [] : [[path.slice(0, MOST_CHARACTERS), visible(leaf)]];
      }),
    );
  const more = changed.length - shown.length;
  return {
    before: side(was),
    after: { ...side(is), ...(more > 0 ? { "…": `${more} more` } : {}) },
  };
}

const textOf = (leaf: Leaf | undefined): string | undefined =>
  leaf === undefined ? undefined : JSON.stringify(leaf.value);

/** Everything that is no object, by its dotted path; an empty object is a value itself. */
function leavesOf(state: State | undefined): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  const walk = (value: unknown, names: readonly string[]): void => {
    const members = isObject(value) ? Object.entries(value) : [];
    if (members.length === 0 || names.length > MOST_DEPTH) {
      if (value !== undefined && names.length > 0) leaves.set(names.join("."), { names, value });
      return;
    }
    for (const [name, member] of members) walk(member, [...names, name]);
  };
  walk(state, []);
  return leaves;
}

/** A value as readers of the log see it. */
function visible({ names, value }: Leaf): unknown {
  const [holder = "", name = ""] = names.slice(-2).length === 2 ? names.slice(-2) : ["", ...names];
  if (value === null || typeof value === "boolean") return value;
  if (isSecretName(name)) return MASK;
  if (typeof value === "string") {
    const shown = maskedJson({ [holder]: { [name]: value } })[holder]?.[name] ?? MASK;
    const isHidden = value.startsWith(HIDDEN) || hasToken(shown);
    return isHidden ? MASK : cut(maskedUrl(shown));
  }
  const text = JSON.stringify(maskedJson(value), (key, inner: unknown) =>
    isSecretName(key) || (typeof inner === "string" && inner.startsWith(HIDDEN)) ? MASK : inner,
  );
  return text.length > MOST_CHARACTERS ? cut(text) : JSON.parse(text);
}

const cut = (text: string): string =>
  text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
