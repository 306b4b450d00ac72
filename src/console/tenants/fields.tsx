import type { JSX } from "hono/jsx/jsx-runtime";
import type { Faults } from "../settings/faults";
import { Field } from "../settings/parts";
import type { Typed } from "./form";

/** What is typed of a tenant beside its id. */
export function TenantFields({ typed, faults }: { typed: Typed; faults: Faults }): JSX.Element {
  return (
    <>
      <Field name="name" label="Name" hint="What people call the customer" faults={faults}>
        {(described) => (
          <input {...described} value={typed.name} maxlength={255} autocomplete="off" />
        )}
      </Field>
      <Field
        name="rate"
        label="Calls a second"
        hint="To each of its destinations without a rate of its own. Empty: no limit"
        faults={faults}
      >
        {(described) => <input {...described} value={typed.rate} inputmode="decimal" />}
      </Field>
      <Field
        name="retentionDays"
        label="Days that events are kept"
        hint="1 to 30. Empty: as long as the organization's"
        faults={faults}
      >
        {(described) => <input {...described} value={typed.retentionDays} inputmode="numeric" />}
      </Field>
      <Field
        name="metadata"
        label="Metadata"
        hint="A JSON object of your own. Empty: none"
        faults={faults}
      >
        {(described) => (
          <textarea {...described} rows={3} spellcheck={false}>
            {typed.metadata}
          </textarea>
        )}
      </Field>
    </>
  );
}
