import type { JSX } from "hono/jsx/jsx-runtime";
import { Fault } from "./form";

/** Asks for the second step after the password. */
export function CodeForm({ next, fault }: { next: string; fault?: string }): JSX.Element {
  return (
    <section class="sign-in">
      <h1>One more step</h1>
      <p class="quiet">
        Type the code that your authenticator app shows, or one of your recovery codes.
      </p>
      <Fault fault={fault} />
      <form method="post" action="/console/sign-in/code">
        <input type="hidden" name="next" value={next} />
        <Code autofocus />
        <button class="main">Sign in</button>
      </form>
      <p class="after">
        <a href="/console/sign-in">Sign in as somebody else</a>
      </p>
    </section>
  );
}

/** Where a code is typed: digits as a rule, so that phones fill it in. */
export const Code = ({ autofocus }: { autofocus?: boolean }): JSX.Element => (
  <label>
    Code
    <input
      name="code"
      autocomplete="one-time-code"
      autocapitalize="none"
      spellcheck={false}
      maxlength={40}
      required
      autofocus={autofocus === true}
    />
  </label>
);
