import type { JSX } from "hono/jsx/jsx-runtime";

type Given = {
  /** Of the document's elements. */
  id: string;
  name: string;
  label: string;
  value: string;
  hint?: string;
  fault?: string | undefined;
  placeholder?: string;
  /** Lines of a larger field. */
  lines?: number;
  required?: boolean;
};

/** A labelled control, with its hint and what is wrong beside it. */
export function Field(props: Given): JSX.Element {
  const { id, name, label, value, hint, fault, placeholder, lines, required = false } = props;
  const tied = {
    id,
    name,
    required,
    ...(placeholder === undefined ? {} : { placeholder }),
    ...tiesOf(id, hint, fault),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {lines === undefined ? (
        <input {...tied} value={value} autocomplete="off" />
      ) : (
        <textarea {...tied} rows={lines} spellcheck={false}>
          {`\n${value}`}
        </textarea>
      )}
      <Beside id={id} hint={hint} fault={fault} />
    </div>
  );
}

/** A labelled choice. */
export function Choice(props: {
  id: string;
  name: string;
  label: string;
  value: string;
  of: readonly (readonly [value: string, words: string])[];
}): JSX.Element {
  const { id, name, label, value, of } = props;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name}>
        {of.map(([one, words]) => (
          <option value={one} selected={one === value}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

function Beside(props: {
  id: string;
  hint: string | undefined;
  fault: string | undefined;
}): JSX.Element {
  const { id, hint, fault } = props;
  return (
    <>
      {hint === undefined ? null : (
        <span class="small quiet" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {fault === undefined ? null : (
        <span class="fault small" id={`${id}-fault`}>
          {fault}
        </span>
      )}
    </>
  );
}

function tiesOf(id: string, hint: string | undefined, fault: string | undefined) {
  const by = [
    ...(hint === undefined ? [] : [`${id}-hint`]),
    ...(fault === undefined ? [] : [`${id}-fault`]),
  ];
  return {
    ...(by.length === 0 ? {} : { "aria-describedby": by.join(" ") }),
    ...(fault === undefined ? {} : { "aria-invalid": "true" as const }),
  };
}

/** What is wrong with what was sent; a place is a field's name, or the id of a component. */
export type FormFault = { place: string; message: string };

/** Everything that is wrong, before the form. */
export function Faults(props: {
  faults: readonly FormFault[];
  title?: string;
}): JSX.Element | null {
  const { faults, title } = props;
  if (faults.length === 0) return null;
  return (
    <div class="notice bad" role="alert">
      {title ?? "This is not saved yet:"}
      <ul>
        {faults.map(({ place, message }) => (
          <li>{place === "" ? message : `${place}: ${message}`}</li>
        ))}
      </ul>
    </div>
  );
}
