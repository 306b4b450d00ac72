import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";

type Input = {
  /** Of the document's elements; it must have no spaces. */
  id: string;
  name: string;
  label: string;
  hint?: string;
  fault?: string | undefined;
  value: string;
  placeholder?: string;
  kind?: "text" | "area" | "secret" | "boolean";
  /** What a script finds it by. */
  data?: Record<`data-${string}`, string>;
  children?: Child;
};

/** A labelled control, with what is wrong beside it. */
export function Field(props: Input): JSX.Element {
  const { id, label, hint = "", fault, children } = props;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <Control {...props} />
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

export const Fault = ({ id, fault }: { id: string; fault: string | undefined }) =>
  fault === undefined ? null : (
    <span class="fault small" id={`${id}-fault`}>
      {fault}
    </span>
  );

/** A control's attributes that tie it to its hint and its fault. */
export const described = (id: string, hint: string, fault: string | undefined) => {
  const by = [
    ...(hint === "" ? [] : [`${id}-hint`]),
    ...(fault === undefined ? [] : [`${id}-fault`]),
  ];
  return {
    ...(by.length === 0 ? {} : { "aria-describedby": by.join(" ") }),
    ...(fault === undefined ? {} : { "aria-invalid": "true" as const }),
  };
};

function Control(props: Input): JSX.Element {
  const { id, name, hint = "", fault, value, kind = "text", placeholder = "", data = {} } = props;
  const common = { id, name, ...described(id, hint, fault), ...data };
  switch (kind) {
    case "area":
      return (
        <textarea
          {...common}
          rows={Math.min(20, Math.max(3, value.split("\n").length))}
          spellcheck={false}
        >
          {value}
        </textarea>
      );
    case "secret":
      return (
        <input
          {...common}
          type="password"
          autocomplete="new-password"
          value={value}
          placeholder={placeholder}
        />
      );
    case "boolean":
      return (
        <select {...common}>
          <option value="" selected={value === ""}>
            {placeholder === "" ? "by default" : `by default: ${placeholder}`}
          </option>
          {["true", "false"].map((one) => (
            <option value={one} selected={value === one}>
              {one}
            </option>
          ))}
        </select>
      );
    case "text":
      return (
        <input
          {...common}
          autocomplete="off"
          spellcheck={false}
          value={value}
          placeholder={placeholder}
        />
      );
  }
}
