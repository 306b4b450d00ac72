import type { JSX } from "hono/jsx/jsx-runtime";
import type { Connector } from "../../connectors/definition";
import { type Entry, isSealedKey } from "../../instances/entries";
import { partition } from "../../values/lists";
import { idOf, Settings } from "../connect/settings";
import { typedOf } from "../connect/typed";
import { Faults } from "../form";
import { Token } from "../visitors/page";
import type { Offer, Way } from "./offer";

export const addressOf = ({ key }: Pick<Connector, "key">): string =>
  `/connect/to/${encodeURIComponent(key)}`;

/** The way back without having connected anything, where there is one. */
type Back = { cancel: string | undefined };

function Head(props: Back & { title: string; text: string }): JSX.Element {
  const { title, text, cancel } = props;
  return (
    <div class="head">
      <div>
        <h1>{title}</h1>
        {text === "" ? null : <p class="quiet">{text}</p>}
      </div>
      {cancel === undefined ? null : (
        <a class="button" href={cancel}>
          Cancel
        </a>
      )}
    </div>
  );
}

/** What there is to choose from. */
export const Chooser = ({ offers, cancel }: Back & { offers: readonly Offer[] }): JSX.Element => (
  <>
    <Head title="Connect an account" text="Choose where the account is." cancel={cancel} />
    <ul class="gallery">
      {offers.map(({ connector }) => (
        <li class="card">
          <h2>
            <a href={addressOf(connector)}>{connector.name}</a>
          </h2>
          <p class="small quiet">{connector.description}</p>
        </li>
      ))}
    </ul>
  </>
);

const OTHERWISE: Record<Way, string> = {
  oauth2: "Sign in there instead",
  apiKey: "Use a key or token instead",
  basic: "Use a user name and password instead",
};

export type FormProps = Back & {
  offer: Offer;
  way: Way;
  asked: readonly Entry[];
  /** What was typed before, secrets left out. */
  values: Readonly<Record<string, string>>;
  /** By the key of the setting; `""`: with none of them. */
  faults: ReadonlyMap<string, string>;
  /** The name of the instance that is connected again; undefined: it is a new one. */
  again: string | undefined;
};

/** Where somebody proves whose account it is: at the vendor, or by what they type here. */
export function AccountForm(props: FormProps): JSX.Element {
  const { offer, way, asked, again, cancel } = props;
  const { connector, ways } = offer;
  const here = addressOf(connector);
  const isConsent = way === "oauth2";
  return (
    <>
      <Head
        title={again === undefined ? `Connect ${connector.name}` : `Connect ${again} again`}
        text={
          again === undefined ? connector.description : `${connector.name} has to be asked anew.`
        }
        cancel={cancel}
      />
      <FormFaults {...props} />
      <form class="card form" method="post" action={isConsent ? `${here}/consent` : here}>
        <Token />
        <input type="hidden" name="way" value={way} />
        <AskedFields {...props} />
        {isConsent ? <p>{connector.name} will ask you whether your account may be read.</p> : null}
        {isConsent || asked.length > 0 ? null : <p>Nothing is to be entered.</p>}
        <button class="main">{isConsent ? `Sign in at ${connector.name}` : "Connect"}</button>
      </form>
      {ways
        .filter((one) => one !== way)
        .map((one) => (
          <p class="more">
            <a href={`${here}?way=${one}`}>{OTHERWISE[one]}</a>
          </p>
        ))}
    </>
  );
}

function FormFaults({ asked, faults }: FormProps): JSX.Element {
  const names = new Map(asked.map(({ key, name }) => [key, name]));
  return (
    <Faults
      title="It is not connected yet:"
      faults={[...faults].map(([key, message]) => ({
        place: names.get(key) ?? "",
        message,
        control: names.has(key) ? idOf(key) : undefined,
      }))}
    />
  );
}

function AskedFields({ offer: { connector }, asked, values, faults }: FormProps): JSX.Element {
  const typed = typedOf(connector, { name: "", tags: [], configuration: values }, true);
  const [secret, open] = partition(asked, ({ key }) => isSealedKey(connector, key));
  return (
    <Settings
      entries={[...open, ...secret]}
      connector={connector}
      typed={typed}
      faults={faults}
      held={new Set()}
      made={{}}
    />
  );
}

/** Shown for a moment before somebody goes to the vendor. */
export const GoToVendor = ({ name, url }: { name: string; url: string }): JSX.Element => (
  <section class="sign-in">
    <h1>Sign in at {name}</h1>
    <p class="quiet">{name} now asks you whether your account may be read.</p>
    <a class="button main" href={url}>
      Go on to {name}
    </a>
  </section>
);

/** In a frame, which vendors' pages can't be shown in: it waits for what is done in another window. */
export const Waiting = ({ name, ticket }: { name: string; ticket: string }): JSX.Element => (
  <section class="sign-in">
    <h1>Sign in at {name}</h1>
    <p class="quiet">{name} asks you in a window of its own. Come back here when you are done.</p>
    <a class="button main" href={`/connect/continue/${ticket}`} target="_blank">
      Go on to {name}
    </a>
  </section>
);

/** The end; the page that opened this one, or frames it, is told by the script. */
export function Done(props: {
  account: string | undefined;
  organizationName: string;
  message: object;
  origin: string | null;
  back: string | undefined;
}): JSX.Element {
  const { account, organizationName, message, origin, back } = props;
  return (
    <section
      class="sign-in"
      data-connected={JSON.stringify(message)}
      data-origin={origin ?? ""}
      data-back={back ?? ""}
    >
      <h1>Connected</h1>
      <p class="quiet">
        {account === undefined ? "The account" : account} is connected to {organizationName}.
      </p>
      {back === undefined ? (
        <p>You can close this page.</p>
      ) : (
        <a class="button main" href={back}>
          Back to {organizationName}
        </a>
      )}
    </section>
  );
}

/**
 * Tells the page that opened this one or frames it, if it is of the origin that the session names; a window of its own
 * then closes. Else it leads back.
 */
export const DONE_SCRIPT = `
const { connected, origin, back } = document.querySelector("[data-connected]").dataset;
const isFramed = window.parent !== window;
const other = isFramed ? window.parent : window.opener;
if (origin !== "" && other) {
  other.postMessage(JSON.parse(connected), origin);
  if (!isFramed) window.close();
} else if (back !== "") location.replace(back);
`;
