import type { JSX } from "hono/jsx/jsx-runtime";
import type { Asked } from "../../accounts/passkeys/options";
import { Instant, Table } from "../parts";
import { Fault } from "../session/form";
import { PasskeyForm } from "../session/passkey-form";
import { Present } from "./two-step";

type Passkey = { id: string; name: string; createdAt: number; lastUsedAt: number | null };

/** A member's passkeys, and the way to another one. */
export const PasskeysPage = (props: {
  passkeys: readonly Passkey[];
  now: number;
  fault?: string;
}): JSX.Element => (
  <>
    <div class="head">
      <div>
        <h1>Passkeys</h1>
        <p class="quiet">
          A passkey signs you in with your device’s screen lock, or a security key. It takes the
          place of the password and of a code.
        </p>
      </div>
    </div>
    {props.passkeys.length === 0 ? null : (
      <Table
        heads={["Name", "Added", "Last used", ""]}
        rows={props.passkeys.map(({ id, name, createdAt, lastUsedAt }) => [
          name,
          <Instant at={createdAt} now={props.now} />,
          lastUsedAt === null ? (
            <span class="quiet">never</span>
          ) : (
            <Instant at={lastUsedAt} now={props.now} />
          ),
          <form method="post" action={`/console/passkeys/${id}/remove`}>
            <button>Remove</button>
          </form>,
        ])}
      />
    )}
    <section class="sign-in">
      <h2>Add a passkey</h2>
      <Fault fault={props.fault} />
      <form method="post" action="/console/passkeys/new">
        <Present />
        <button class="main">Go on</button>
      </form>
    </section>
  </>
);

/** Asks the browser for a new key. */
export const NewPasskey = ({ asked }: { asked: Asked }): JSX.Element => (
  <section class="sign-in">
    <h1>Add a passkey</h1>
    <p class="quiet">
      Your browser asks where to keep it: on this device, in a password manager, on a phone or a
      security key.
    </p>
    <PasskeyForm action="/console/passkeys" does="create" asked={asked} label="Make it" main>
      <label>
        What to call it
        <input name="name" maxlength={60} placeholder="Laptop" autofocus />
      </label>
    </PasskeyForm>
    <noscript>
      <p>Making a passkey takes a small script, which this browser doesn’t run.</p>
    </noscript>
  </section>
);
