import type { JSX } from "hono/jsx/jsx-runtime";
import { renderSVG } from "uqr";
import { Code } from "../session/code-form";
import { Fault } from "../session/form";

type Told = { fault?: string };

/** For what takes more than being signed in. */
export const Present = (): JSX.Element => (
  <label>
    Present password
    <input type="password" name="present" autocomplete="current-password" required />
  </label>
);

/** Before it is set up. */
export const BeginForm = ({ fault }: Told): JSX.Element => (
  <section class="sign-in">
    <h1>Two-step sign-in</h1>
    <p class="quiet">
      After the password you will be asked for a code that an authenticator app shows: Google
      Authenticator, 1Password, Aegis or any other.
    </p>
    <Fault fault={fault} />
    <form method="post" action="/console/two-step">
      <Present />
      <button class="main">Set up</button>
    </form>
  </section>
);

/** Shows the secret, to be read by an app, and asks for the app's first code. */
export const ConfirmForm = ({
  secret,
  uri,
  fault,
}: Told & { secret: string; uri: string }): JSX.Element => (
  <section class="sign-in">
    <h1>Set up the app</h1>
    <p class="quiet">Let your authenticator app read this, or type the key into it.</p>
    <div
      class="qr"
      role="img"
      aria-label="The key as a QR code"
      dangerouslySetInnerHTML={{ __html: renderSVG(uri, { border: 2, ecc: "M" }) }}
    />
    <p>
      <code>{secret.match(/.{1,4}/g)?.join(" ")}</code>
      <br />
      <a href={uri}>Open the app on this device</a>
    </p>
    <Fault fault={fault} />
    <form method="post" action="/console/two-step/confirm">
      <Code />
      <button class="main">Ask for codes from now on</button>
    </form>
  </section>
);

/** Shown once, when they were made. */
export const RecoveryCodes = ({ codes }: { codes: readonly string[] }): JSX.Element => (
  <section class="sign-in">
    <h1>Recovery codes</h1>
    <p class="quiet">
      Two-step sign-in is on. Each of these codes stands in for the app once. Keep them where you
      find them without your phone: they are not shown again.
    </p>
    <ul class="codes">
      {codes.map((code) => (
        <li>{code}</li>
      ))}
    </ul>
    <a class="button main" href="/console/security">
      I have kept them
    </a>
  </section>
);

/** Once it is in use. */
export const ManageForms = ({
  recoveryCodes,
  fault,
}: Told & { recoveryCodes: number }): JSX.Element => (
  <section class="sign-in">
    <h1>Two-step sign-in</h1>
    <p class="quiet">
      Your sign-in asks for a code. {recoveryCodes} recovery codes are left. Either change takes
      your password and a code.
    </p>
    <Fault fault={fault} />
    <form method="post" action="/console/two-step/recovery-codes">
      <Present />
      <Code />
      <button class="main">Make new recovery codes</button>
      <button class="second" formaction="/console/two-step/off">
        Switch off
      </button>
    </form>
  </section>
);
