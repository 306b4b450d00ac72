import type { JSX } from "hono/jsx/jsx-runtime";
import type { Connector } from "../../connectors/definition";
import { type Entry, isSealedKey } from "../../instances/entries";
import { Choice, Field, linesOf } from "../form";
import { Copyable } from "../parts";
import type { Faults, Typed } from "./typed";

export type Shown = {
  connector: Connector;
  typed: Typed;
  faults: Faults;
  /** Secrets that are stored, or were typed before. */
  held: ReadonlySet<string>;
  /** Secrets that were just made, and are shown this once. */
  made: Readonly<Record<string, string>>;
};

export const idOf = (key: string): string => `c.${key}`;

/** The fields of some settings. */
export const Settings = ({ entries, ...shown }: Shown & { entries: readonly Entry[] }) => (
  <>
    {entries.map((entry) => (
      <Setting entry={entry} {...shown} />
    ))}
  </>
);

/** A secret that was just made. */
const Fresh = (props: Parameters<typeof Field>[0]) => (
  <Field {...props} hint="Copy it now: it is not shown again">
    <Copyable text={props.value} label={props.label} />
  </Field>
);

function Setting({ entry, ...shown }: Shown & { entry: Entry }): JSX.Element {
  const { connector, typed, faults, held, made } = shown;
  const { key, name, description, defaultValue, type, required } = entry;
  const common = {
    id: idOf(key),
    name: idOf(key),
    label: required ? `${name} (needed)` : name,
    hint: description,
    fault: faults.get(key),
  };
  const fresh = made[key];
  if (fresh !== undefined) return <Fresh {...common} value={fresh} />;
  if (isSealedKey(connector, key)) {
    const isHeld = held.has(key);
    return (
      <Field
        {...common}
        {...(type === "TEXTAREA" ? { lines: linesOf("") } : { isSecret: true })}
        value=""
        placeholder={isHeld ? "kept as it is" : ""}
      >
        {isHeld ? (
          <label class="check small">
            <input
              type="checkbox"
              name="clear"
              value={key}
              checked={typed.cleared.includes(key)}
              aria-label={`Remove: ${name}`}
            />
            Kept when left empty; remove it
          </label>
        ) : null}
      </Field>
    );
  }
  const value = typed.values[key] ?? "";
  const usual = defaultValue ?? "";
  if (type === "BOOLEAN") {
    const unsaid = usual === "" ? "by default" : `by default: ${usual}`;
    const of = [["", unsaid] as const, ["true", "true"] as const, ["false", "false"] as const];
    return <Choice {...common} value={value} of={of} />;
  }
  const lines = type === "TEXTAREA" ? { lines: linesOf(value) } : {};
  return <Field {...common} {...lines} value={value} placeholder={usual} />;
}
