import type { JSX } from "hono/jsx/jsx-runtime";
import type { Asked } from "../../accounts/passkeys/options";
import { PasskeyForm } from "./passkey-form";

/** What a deployment offers to sign in with, beside the password. */
export type Offered = {
  passkey: Asked;
  /** Whether Cloudflare Access let this browser through, and says who it is. */
  access: boolean;
  /** What the OpenID provider is called; absent: there is none. */
  provider?: string;
};

/** Buttons below the form of the sign-in. */
export const OtherWays = ({ next, offered }: { next: string; offered: Offered }): JSX.Element => (
  <>
    <PasskeyForm
      action="/console/sign-in/passkey"
      does="get"
      asked={offered.passkey}
      label="Use a passkey"
    >
      <input type="hidden" name="next" value={next} />
    </PasskeyForm>
    {offered.access ? (
      <form class="other" method="post" action="/console/sign-in/access">
        <input type="hidden" name="next" value={next} />
        <button>Continue with Cloudflare Access</button>
      </form>
    ) : null}
    {offered.provider === undefined ? null : (
      <a class="button other" href={`/console/sign-in/oidc?next=${encodeURIComponent(next)}`}>
        Continue with {offered.provider}
      </a>
    )}
  </>
);

/** Shown for a moment after somebody came back from their provider. */
export const GoOn = ({ to }: { to: string }): JSX.Element => (
  <section class="sign-in">
    <h1>Signed in</h1>
    <a class="button main" href={to}>
      Go on
    </a>
  </section>
);
