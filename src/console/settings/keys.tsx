import type { JSX } from "hono/jsx/jsx-runtime";
import type { KeyRow } from "../../accounts/keys.store";
import { SCOPES } from "../../accounts/scope";
import { EXAMPLES } from "../examples";
import { described, Fault } from "../form";
import { Command, Copyable, Empty, Instant, Of, Pill, Table } from "../parts";
import type { Faults } from "./faults";
import { Field, FormFault, SettingsHead } from "./parts";

/** What is typed to make a key; `sources`: those that it is limited to; `days`: for how many it is good. */
export type TypedKey = { name: string; scopes: string[]; sources: string; days: string };

/** What each scope opens, in words. */
const MAY: Record<(typeof SCOPES)[number], string> = {
  read: "look at everything but secrets",
  write: "change everything but members, keys and the organization",
  admin: "change members, keys and the organization, and read secrets",
  secrets: "read signing secrets, keys and the audit log",
};

type Props = {
  keys: readonly KeyRow[];
  organizationId: number;
  typed: TypedKey;
  faults: Faults;
  /** A key that was just made: it is shown on this page, and never again. */
  made?: { name: string; key: string };
  now: number;
};

/** The organization's API keys: make, see, revoke. */
export function KeysPage(props: Props): JSX.Element {
  const { keys, made, faults } = props;
  return (
    <>
      <SettingsHead
        here="keys"
        title="API keys"
        text="What programs of yours say to /v1 and to the resources"
        isOwner
      />
      <FormFault faults={faults} />
      {made === undefined ? null : <KeyOnce made={made} />}
      {keys.length === 0 ? (
        <Empty
          title="No key yet"
          text="Make one below, and try it with this:"
          example={EXAMPLES.usage}
        />
      ) : (
        <Table
          heads={["Name", "May", "Reaches", "Until", "Last used", ""]}
          rows={keys.map((key) => [
            <b>{key.name}</b>,
            key.scopes.join(", "),
            reachOf(key),
            <Until row={key} now={props.now} />,
            key.lastUsedAt === null ? (
              <span class="quiet">never</span>
            ) : (
              <Instant at={key.lastUsedAt} now={props.now} />
            ),
            <Revoke row={key} organizationId={props.organizationId} />,
          ])}
        />
      )}
      <h2>Make a key</h2>
      <NewKey {...props} />
    </>
  );
}

const reachOf = ({ limits }: KeyRow): string =>
  limits === null
    ? "everything"
    : [
        ...(limits.tenants ?? []).map((id) => `tenant ${id}`),
        ...limits.sources,
        ...limits.destinations,
      ].join(", ");

function Until({ row, now }: { row: KeyRow; now: number }): JSX.Element {
  if (row.expiresAt === null) return <span class="quiet">always</span>;
  if (row.expiresAt <= now) return <Pill tone="off">expired</Pill>;
  return <Instant at={row.expiresAt} now={now} />;
}

/** A second click, so that no key is revoked by accident. */
function Revoke({ row, organizationId }: { row: KeyRow; organizationId: number }): JSX.Element {
  return (
    <details>
      <summary>Revoke</summary>
      <form method="post" action={`/console/settings/keys/${row.id}/revoke`} class="manage">
        <Of id={organizationId} />
        <button>Revoke {row.name} for good</button>
      </form>
    </details>
  );
}

function KeyOnce({ made }: { made: { name: string; key: string } }): JSX.Element {
  return (
    <section class="notice good link" role="status">
      <p>
        This is the key {made.name}. It is shown this once only: keep it where secrets are kept.
      </p>
      <Copyable text={made.key} label="the key" />
      <p>Try it:</p>
      <Command example={EXAMPLES.usage} proof={`Bearer ${made.key}`} />
    </section>
  );
}

function NewKey({ typed, faults, organizationId }: Props): JSX.Element {
  const fault = faults["scopes"];
  return (
    <form method="post" action="/console/settings/keys" class="card settings">
      <Of id={organizationId} />
      <Field name="name" label="Name" hint="What will use it" faults={faults}>
        {(described) => (
          <input {...described} value={typed.name} maxlength={255} autocomplete="off" required />
        )}
      </Field>
      <fieldset {...described("scopes", "", fault)}>
        <legend>May</legend>
        {SCOPES.map((scope) => (
          <label class="choice">
            <input
              type="checkbox"
              name="scopes"
              value={scope}
              checked={typed.scopes.includes(scope)}
            />
            <span>
              <b>{scope}</b> <span class="quiet">{MAY[scope]}</span>
            </span>
          </label>
        ))}
        <Fault id="scopes" fault={fault} />
      </fieldset>
      <Field
        name="sources"
        label="Only these sources"
        hint="For example instance:27, user:3. Empty: everything"
        faults={faults}
      >
        {(described) => <input {...described} value={typed.sources} autocomplete="off" />}
      </Field>
      <Field name="days" label="Good for days" hint="Empty: always" faults={faults}>
        {(described) => <input {...described} value={typed.days} inputmode="numeric" />}
      </Field>
      <button class="main">Make the key</button>
    </form>
  );
}
