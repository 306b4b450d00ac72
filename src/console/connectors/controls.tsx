import type { JSX } from "hono/jsx/jsx-runtime";
import { Choice, Field as TextField } from "../form";
import { AUTHENTICATION, BASICS, type Field } from "./fields";
import { MOST_ROWS, type Values } from "./form";

/** What stands in the form's controls, and what is wrong with it, by the controls' names. */
export type Typed = { shown: Values; messages: ReadonlyMap<string, string[]> };

/** The controls of some members; `at` is what stands before their names. */
export const Controls = (props: {
  fields: readonly Field[];
  at?: string;
  of: Typed;
}): JSX.Element => (
  <>
    {props.fields.map((field) => (
      <Control field={field} at={props.at ?? ""} of={props.of} />
    ))}
  </>
);

function Control(props: { field: Field; at: string; of: Typed }): JSX.Element {
  const { field, at, of } = props;
  const name = `${at}${field.name}`;
  const { label, hint, options } = field;
  const wrong = of.messages.get(name);
  const given = {
    id: name,
    name,
    label,
    hint,
    fault: wrong?.join("; "),
    value: of.shown[name] ?? "",
    class: whenClass(field),
    data: SYNCED.has(name) ? { "data-member": "" } : {},
  };
  return options === undefined ? <TextField {...given} /> : <Choice {...given} of={options} />;
}

/** Those that stand for one member: the page's script carries them into the document, and back. */
const SYNCED = new Set(
  [...BASICS, ...AUTHENTICATION].map(({ name }) => name).filter((name) => !name.endsWith(".type")),
);

/** A control that goes with one choice: `style.ts` hides it beside another. */
const whenClass = ({ when }: Field): string =>
  when === undefined
    ? ""
    : when[1].map((value) => `when when-${value.replace(",", "-")}`).join(" ");

/** The rows of a list, and an empty one. */
export function Rows(props: {
  list: string;
  fields: readonly Field[];
  /** The member that a row is called by. */
  title: string;
  empty: string;
  of: Typed;
}): JSX.Element {
  const { list, fields, title, empty, of } = props;
  const rows = Array.from({ length: MOST_ROWS + 1 }, (_, index) => index).filter(
    (index) => of.shown[`${list}.${index}.${title}`] !== undefined,
  );
  return (
    <>
      {rows.map((index) => {
        const at = `${list}.${index}.`;
        const name = of.shown[`${at}${title}`] ?? "";
        const isWrong = [...of.messages.keys()].some((key) => key.startsWith(at));
        return (
          <details class="row" open={isWrong || rows.length === 1}>
            <summary>{name === "" ? empty : name}</summary>
            <Controls fields={fields} at={at} of={of} />
            {name === "" ? null : (
              <p class="small quiet">
                Without {title === "key" ? "a key" : "a name"} it is taken away.
              </p>
            )}
          </details>
        );
      })}
    </>
  );
}
