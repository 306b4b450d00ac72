import type { JSX } from "hono/jsx/jsx-runtime";
import type { Connector } from "../../connectors/definition";
import { type Entry, isSealedKey } from "../../instances/entries";
import { Field } from "./fields";
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

function Setting({ entry, ...shown }: Shown & { entry: Entry }): JSX.Element {
  const { connector, typed, faults, held, made } = shown;
  const { key, name, description, defaultValue, type, required } = entry;
  const fault = faults.get(key);
  const common = {
    id: idOf(key),
    name: idOf(key),
    label: required ? `${name} (needed)` : name,
    hint: description,
    ...(fault === undefined ? {} : { fault }),
  };
  const fresh = made[key];
  if (fresh !== undefined)
    return <Field {...common} value={fresh} hint="Copy it now: it is not shown again" />;
  if (isSealedKey(connector, key)) {
    const isHeld = held.has(key);
    return (
      <Field
        {...common}
        kind={type === "TEXTAREA" ? "area" : "secret"}
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
  return (
    <Field
      {...common}
      kind={type === "TEXTAREA" ? "area" : type === "BOOLEAN" ? "boolean" : "text"}
      value={typed.values[key] ?? ""}
      placeholder={defaultValue ?? ""}
    />
  );
}
