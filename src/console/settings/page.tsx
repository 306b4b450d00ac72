import type { JSX } from "hono/jsx/jsx-runtime";
import type { Attempt } from "../../delivery/attempt";
import { Attempts } from "../deliveries/page";
import type { FormField } from "../fields/as";
import * as as from "../fields/as";
import { AllFaults, Controls, Typings } from "../fields/controls";
import type { Typed } from "../fields/typed";
import { Act, Of } from "../parts";
import type { Faults } from "./faults";
import { SettingsHead } from "./parts";

/** The try of a test notice, or why there was none. */
export type Tried = Attempt | string;

/** What owners say of the organization. */
export const FIELDS: readonly FormField[] = [
  { name: "name", label: "Name", hint: "", as: as.line, isRequired: true },
  {
    name: "retentionDays",
    label: "Days for which events are kept",
    hint: "1 to 30: so long can they be looked at, replayed and recovered",
    as: as.number,
    isRequired: true,
  },
  {
    name: "auditDays",
    label: "Days for which audit entries are kept",
    hint: "30 to 3650",
    as: as.number,
    isRequired: true,
  },
  {
    name: "operationsCallback.url",
    label: "Operational callback",
    hint: "Where notices about destinations and accounts go that need somebody. Empty: nowhere",
    as: as.line,
  },
  {
    name: "portal.name",
    label: "Your name on pages for your customers",
    hint: "Empty: the organization's",
    as: as.line,
  },
  {
    name: "portal.logo",
    label: "Your logo there",
    hint: "An https URL, or data:image/…;base64,… of at most 16 KB. Empty: none",
    as: as.line,
  },
  {
    name: "portal.accent",
    label: "Your colour there",
    hint: "Of links and buttons, as #0b7a75: made darker or lighter where it could not be read",
    as: as.line,
  },
  {
    name: "portal.scheme",
    label: "They are",
    hint: "",
    as: as.choice([
      ["", "light or dark, as the visitor’s system is"],
      ["light", "light"],
      ["dark", "dark"],
    ]),
  },
];

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
          <form method="post" action="/console/settings" class="card form">
            <Of id={organizationId} />
            <AllFaults faults={faults} fields={FIELDS} />
            <Controls {...{ typed, faults, offers: {}, fields: FIELDS }} />
            <button class="main">Save</button>
          </form>
        </>
      ) : (
        <Typings fields={FIELDS} typed={typed} />
      )}
      {typed["operationsCallback.url"] === "" ? null : <Alerts {...props} />}
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
