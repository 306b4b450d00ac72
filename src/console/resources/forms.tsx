import type { JSX } from "hono/jsx/jsx-runtime";
import type { ScopeName } from "../../resources/address";
import type { Kind } from "../../resources/kinds/kind";
import { Faults, Field, type FormFault } from "../form";
import { documentOf, ROWS } from "./documents";
import { TriggerBuilder } from "./trigger-builder";

/** What was typed into a form, by the names of its fields; several of one name, one after another. */
export type Typed = { faults: FormFault[]; form: URLSearchParams };

export type FormGiven = {
  kind: Kind;
  scope: ScopeName | null;
  to: string;
  here: string;
  typed: Typed;
  /** Of a scope's Webhooks, for hooks to choose from. */
  webhooks: string[];
};

const faultAt = (faults: FormFault[], place: string): string | undefined =>
  faults.find((fault) => fault.place === place || fault.place.startsWith(`${place}.`))?.message;

/** A form that makes a resource: fields for kinds that people make by hand, and its JSON for all. */
export function CreateForm(given: FormGiven): JSX.Element {
  const { kind, scope, to, typed } = given;
  const { form, faults } = typed;
  const hasFields = documentOf(kind.kind, form, scope) !== undefined;
  const isJson = form.has("document");
  return (
    <>
      <Faults faults={faults} title="It is not made yet:" />
      {hasFields ? (
        <form method="post" action={to} class="card form">
          <Head {...given} />
          <Own {...given} />
          <div class="acts">
            <button class="main">Create</button>
            {kind.kind === "ResourceHook" ? (
              <button formmethod="get" formaction={given.here} formnovalidate>
                Show what would have matched
              </button>
            ) : null}
          </div>
        </form>
      ) : null}
      <details open={!hasFields || isJson}>
        <summary>As JSON</summary>
        <form method="post" action={to} class="card form wide">
          <Field
            id="document"
            name="document"
            label={`${kind.kind}, as JSON`}
            value={form.get("document") ?? '{\n  "name": "",\n  "spec": {}\n}'}
            lines={10}
          />
          <button class="main">Create from JSON</button>
        </form>
      </details>
    </>
  );
}

function Head({ typed }: FormGiven): JSX.Element {
  const { form, faults } = typed;
  return (
    <>
      <Field
        id="name"
        name="name"
        label="Name"
        value={form.get("name") ?? ""}
        hint="Small letters, digits, dots and hyphens; without one, it is made of the title."
        fault={faultAt(faults, "name")}
      />
      <Field
        id="title"
        name="title"
        label="Title"
        value={form.get("title") ?? ""}
        fault={faultAt(faults, "title")}
      />
    </>
  );
}

function Own(given: FormGiven): JSX.Element {
  const { form, faults } = given.typed;
  switch (given.kind.kind) {
    case "Webhook":
      return <WebhookFields form={form} faults={faults} />;
    case "Secret":
      return <SecretFields form={form} faults={faults} />;
    case "ResourceHook":
      return <TriggerBuilder scope={given.scope} webhooks={given.webhooks} form={form} />;
    default:
      return (
        <Field
          id="description"
          name="description"
          label="Description"
          value={form.get("description") ?? ""}
          fault={faultAt(faults, "spec.description")}
          lines={2}
        />
      );
  }
}

function WebhookFields({ form, faults }: Typed): JSX.Element {
  return (
    <>
      <Field
        id="url"
        name="url"
        label="URL"
        value={form.get("url") ?? ""}
        placeholder="https://your-app.example/hook"
        fault={faultAt(faults, "spec.url")}
        required
      />
      <Field
        id="headers"
        name="headers"
        label="Headers, as JSON"
        value={form.get("headers") ?? ""}
        placeholder={'{"X-Tenant": "acme"}'}
        fault={faultAt(faults, "spec.headers")}
        lines={3}
      />
      <Field
        id="secret"
        name="secret"
        label="Secret that is sent as Authorization"
        value={form.get("secret") ?? ""}
        hint="The name of a Secret of the same scope; none, and nothing is sent."
        fault={faultAt(faults, "spec.auth")}
      />
      <Field
        id="key"
        name="key"
        label="Which of its values"
        value={form.get("key") ?? ""}
        placeholder="token"
      />
    </>
  );
}

/** What was typed as a value is not shown again. */
function SecretFields({ form, faults }: Typed): JSX.Element {
  return (
    <>
      {Array.from({ length: ROWS }, (_, row) => (
        <div class="pair">
          <Field
            id={`key-${row}`}
            name={`key-${row}`}
            label={row === 0 ? "Key" : `Key ${row + 1}`}
            value={form.get(`key-${row}`) ?? ""}
          />
          <Field
            id={`value-${row}`}
            name={`value-${row}`}
            label={row === 0 ? "Value" : `Value ${row + 1}`}
            value=""
            isSecret
          />
        </div>
      ))}
      <p class="small quiet">Values are sealed as they come, and nobody sees them again.</p>
      {faultAt(faults, "spec.data") === undefined ? null : (
        <p class="fault small">{faultAt(faults, "spec.data")}</p>
      )}
    </>
  );
}
