import type { JSX } from "hono/jsx/jsx-runtime";
import { Choice, Faults as FormFaults, Field, linesOf } from "../form";
import type { Faults } from "../settings/faults";
import { type FormField, type Part, PARTS } from "./fields";
import { newTyped, type Typed } from "./typed";

/** What there is to choose from, by the name of the field; something else may be typed. */
export type Offers = Readonly<Record<string, readonly string[]>>;

/** What is typed, what is wrong with it, and what is offered. */
export type Typing = { typed: Typed; faults: Faults; offers: Offers };

/** Everything that is wrong, with the way to each field. */
export const AllFaults = ({ faults }: { faults: Faults }): JSX.Element => (
  <FormFaults
    faults={Object.entries(faults).map(([name, message]) => {
      const fields = PARTS.flatMap((part) => part.fields);
      const { label = "" } = fields.find((field) => field.name === name) ?? {};
      return { place: label, message, control: label === "" ? undefined : name };
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
  const about = { id: name, name, label, hint, value, fault: faults[name] };
  if (as.of !== undefined) return <Choice {...about} of={as.of} />;
  if (as.lines === undefined)
    return (
      <Field
        {...about}
        offers={offered}
        required={name === "url"}
        isSecret={as.isSecret === true}
      />
    );
  return (
    <Field {...about} lines={Math.min(as.lines, linesOf(value))}>
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

/** Fields of a part: those behind a title show once somebody asks for them, or something is typed there. */
export function PartOf({ part, ...props }: Typing & { part: Part }): JSX.Element | null {
  const { title, fields } = part;
  const empty = newTyped(fields);
  const { typed, faults } = props;
  if (fields.length === 0) return null;
  if (title === "")
    return (
      <div class="fields">
        <Controls {...props} fields={fields} />
      </div>
    );
  const isOpen = fields.some(({ name }) => typed[name] !== empty[name] || name in faults);
  return (
    <details {...(isOpen ? { open: true } : {})}>
      <summary>{title}</summary>
      <div class="fields even">
        <Controls {...props} fields={fields} />
      </div>
    </details>
  );
}
