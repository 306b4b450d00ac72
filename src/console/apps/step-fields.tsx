import { useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { usableBy } from "../../app-events/variables";
import { triggerKind } from "../../flows/components";
import type { Component, Descriptor } from "../../flows/descriptor";
import type { Flow } from "../../flows/flow";
import { recordOf } from "../../values/record";
import { Act, MayChange } from "../parts";
import { Choice, Field, type FormFault } from "../form";
import { LISTS, METHODS, ON_ERROR, PROPERTIES, typed } from "./step-form";
import { mappingOf, type Step } from "./steps";

/** A change of a flow that runs takes effect at once: that is to be meant. */
export function Running({ flow, id }: { flow: Flow; id: string }): JSX.Element | null {
  if (flow.stage !== "running") return null;
  return (
    <div class="field">
      <label for={id}>
        <input type="checkbox" id={id} name="force" value="yes" /> change it while it runs
      </label>
    </div>
  );
}

/** The form of one step. */
export function StepForm(props: {
  flow: Flow;
  step: Step;
  descriptor: Descriptor;
  faults: FormFault[];
}): JSX.Element | null {
  const { flow, step, descriptor, faults } = props;
  const mayChange = useContext(MayChange);
  const component = descriptor.get(step.id);
  if (component === undefined) return null;
  const wrong = faults.filter(({ place }) => place.split(" · ")[0] === step.id);
  const id = `step-${step.id.replaceAll(/\s/g, "-")}`;
  return (
    <details id={id} class="card" open={wrong.length > 0}>
      <summary>
        <b>{step.name}</b> <span class="quiet">{step.name === step.does ? "" : step.does}</span>
      </summary>
      <form method="post" action={`/console/apps/flows/${flow.id}/step`} class="form wide">
        <input type="hidden" name="component" value={step.id} />
        {wrong.map(({ place, message }) => (
          <p class="fault small">
            {place.split(" · ").slice(1).join(" · ")}: {message}
          </p>
        ))}
        <Field id={`${id}-label`} name="label" label="Label" value={labelOf(flow, step.id)} />
        {step.trigger === undefined ? (
          <Request id={id} component={component} method={step.method} />
        ) : (
          <Properties id={id} component={component} />
        )}
        {step.trigger === undefined ? (
          <Variables component={component} descriptor={descriptor} />
        ) : null}
        <Running flow={flow} id={`${id}-force`} />
        {mayChange ? <button class="main">Save step</button> : null}
      </form>
      <Act to={`/console/apps/flows/${flow.id}/remove-step`} label="Remove step">
        <input type="hidden" name="component" value={step.id} />
        {flow.stage === "running" ? <input type="hidden" name="force" value="yes" /> : null}
      </Act>
    </details>
  );
}

function labelOf({ flow }: Flow, id: string): string {
  const { label } = recordOf(flow[id]);
  return typeof label === "string" ? label : "";
}

function Request(props: {
  id: string;
  component: Component;
  method: string | undefined;
}): JSX.Element {
  const { id, component, method } = props;
  const mapping = mappingOf(component);
  return (
    <>
      <Choice
        id={`${id}-method`}
        name="method"
        label="Method"
        value={METHODS.find((one) => one.toUpperCase() === method) ?? ""}
        of={METHODS.map((one) => [one, one.toUpperCase()] as const)}
      />
      <Field id={`${id}-url`} name="url" label="URL" value={typed(mapping["url"])} />
      <Field
        id={`${id}-headers`}
        name="headers"
        label="Headers, as JSON"
        value={typed(mapping["headers"])}
        placeholder={'{"Authorization": "Bearer …"}'}
        lines={3}
      />
      <Field id={`${id}-body`} name="body" label="Body" value={typed(mapping["body"])} lines={6} />
      {component.inputs.length > 1 ? (
        <p class="quiet small">
          It has {component.inputs.length} sources: this form is about the first, the JSON below
          about all.
        </p>
      ) : null}
      <AfterError id={id} component={component} />
    </>
  );
}

function AfterError({ id, component }: { id: string; component: Component }): JSX.Element {
  const { autoRetry, maxRetries, onError } = component.errorHandling;
  return (
    <>
      <Choice
        id={`${id}-on-error`}
        name="onError"
        label="When it fails for good"
        value={onError}
        of={ON_ERROR}
      />
      <div class="field">
        <label for={`${id}-retry`}>
          <input
            type="checkbox"
            id={`${id}-retry`}
            name="autoRetry"
            value="yes"
            checked={autoRetry}
          />{" "}
          try again by itself
        </label>
      </div>
      <Field
        id={`${id}-retries`}
        name="maxRetries"
        label="Tries at most, after the first"
        value={String(maxRetries)}
      />
    </>
  );
}

/** Which properties the triggers of a kind have. */
const OF_KIND: Record<string, readonly string[]> = {
  "app-event": ["event"],
  schedule: ["cron", "timezone"],
  instance: ["instanceId", "objectTypes", "eventTypes"],
  resource: ["group", "kind"],
};

function Properties({ id, component }: { id: string; component: Component }): JSX.Element {
  const { properties, type } = component;
  const kind = triggerKind(type) ?? "";
  const names = new Set(OF_KIND[kind]);
  return (
    <>
      {[...PROPERTIES, ...LISTS]
        .filter(([name]) => names.has(name))
        .map(([name, label]) => {
          const value = properties[name];
          return (
            <Field
              id={`${id}-${name}`}
              name={name}
              label={label}
              value={Array.isArray(value) ? value.join(", ") : typed(value)}
            />
          );
        })}
      {kind === "app-event" ? (
        <Field
          id={`${id}-example`}
          name="eventDataExample"
          label="Example of the event’s data, as JSON"
          value={typed(properties["eventDataExample"])}
          hint="What it has, the steps below can use."
          lines={6}
        />
      ) : null}
      {kind === "webhook" ? (
        <p class="quiet small">
          Its address is on the page of the flow; a signature is set in the JSON.
        </p>
      ) : null}
    </>
  );
}

/** What the fields of a step may use; a script puts one where somebody writes. */
function Variables(props: { component: Component; descriptor: Descriptor }): JSX.Element | null {
  const usable = usableBy(props.component, props.descriptor);
  if (usable.length === 0) return null;
  return (
    <details class="variables">
      <summary>Variables to use ({usable.length})</summary>
      <ul>
        {usable.map(({ label, value }) => (
          <li>
            <code data-variable>{value}</code> <span class="quiet small">{label}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
