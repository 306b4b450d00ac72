import { useContext } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import type { Flow } from "../../flows/flow";
import { Act, MayChange, Table } from "../parts";
import { Choice, Faults, Field, type FormFault } from "../form";

const withWhom = ({ email, domain }: Flow["sharedWith"][number]): string =>
  email ?? (domain === undefined ? "every user of the organization" : `everybody at ${domain}`);

/** Whom a flow is shared with, and a form that shares it. */
export function Sharing({ flow, faults }: { flow: Flow; faults: FormFault[] }): JSX.Element {
  const mayChange = useContext(MayChange);
  const here = `/console/apps/flows/${flow.id}`;
  return (
    <>
      <h2>Shared with</h2>
      {flow.sharedWith.length === 0 ? <p class="quiet">Nobody but its owner.</p> : null}
      {flow.sharedWith.length === 0 ? null : (
        <Table
          heads={["Who", "May", ""]}
          rows={flow.sharedWith.map((share) => [
            withWhom(share),
            share.permissions.join(", ") || "nothing",
            <Act to={`${here}/unshare`} label="Take back">
              <input type="hidden" name="share" value={JSON.stringify(share)} />
            </Act>,
          ])}
        />
      )}
      {mayChange ? <ShareForm to={`${here}/share`} faults={faults} /> : null}
    </>
  );
}

const KINDS = [
  ["email", "one user"],
  ["domain", "everybody at a domain"],
  ["scope", "every user of the organization"],
] as const;

function ShareForm({ to, faults }: { to: string; faults: FormFault[] }): JSX.Element {
  return (
    <details open={faults.length > 0}>
      <summary>Share it</summary>
      <Faults faults={faults} />
      <form method="post" action={to} class="card form">
        <Choice id="share-kind" name="kind" label="With" value="email" of={KINDS} />
        <Field
          id="share-with"
          name="with"
          label="Address or domain"
          value=""
          hint="An address that nobody vouched for counts for nothing."
        />
        <fieldset>
          <legend>Who may</legend>
          {["read", "start", "stop"].map((permission) => (
            <label>
              <input
                type="checkbox"
                name={permission}
                value="yes"
                checked={permission === "read"}
              />{" "}
              {permission} it
            </label>
          ))}
        </fieldset>
        <button class="main">Share</button>
      </form>
    </details>
  );
}
