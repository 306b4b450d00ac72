import { useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Flow } from "../../flows/flow";
import { MayChange } from "../parts";
import { Choice, Faults, Field, type FormFault } from "../form";
import { Running, StepForm } from "./step-fields";
import type { Drawn } from "./steps";

/** A flow as it is typed; of a form that was refused, as it was. */
export type Draft = { name: string; description: string; json: string };

type Shown = {
  flow: Flow;
  drawn: Drawn | undefined;
  draft: Draft;
  faults: FormFault[];
};

/** Everything of a flow to edit: each step as a form, and the whole as JSON. */
export function EditPage(props: Shown): JSX.Element {
  const { flow, drawn, faults } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Edit {flow.name === "" ? "the flow" : flow.name}</h1>
          <p class="quiet">
            <a href={`/console/apps/flows/${flow.id}`}>Back to the flow</a>
          </p>
        </div>
      </div>
      <Faults faults={faults} />
      {drawn === undefined || drawn.steps.length === 0 ? null : (
        <Steps flow={flow} drawn={drawn} faults={faults} />
      )}
      <Whole {...props} />
    </>
  );
}

const placeOf = (faults: FormFault[], place: string): string | undefined =>
  faults.find((fault) => fault.place === place)?.message;

function Whole({ flow, draft, faults }: Shown): JSX.Element {
  const mayChange = useContext(MayChange);
  return (
    <>
      <h2>The whole flow</h2>
      <form method="post" action={`/console/apps/flows/${flow.id}/save`} class="card form wide">
        <Field
          id="name"
          name="name"
          label="Name"
          value={draft.name}
          fault={placeOf(faults, "name")}
          required
        />
        <Field
          id="description"
          name="description"
          label="Description"
          value={draft.description}
          fault={placeOf(faults, "description")}
          lines={2}
        />
        <Field
          id="flow"
          name="flow"
          label="Steps, as JSON"
          value={draft.json}
          hint="Stars stand for credentials: leave them, and what is stored stays."
          fault={placeOf(faults, "flow")}
          lines={Math.min(32, Math.max(8, draft.json.split("\n").length))}
        />
        <Running flow={flow} id="force-all" />
        {mayChange ? <button class="main">Save</button> : null}
      </form>
    </>
  );
}

function Steps(props: { flow: Flow; drawn: Drawn; faults: FormFault[] }): JSX.Element {
  const { flow, drawn, faults } = props;
  const mayChange = useContext(MayChange);
  return (
    <>
      <h2>Steps</h2>
      <div class="stack">
        {drawn.steps.map((step) => (
          <StepForm flow={flow} step={step} descriptor={drawn.descriptor} faults={faults} />
        ))}
      </div>
      {mayChange ? (
        <details class="more">
          <summary>New step</summary>
          <form method="post" action={`/console/apps/flows/${flow.id}/add-step`} class="card form">
            <Choice
              id="new-after"
              name="after"
              label="After"
              value={drawn.steps.at(-1)?.id ?? ""}
              of={drawn.steps.map(({ id, name }) => [id, name] as const)}
            />
            <Field
              id="new-url"
              name="url"
              label="URL to call"
              value=""
              placeholder="https://your-app.example/hook"
              required
            />
            <Running flow={flow} id="force-new" />
            <button class="main">Add step</button>
          </form>
        </details>
      ) : null}
    </>
  );
}
