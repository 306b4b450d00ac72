import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";

/** A control's label, its hint and what is wrong with it. */
type About = {
  /** Of the document's elements; it must have no spaces. */
  id: string;
  name: string;
  label: string;
  hint?: string | undefined;
  fault?: string | undefined;
  /** Of the whole, beside `field`. */
  class?: string;
  /** What a script finds the control by. */
  data?: Record<`data-${string}`, string>;
  /** What stands below. */
  children?: Child;
};

/** What ties a control to its label, its hint and its fault. */
type Tied = Record<string, string>;

/** A control, drawn by `control`, with its label; its hint and what is wrong with it stand below, and are read with it. */
export function Labelled(props: About & { control: (tied: Tied) => Child }): JSX.Element {
  const { id, name, label, hint = "", fault, data = {}, children, control } = props;
  return (
    <div class={props.class === undefined ? "field" : `field ${props.class}`}>
      <label for={id}>{label}</label>
      {control({ id, name, ...data, ...described(id, hint, fault) })}
      {hint === "" ? null : (
        <span class="small quiet" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      <Fault id={id} fault={fault} />
      {children}
    </div>
  );
}

/** What is wrong with the control, or the group of them, that has this id. */
export const Fault = ({ id, fault }: { id: string; fault: string | undefined }) =>
  fault === undefined ? null : (
    <span class="fault small" id={`${id}-fault`}>
      {fault}
    </span>
  );

/** The attributes that tie a control to its hint and its fault; an empty hint is none. */
export function described(id: string, hint: string, fault: string | undefined): Tied {
  const by = [
    ...(hint === "" ? [] : [`${id}-hint`]),
    ...(fault === undefined ? [] : [`${id}-fault`]),
  ];
  return {
    ...(by.length === 0 ? {} : { "aria-describedby": by.join(" ") }),
    ...(fault === undefined ? {} : { "aria-invalid": "true" }),
  };
}

/** A labelled line of text, or a larger field when it has `lines`. */
export function Field(
  props: About & {
    value: string;
    placeholder?: string | undefined;
    lines?: number;
    required?: boolean;
    /** Nobody reads along what is typed, and no browser keeps it. */
    isSecret?: boolean;
    /** Of a line: what is offered; something else may be typed. */
    offers?: readonly string[];
  },
): JSX.Element {
  const { id, value, placeholder, lines, required = false, isSecret = false, offers = [] } = props;
  const more = { required, ...(placeholder === undefined ? {} : { placeholder }) };
  const offered = offers.length === 0 ? {} : { list: `${id}-offers` };
  const kept = isSecret
    ? ({ type: "password", autocomplete: "new-password" } as const)
    : ({ autocomplete: "off", spellcheck: false } as const);
  return (
    <Labelled
      {...props}
      control={(tied) =>
        lines === undefined ? (
          <>
            <input {...tied} {...more} {...kept} {...offered} value={value} />
            {offers.length === 0 ? null : (
              <datalist id={`${id}-offers`}>
                {offers.map((one) => (
                  <option value={one} />
                ))}
              </datalist>
            )}
          </>
        ) : (
          <textarea {...tied} {...more} rows={lines} spellcheck={false}>
            {`\n${value}`}
          </textarea>
        )
      }
    />
  );
}

/** A labelled instant, to the second, in UTC; what is none stays as it was typed. */
export function Instant(props: About & { value: string; required?: boolean }): JSX.Element {
  const { value, required = false } = props;
  const isInstant = value === "" || !Number.isNaN(Date.parse(value));
  const type = isInstant ? "datetime-local" : "text";
  return (
    <Labelled
      {...props}
      control={(tied) => <input {...tied} type={type} step="1" value={value} required={required} />}
    />
  );
}

/** So many lines that a text of some length is seen as a whole. */
export const linesOf = (text: string): number => Math.min(20, Math.max(3, text.split("\n").length));

/** A labelled choice. What was typed stays to be chosen, though it is none of those that are offered. */
export function Choice(
  props: About & { value: string; of: readonly (readonly [value: string, words: string])[] },
): JSX.Element {
  const { value, of } = props;
  const isOffered = value === "" || of.some(([one]) => one === value);
  return (
    <Labelled
      {...props}
      control={(tied) => (
        <select {...tied}>
          {(isOffered ? of : [[value, value] as const, ...of]).map(([one, words]) => (
            <option value={one} selected={one === value}>
              {words}
            </option>
          ))}
        </select>
      )}
    />
  );
}

/** What is wrong with what was sent; a place is a field's name, or the id of a component. */
export type FormFault = { place: string; message: string };

/** Everything that is wrong, before the form; what names a control, by its id, leads there. */
export function Faults(props: {
  faults: readonly (FormFault & { control?: string | undefined })[];
  title?: string;
}): JSX.Element | null {
  const { faults, title = "This is not saved yet:" } = props;
  if (faults.length === 0) return null;
  return (
    <div class="notice bad" role="alert">
      {title}
      <ul>
        {faults.map(({ place, message, control }) => (
          <li>
            {control === undefined ? (
              place
            ) : (
              <a href={`#${encodeURIComponent(control)}`}>{place}</a>
            )}
            {place === "" ? message : `: ${message}`}
          </li>
        ))}
      </ul>
    </div>
  );
}
