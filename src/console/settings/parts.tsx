import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { Labelled } from "../form";
import type { Faults } from "./faults";

/** Where a settings page stands among the others. */
export type Place = "organization" | "keys" | "jobs" | "usage" | "applications";

/** The head of each settings page, with the ways to the others; keys and the audit log are for owners. */
export function SettingsHead(props: {
  here: Place;
  title: string;
  text: string;
  isOwner: boolean;
}): JSX.Element {
  const { here, title, text, isOwner } = props;
  const places = [
    ["organization", "/console/settings", "Organization"],
    ...(isOwner
      ? ([
          ["keys", "/console/settings/keys", "API keys"],
          ["applications", "/console/settings/oauth-apps", "OAuth applications"],
          ["audit", "/console/audit", "Audit"],
        ] as const)
      : []),
    ["jobs", "/console/settings/jobs", "Jobs"],
    ["usage", "/console/settings/usage", "Usage"],
    ["members", "/console/members", "Members"],
    ["sessions", "/console/sessions", "Your sessions"],
    ["security", "/console/security", "Security"],
  ] as const;
  return (
    <>
      <div class="head">
        <div>
          <h1>{title}</h1>
          <p class="quiet">{text}</p>
        </div>
      </div>
      <ul class="ranges places" aria-label="Settings">
        {places.map(([name, href, label]) => (
          <li>
            <a href={href} {...(name === here ? { "aria-current": "page" } : {})}>
              {label}
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

/** A labelled control of a settings page; `children` draws it with what it must have. */
export function Field(props: {
  name: string;
  label: string;
  /** Empty: there is none. */
  hint: string;
  faults: Faults;
  /** Which of a page's forms it is in, where there are several with a field of this name. */
  of?: string;
  children: (described: Record<string, string>) => Child;
}): JSX.Element {
  const { name, label, hint, faults, of, children } = props;
  const { [name]: fault } = faults;
  const id = of === undefined ? name : `${of}-${name}`;
  return <Labelled {...{ id, name, label, hint, fault, control: children }} />;
}

/** Faults that belong to no field, and that there are any. */
export function FormFault({ faults }: { faults: Faults }): JSX.Element | null {
  const all = Object.keys(faults);
  if (all.length === 0) return null;
  return (
    <p class="notice bad" role="alert">
      {faults[""] ?? "Nothing was changed: mend what is marked below."}
    </p>
  );
}
