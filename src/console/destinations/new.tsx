import type { JSX } from "hono/jsx/jsx-runtime";
import { Of } from "../parts";
import { LIST } from "./back";
import { AllFaults, PartOf, type Typing } from "./controls";
import type { Part } from "./fields";

export type FormProps = Typing & { organizationId: number; parts: readonly Part[] };

/** What is typed of a destination, and the button that sends it. */
export function DestinationForm(props: FormProps & { to: string; label: string }): JSX.Element {
  const { to, label, organizationId, parts, ...typed } = props;
  return (
    <form method="post" action={to} class="card form wide">
      <Of id={organizationId} />
      <AllFaults faults={props.faults} />
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
