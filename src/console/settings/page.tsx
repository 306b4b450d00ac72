import type { JSX } from "hono/jsx/jsx-runtime";
import type { Attempt } from "../../delivery/attempt";
import type { OrganizationView } from "../../operations/organization.io";
import { Attempts } from "../deliveries/page";
import { Act, Facts, Of } from "../parts";
import type { Faults } from "./faults";
import { Field, FormFault, SettingsHead } from "./parts";

/** What is typed in the organization's form. */
export type Typed = { name: string; retentionDays: string; auditDays: string; callback: string };

/** The try of a test notice, or why there was none. */
export type Tried = Attempt | string;

/** An organization as its form shows it. */
export const typedOf = (view: OrganizationView): Typed => ({
  name: view.name,
  retentionDays: String(view.retentionDays),
  auditDays: String(view.auditDays),
  callback: view.operationsCallback?.url ?? "",
});

/** The organization's name, what it keeps for how long, and where notices about its destinations go. */
export function OrganizationPage(props: {
  organizationId: number;
  isOwner: boolean;
  typed: Typed;
  faults: Faults;
  tried: Tried | undefined;
  now: number;
}): JSX.Element {
  const { organizationId, isOwner, typed, faults } = props;
  const text = isOwner
    ? `Organization ${organizationId}`
    : `Organization ${organizationId}. Owners change it.`;
  return (
    <>
      <SettingsHead here="organization" title="Settings" text={text} isOwner={isOwner} />
      {isOwner ? (
        <>
          <FormFault faults={faults} />
          <OrganizationForm organizationId={organizationId} typed={typed} faults={faults} />
        </>
      ) : (
        <Facts
          facts={[
            ["Name", typed.name],
            ["Events are kept", `${typed.retentionDays} days`],
            ["Audit entries are kept", `${typed.auditDays} days`],
            ["Operational callback", typed.callback === "" ? "none" : typed.callback],
          ]}
        />
      )}
      {typed.callback === "" ? null : <Alerts {...props} />}
    </>
  );
}

/** Where people hear of what needs them: the operational callback, and how it answers. */
function Alerts(props: {
  organizationId: number;
  tried: Tried | undefined;
  now: number;
}): JSX.Element {
  const { organizationId, tried, now } = props;
  return (
    <section id="alerts" class="stack">
      <h2>Alert channels</h2>
      <p class="quiet">
        The operational callback gets each notice as a signed webhook. A test goes the very same
        way.
      </p>
      <Act to="/console/settings/callback/test#alerts" label="Send a test notice">
        <Of id={organizationId} />
      </Act>
      {tried === undefined ? null : typeof tried === "string" ? (
        <p class="notice bad" role="status">
          {tried}
        </p>
      ) : (
        <Attempts attempts={[tried]} now={now} />
      )}
    </section>
  );
}

/** The fields, in the order in which they are shown. */
const FIELDS = [
  { name: "name", label: "Name", hint: "", maxlength: 255, required: true },
  {
    name: "retentionDays",
    label: "Days for which events are kept",
    hint: "1 to 30: so long can they be looked at, replayed and recovered",
    inputmode: "numeric",
    required: true,
  },
  {
    name: "auditDays",
    label: "Days for which audit entries are kept",
    hint: "30 to 3650",
    inputmode: "numeric",
    required: true,
  },
  {
    name: "callback",
    label: "Operational callback",
    hint: "Where notices about destinations and accounts go that need somebody. Empty: nowhere",
    inputmode: "url",
    placeholder: "https://your-app.example/alerts",
  },
] as const;

function OrganizationForm(props: {
  organizationId: number;
  typed: Typed;
  faults: Faults;
}): JSX.Element {
  const { organizationId, typed, faults } = props;
  return (
    <form method="post" action="/console/settings" class="card settings">
      <Of id={organizationId} />
      {FIELDS.map(({ name, label, hint, ...attributes }) => (
        <Field name={name} label={label} hint={hint} faults={faults}>
          {(described) => <input {...described} {...attributes} value={typed[name]} />}
        </Field>
      ))}
      <button class="main">Save</button>
    </form>
  );
}
