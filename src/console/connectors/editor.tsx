import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Violation } from "../../http/refusal";
import { Faults } from "../form";
import { IfMayChange } from "../parts";
import { Controls, Rows, type Typed } from "./controls";
import { ASKED, AUTHENTICATION, BASICS, EVENTS, RESOURCE, WEBHOOK } from "./fields";
import { controlOf, type Document, type Values } from "./form";
import { definitionMembers, type Member } from "./members";

/** What the editor shows: a document, the form's view of it, and what is wrong. */
export type Edited = {
  /** As typed, or as it is written by us. */
  text: string;
  /** The document that the form shows. */
  document: Document;
  shown: Values;
  faults: readonly Violation[];
};

/** The editor of a connector: form and document side by side, and what they are tried with. */
export function Editor(props: {
  title: string;
  about: string;
  /** Where the form is sent to be saved, and to be tried. */
  save: string;
  test: string;
  edited: Edited;
  /** It was checked, and nothing is wrong. */
  isRight: boolean;
  children?: Child;
}): JSX.Element {
  const { title, about, save, test, edited, isRight, children } = props;
  const { document, shown, faults, text } = edited;
  return (
    <form method="post" action={save} class="editor" autocomplete="off">
      <Head title={title} about={about} test={test} isRight={isRight} />
      <Faults
        title={faults.length === 1 ? "One thing is wrong" : `${faults.length} things are wrong`}
        faults={faults.map(({ field, message }) => ({
          place: field === "" ? "the document" : field,
          message,
          control: controlOf(field, document),
        }))}
      />
      <div class="sides">
        <FormSide of={{ shown, messages: messagesOf(faults, document) }} />
        <DocumentSide text={text} isWrong={faults.length > 0} />
      </div>
      {children}
    </form>
  );
}

const Head = (props: {
  title: string;
  about: string;
  test: string;
  isRight: boolean;
}): JSX.Element => (
  <>
    <div class="head">
      <div>
        <h1>{props.title}</h1>
        <p class="quiet">{props.about}</p>
      </div>
      <IfMayChange>
        <div class="acts">
          <button formaction={props.test} name="do" value="check">
            Check
          </button>
          <button class="main">Save</button>
        </div>
      </IfMayChange>
    </div>
    {props.isRight ? (
      <p class="notice good" role="status">
        Nothing is wrong with it. It is not saved yet.
      </p>
    ) : null}
  </>
);

const FormSide = ({ of }: { of: Typed }): JSX.Element => (
  <section class="stack" aria-label="Form">
    <input type="hidden" name="seen" value={JSON.stringify(of.shown)} />
    <Group title="What it is" fields={BASICS} of={of} />
    <Group title="Authentication" fields={AUTHENTICATION} of={of} />
    <fieldset>
      <legend>What accounts are asked for</legend>
      <Rows list="configuration" fields={ASKED} title="key" empty="One more" of={of} />
    </fieldset>
    <fieldset>
      <legend>Resources</legend>
      <Rows list="resources" fields={RESOURCE} title="name" empty="One more resource" of={of} />
    </fieldset>
    <Group title="Events" fields={[...EVENTS, ...WEBHOOK]} of={of} />
  </section>
);

const DocumentSide = ({ text, isWrong }: { text: string; isWrong: boolean }): JSX.Element => (
  <section class="stack document" aria-label="Document">
    <label class="field">
      <span>The same as JSON, with all that the form can’t show</span>
      <textarea
        name="document"
        rows={40}
        spellcheck={false}
        wrap="off"
        {...(isWrong ? { "aria-invalid": "true" as const } : {})}
      >
        {`\n${text}`}
      </textarea>
    </label>
    <div
      class="offers"
      role="group"
      aria-label="What may stand here"
      data-offers={JSON.stringify(
        definitionMembers().map(({ path, description, values }) => [path, description, values]),
      )}
    ></div>
    <p class="small quiet">Where both were changed, what was typed in the form counts.</p>
    <Members />
  </section>
);

const Group = (props: { title: string; fields: typeof BASICS; of: Typed }): JSX.Element => (
  <fieldset>
    <legend>{props.title}</legend>
    <Controls fields={props.fields} of={props.of} />
  </fieldset>
);

/** What is wrong, by the control that it stands beside. */
function messagesOf(faults: readonly Violation[], document: Document): Map<string, string[]> {
  const messages = new Map<string, string[]>();
  for (const { field, message } of faults) {
    const control = controlOf(field, document);
    if (control !== undefined) messages.set(control, [...(messages.get(control) ?? []), message]);
  }
  return messages;
}

/** Every member that a definition may have. */
const Members = (): JSX.Element => (
  <details>
    <summary>Every member that it may have</summary>
    <div class="members">
      <dl tabindex={0}>{definitionMembers().map((member) => memberRow(member))}</dl>
    </div>
  </details>
);

const memberRow = ({ path, type, description, values }: Member): JSX.Element => (
  <>
    <dt>
      <code>{path}</code>
    </dt>
    <dd>
      {description} <span class="quiet small">{values.length > 0 ? values.join(" | ") : type}</span>
    </dd>
  </>
);
