import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Attempt } from "../../delivery/attempt";
import type { Entry } from "../../instances/entries";
import { marked } from "../parts";
import type { askedAs } from "./chosen";
import type { Guide } from "./guides";
import type { Preview } from "./resources";
import type { Shown } from "./settings";

export type FormProps = Shown & {
  title: string;
  /** Where it is sent, and where back leads. */
  to: string;
  back: string;
  isNew: boolean;
  asked: ReturnType<typeof askedAs>;
  submit: string;
  guide: Guide;
  /** The typed secrets, so that only we can read them. */
  kept: string;
  /** The deployment has an OAuth application of its own for this vendor. */
  hasOwnApp: boolean;
  /** Where webhooks are sent: to this instance, and to all of the application. */
  addresses: { own: string | undefined; shared: string | undefined };
  previews: readonly Preview[] | undefined;
  /** How its callback answered a test. */
  tested: Attempt | undefined;
};

export type Entries = { entries: readonly Entry[] };

/** A part of the form. */
export function Part(props: { title: string; children?: Child }): JSX.Element {
  return (
    <section class="card part">
      <h2>{props.title}</h2>
      {props.children}
    </section>
  );
}

/** What to do at the vendor, one after the other. */
export const Steps = ({ steps }: { steps: readonly string[] }) =>
  steps.length === 0 ? null : (
    <ol class="steps">
      {steps.map((step) => (
        <li>{marked(step)}</li>
      ))}
    </ol>
  );
