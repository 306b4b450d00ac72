import type { JSX } from "hono/jsx/jsx-runtime";
import { Of } from "../parts";
import type { Faults } from "../settings/faults";
import { Field, FormFault } from "../settings/parts";
import { type Typed, versionsOf } from "./typed";

type Props = {
  typed: Typed;
  faults: Faults;
  organizationId: number;
  /** Of the type that is edited; a new one has none. */
  version?: number;
  action: string;
};

/** A new event type, or one that is edited. */
export function TypeForm(props: Props): JSX.Element {
  const { typed, faults, organizationId, version, action } = props;
  return (
    <>
      <div class="head">
        <h1>{version === undefined ? "New event type" : `Edit ${typed.name}`}</h1>
      </div>
      <FormFault faults={faults} />
      <form method="post" action={action} class="card form wide">
        <Of id={organizationId} />
        {version === undefined ? (
          <Field name="name" label="Name" hint="As you publish it: order.paid" faults={faults}>
            {(described) => (
              <input
                {...described}
                value={typed.name}
                maxlength={128}
                autocomplete="off"
                required
              />
            )}
          </Field>
        ) : (
          <input type="hidden" name="version" value={String(version)} />
        )}
        <Field
          name="description"
          label="What happened"
          hint="Your customers read it"
          faults={faults}
        >
          {(described) => <input {...described} value={typed.description} maxlength={4_000} />}
        </Field>
        <Json
          name="schema"
          label="Schema of its data"
          hint="JSON Schema, draft 2020-12. Empty: any data"
          {...props}
        />
        <Json name="example" label="Example" hint="Data as the schema says" {...props} />
        <label class="check">
          <input type="checkbox" name="deprecated" checked={typed.deprecated} />
          <span>Deprecated: it is still sent, and nobody should begin with it</span>
        </label>
        {version === undefined ? null : <Conversions {...props} version={version} />}
        <button class="main">{version === undefined ? "Make it" : "Save"}</button>
      </form>
    </>
  );
}

const Json = (
  props: Props & { name: "schema" | "example"; label: string; hint: string },
): JSX.Element => (
  <Field {...props}>
    {(described) => (
      <textarea {...described} rows={props.name === "schema" ? 14 : 6} spellcheck={false}>
        {`\n${props.typed[props.name]}`}
      </textarea>
    )}
  </Field>
);

/** For destinations that stay with an older version. */
const Conversions = (props: Props & { version: number }): JSX.Element => (
  <>
    <p class="quiet">
      Another schema makes version {props.version + 1}. Destinations may stay with an older version:
      say how its data is made out of the next one’s, in JSONata. Empty: it is the same.
    </p>
    {versionsOf(props.version, props.typed).map((older) => (
      <Field
        name={`conversion-${older}`}
        label={`Version ${older} out of version ${older + 1}`}
        hint={older === props.version ? "Only when the schema is another" : ""}
        faults={props.faults}
      >
        {(described) => (
          <textarea {...described} rows={2} spellcheck={false}>
            {`\n${props.typed.conversions[older] ?? ""}`}
          </textarea>
        )}
      </Field>
    ))}
  </>
);
