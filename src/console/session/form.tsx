import type { JSX } from "hono/jsx/jsx-runtime";
import { type Offered, OtherWays } from "./other-ways";

/** E-mail and password, and what was wrong with them. */
export function SignInForm(props: {
  next: string;
  email?: string;
  fault?: string;
  /** Whether this is a local stack, whose password is in `.tributary/local.json`. */
  local: boolean;
  offered: Offered;
}): JSX.Element {
  return (
    <section class="sign-in">
      <h1>Sign in</h1>
      <p class="quiet">
        As a member of your organization. Users of an app don’t sign in here.
        {props.local ? (
          <>
            {" "}
            On a local stack, e-mail and password are in <code>.tributary/local.json</code>.
          </>
        ) : null}
      </p>
      <Fault fault={props.fault} />
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
      <OtherWays next={props.next} offered={props.offered} />
    </section>
  );
}

/** Where whoever was invited, or forgot their password, chooses one. */
export function InvitationForm(props: {
  email: string;
  organizationName: string;
  /** Whether they have been here before. */
  isReset: boolean;
  fault?: string;
}): JSX.Element {
  const { email, organizationName, isReset, fault } = props;
  return (
    <section class="sign-in">
      <h1>{isReset ? "Set another password" : `Join ${organizationName}`}</h1>
      <p class="quiet">
        Choose a password of at least 8 characters to sign in with from now on.
        {isReset ? " You will be signed out everywhere else." : ""}
      </p>
      <Fault fault={fault} />
      <form method="post">
        <label>
          E-mail
          <input type="email" value={email} autocomplete="username" readonly />
        </label>
        <NewPassword label="Password" />
        <button class="main">{isReset ? "Set password" : "Join"}</button>
      </form>
    </section>
  );
}

/** Where a member of other organizations joins another one: as themselves, so signed in. */
export function JoinForm(props: {
  email: string;
  organizationName: string;
  /** Of the invitation. */
  path: string;
  isSignedIn: boolean;
}): JSX.Element {
  const { email, organizationName, path, isSignedIn } = props;
  return (
    <section class="sign-in">
      <h1>{`Join ${organizationName}`}</h1>
      {isSignedIn ? (
        <form method="post">
          <p class="quiet">{`As ${email}, with the password that you have.`}</p>
          <button class="main">Join</button>
        </form>
      ) : (
        <p>
          This invitation is for {email}, who signs in here already.{" "}
          <a href={`/console/sign-in?next=${encodeURIComponent(path)}`}>Sign in</a> as {email} and
          come back to it.
        </p>
      )}
    </section>
  );
}

/** Where a member changes their password. */
export function PasswordForm({ email, fault }: { email: string; fault?: string }): JSX.Element {
  return (
    <section class="sign-in">
      <h1>Change your password</h1>
      <p class="quiet">At least 8 characters. You will be signed out everywhere else.</p>
      <Fault fault={fault} />
      <form method="post" action="/console/password">
        <input type="email" name="email" value={email} autocomplete="username" readonly hidden />
        <label>
          Present password
          <input type="password" name="present" autocomplete="current-password" required />
        </label>
        <NewPassword label="New password" />
        <button class="main">Change password</button>
      </form>
    </section>
  );
}

const NewPassword = ({ label }: { label: string }): JSX.Element => (
  <label>
    {label}
    <input type="password" name="password" autocomplete="new-password" minlength={8} required />
  </label>
);

/** What was wrong with what somebody sent. */
export function Fault({ fault }: { fault: string | undefined }): JSX.Element | null {
  return fault === undefined ? null : (
    <p class="notice bad" role="alert">
      {fault}
    </p>
  );
}
