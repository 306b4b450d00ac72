import type { JSX } from "hono/jsx/jsx-runtime";
import { Choice, Faults as FormFaults, Field, Instant, linesOf } from "../form";
import { Facts } from "../parts";
import type { Faults } from "../settings/faults";
import type { FormField } from "./as";
import type { Typed } from "./typed";

/** What there is to choose from, by the name of the field; something else may be typed. */
export type Offers = Readonly<Record<string, readonly string[]>>;

/** What is typed, what is wrong with it, and what is offered. */
export type Typing = { typed: Typed; faults: Faults; offers: Offers };

/** Everything that is wrong, with the way to each field. */
export const AllFaults = (props: { faults: Faults; fields: readonly FormField[] }): JSX.Element => (
  <FormFaults
    faults={Object.entries(props.faults).map(([name, message]) => {
      const { label } = props.fields.find((field) => field.name === name) ?? {};
      return { place: label ?? "", message, control: label && name };
    })}
  />
);

export const Controls = ({
  fields,
  ...props
}: Typing & { fields: readonly FormField[] }): JSX.Element => (
  <>
    {fields.map((field) => (
      <Control {...props} field={field} />
    ))}
  </>
);

function Control({ field, typed, faults, offers }: Typing & { field: FormField }): JSX.Element {
  const { name, label, hint, as } = field;
  const value = typed[name] ?? "";
  const offered = offers[name] ?? [];
  const about = {
    id: name,
    name,
    label,
    hint,
    value,
    fault: faults[name],
    ...(field.when === undefined ? {} : { class: `when when-${field.when}` }),
  };
  if (as.of !== undefined) return <Choice {...about} of={as.of} />;
  if (as.isInstant === true) return <Instant {...about} />;
  if (as.lines === undefined)
    return (
      <Field
        {...about}
        offers={offered}
        required={field.isRequired === true}
        isSecret={as.isSecret === true}
      />
    );
  return (
    <Field {...about} lines={Math.max(as.lines, linesOf(value))}>
      {offered.length === 0 ? null : (
        <div class="offers" data-offers={name} hidden>
          {offered.map((one) => (
            <button type="button">{one}</button>
          ))}
        </div>
      )}
    </Field>
  );
}

/** What is typed, for those who only look. */
export const Typings = (props: { fields: readonly FormField[]; typed: Typed }): JSX.Element => (
  <Facts
    facts={props.fields.flatMap(({ name, label, as }) => {
      const value = props.typed[name] ?? "";
      const words = as.of?.find(([one]) => one === value)?.[1] ?? value;
      return value === "" ? [] : [[label, as.lines === undefined ? words : <pre>{words}</pre>]];
    })}
  />
);
