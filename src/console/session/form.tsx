import type { JSX } from "hono/jsx/jsx-runtime";

/** E-mail and password, and what was wrong with them. */
export function SignInForm(props: {
  next: string;
  email?: string;
  fault?: string;
  /** Whether this is one's own machine, where the password lies in a file. */
  local: boolean;
}): JSX.Element {
  return (
    <section class="sign-in">
      <h1>Sign in</h1>
      <p class="quiet">
        With the e-mail and password of your account.
        {props.local ? (
          <>
            {" "}
            On a local stack they are in <code>.tributary/local.json</code>.
          </>
        ) : null}
      </p>
      {props.fault === undefined ? null : (
        <p class="notice bad" role="alert">
          {props.fault}
        </p>
      )}
      <form method="post" action="/console/sign-in">
        <input type="hidden" name="next" value={props.next} />
        <label>
          E-mail
          <input
            type="email"
            name="email"
            value={props.email ?? ""}
            autocomplete="username"
            required
            autofocus
          />
        </label>
        <label>
          Password
          <input type="password" name="password" autocomplete="current-password" required />
        </label>
        <button class="main">Sign in</button>
      </form>
    </section>
  );
}
