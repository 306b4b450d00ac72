import type { JSX } from "hono/jsx/jsx-runtime";
import type { Connector } from "../../connectors/definition";
import type { AppInput, appView } from "../../hub/applications/edit.io";
import { Copyable, Instant, Of, Pill } from "../parts";
import type { Faults } from "./faults";
import { Field, FormFault, SettingsHead } from "./parts";

export type ShownApp = ReturnType<typeof appView>;
/** What was typed for a connector, and what is wrong with it. */
export type TypedApp = { connector: string; typed: AppInput; faults: Faults };

type Props = {
  connectors: readonly Connector[];
  apps: ReadonlyMap<string, ShownApp>;
  /** Where vendors send people back unless the application says otherwise. */
  back: string;
  wrong: TypedApp | undefined;
  organizationId: number;
  now: number;
};

/** The organization's OAuth applications: whoever connects an account then needs no key of the vendor. */
export function ApplicationsPage(props: Props): JSX.Element {
  const { connectors, back, wrong } = props;
  return (
    <>
      <SettingsHead
        here="applications"
        title="OAuth applications"
        text="Registered once at each vendor: accounts that bring no application of their own consent to these"
        isOwner
      />
      {wrong === undefined ? null : <FormFault faults={wrong.faults} />}
      <p class="quiet">Register this redirect URL in each vendor’s developer console:</p>
      <Copyable text={back} label="the redirect URL" />
      {connectors.map((connector) => (
        <Application {...props} connector={connector} />
      ))}
    </>
  );
}

function Application({ connector, ...props }: Props & { connector: Connector }): JSX.Element {
  const { apps, organizationId, now } = props;
  const { key, name } = connector;
  const app = apps.get(key);
  return (
    <details class="card part" open={props.wrong?.connector === key}>
      <summary>
        {name}{" "}
        {app === undefined ? (
          <Pill tone="off">none</Pill>
        ) : (
          <>
            <Pill tone="good">set up</Pill>{" "}
            <span class="small quiet">
              changed <Instant at={Date.parse(app.updatedAt)} now={now} />
            </span>
          </>
        )}
      </summary>
      <AppForm {...props} connector={connector} app={app} />
      {app === undefined ? null : (
        <form method="post" action={`${pathOf(connector)}/remove`} class="manage">
          <Of id={organizationId} />
          <button>Remove it: accounts that use it keep it</button>
        </form>
      )}
    </details>
  );
}

const pathOf = ({ key }: Connector): string => `/console/settings/oauth-apps/${key}`;

function AppForm(props: Props & { connector: Connector; app: ShownApp | undefined }): JSX.Element {
  const { connector, app, back, organizationId } = props;
  const of = connector.key;
  const { typed, faults } = props.wrong?.connector === of ? props.wrong : NOTHING;
  const fields = [
    { name: "key", label: "Client id", hint: "", value: typed?.key ?? app?.key ?? "" },
    {
      name: "secret",
      label: "Client secret",
      hint: app === undefined ? "" : "Empty: the stored one stays",
      value: "",
      type: "password",
    },
    {
      name: "callbackUrl",
      label: "Redirect URL",
      hint: "As it is registered at the vendor; with another one than that above, programs can use it, and this console can't",
      value: typed?.callbackUrl ?? app?.callbackUrl ?? back,
    },
  ];
  return (
    <form method="post" action={pathOf(connector)} class="settings">
      <Of id={organizationId} />
      {fields.map(({ name, label, hint, ...attributes }) => (
        <Field name={name} label={label} hint={hint} faults={faults} of={of}>
          {(described) => <input {...described} {...attributes} autocomplete="off" />}
        </Field>
      ))}
      <button class="main">Save the application of {connector.name}</button>
    </form>
  );
}

const NOTHING = { typed: undefined, faults: {} };
