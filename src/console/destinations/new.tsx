import type { JSX } from "hono/jsx/jsx-runtime";
import { AllFaults, Controls, type Typing } from "../fields/controls";
import { Of } from "../parts";
import { LIST } from "./back";
import { newTyped, type Part } from "./fields";

export type FormProps = Typing & { organizationId: number; parts: readonly Part[] };

/** Fields of a part: those behind a title show once somebody asks for them, or something is typed there. */
function PartOf({ part, ...props }: Typing & { part: Part }): JSX.Element | null {
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

/** What is typed of a destination, and the button that sends it. */
export function DestinationForm(props: FormProps & { to: string; label: string }): JSX.Element {
  const { to, label, organizationId, parts, ...typed } = props;
  return (
    <form method="post" action={to} class="card form wide">
      <Of id={organizationId} />
      <AllFaults faults={props.faults} fields={parts.flatMap(({ fields }) => fields)} />
      {parts.map((part) => (
        <PartOf {...typed} part={part} />
      ))}
      <button class="main">{label}</button>
    </form>
  );
}

/** A new endpoint. */
export const NewEndpoint = (props: FormProps): JSX.Element => (
  <>
    <div class="head">
      <div>
        <h1>New endpoint</h1>
        <p class="quiet">
          An address that hears of what you publish, of what happens at connected accounts, or of
          both
        </p>
      </div>
    </div>
    <DestinationForm {...props} to={`${LIST}/new`} label="Make the endpoint" />
  </>
);
