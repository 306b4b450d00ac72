import type { Violation } from "../../http/refusal";
import { recordOf } from "../../values/record";
import type { Faults } from "../settings/faults";
import type { FormField } from "./as";

/** What is typed of a thing, by the name of the field; a form that has not got one says nothing of it. */
export type Typed = Readonly<Record<string, string>>;

type Fields = readonly FormField[];

export const typedIn = (form: URLSearchParams, fields: Fields): Typed =>
  Object.fromEntries(
    fields.flatMap(({ name }) => {
      const text = form.get(name)?.replaceAll("\r\n", "\n").trim();
      return text === undefined ? [] : [[name, text]];
    }),
  );

/** A thing as `/v1` prints it, typed. */
export const typedOf = (view: object, fields: Fields): Typed =>
  Object.fromEntries(
    fields.map(({ name, as }) => {
      const value = name.split(".").reduce((of: unknown, member) => recordOf(of)[member], view);
      return [name, as.show(value)];
    }),
  );

/** What is typed otherwise than it was shown, as `/v1` takes it: nothing else is said of the thing. */
export function changesIn(typed: Typed, shown: Typed, fields: Fields): Record<string, unknown> {
  const isChanged = ({ name }: FormField): boolean =>
    typed[name] !== undefined && typed[name] !== shown[name];
  const changed = new Set(fields.filter(isChanged).map(topOf));
  return Object.fromEntries(
    [...changed].map((top) => {
      const all = fields
        .filter((field) => topOf(field) === top)
        .map(({ name, ...field }) => ({ ...field, name, text: typed[name] ?? shown[name] ?? "" }));
      const members = all.filter(({ when }) => when === undefined || when === all[0]?.text);
      const values = members.map(({ name, as, text }): [string, unknown] => [
        name.slice(top.length + 1),
        text === "" ? as.none : as.read(text),
      ]);
      const [[member, value] = ["", null]] = values;
      if (member === "") return [top, value];
      // Where nothing is typed, what is chosen beside it says nothing either, unless it is a kind.
      const isNone =
        all.every(({ when }) => when === undefined) &&
        members.every(({ as, text }) => as.of !== undefined || text === "");
      return [top, isNone ? null : Object.fromEntries(values.filter(([, one]) => one !== null))];
    }),
  );
}

const topOf = ({ name }: FormField): string => name.split(".")[0] ?? "";

/** What is wrong, by the field in which it is typed; `""`: what is typed in none. */
export function faultsIn(violations: readonly Violation[], typed: Typed, fields: Fields): Faults {
  const faults: Record<string, string> = {};
  for (const { field, message } of violations) {
    const [top = "", ...inside] = field.split(".");
    const found =
      fields.find(({ name }) => name === field) ?? fields.find((one) => topOf(one) === top);
    const { name = "" } = found ?? {};
    const words = message.replace(`${field}: `, "");
    const place = found?.name === field ? "" : placeOf(found === undefined ? [field] : inside);
    const text = place === "" || words.includes(place) ? words : `${place}: ${words}`;
    faults[name] = faults[name] === undefined ? text : `${faults[name]}; ${text}`;
  }
  for (const { name, as } of fields) {
    const fault = as.fault?.(typed[name] ?? "");
    if (fault !== undefined) faults[name] = fault;
  }
  return faults;
}

/** Where within what is typed something is wrong. */
const placeOf = (inside: readonly string[]): string =>
  inside.map((name) => (/^\d+$/.test(name) ? `number ${Number(name) + 1}` : name)).join(" ");
