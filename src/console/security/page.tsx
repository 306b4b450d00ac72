import type { Child } from "hono/jsx";
import type { JSX } from "hono/jsx/jsx-runtime";
import { Instant, Pill } from "../parts";

/** What a member's sign-in is made of, each with the page that changes it. */
export function SecurityPage(props: {
  who: { email: string; role: string };
  /** Absent while no code is asked for. */
  twoStep?: { since: number; recoveryCodes: number };
  /** How many there are. */
  passkeys: number;
  sessions: number;
  now: number;
}): JSX.Element {
  const { who, twoStep, passkeys, sessions, now } = props;
  return (
    <>
      <div class="head">
        <div>
          <h1>Security</h1>
          <p class="quiet">
            How you, {who.email}, sign in as {who.role}.
          </p>
        </div>
      </div>
      <div class="ways">
        <Way title="Password" to="/console/password" act="Change password">
          <p class="quiet">Another one signs you out everywhere else.</p>
        </Way>
        <TwoStep twoStep={twoStep} now={now} />
        <Way title="Passkeys" to="/console/passkeys" act={passkeys === 0 ? "Add one" : "Manage"}>
          <p class="quiet">
            {passkeys === 0
              ? "Sign in with your device’s screen lock, or a security key, instead of the password."
              : `${passkeys} in use.`}
          </p>
        </Way>
        <Way title="Sessions" to="/console/sessions" act="See sessions">
          <p class="quiet">
            {sessions === 1
              ? "You are signed in on this browser alone."
              : `You are signed in on ${sessions} browsers.`}
          </p>
        </Way>
      </div>
    </>
  );
}

const TwoStep = (props: {
  twoStep: { since: number; recoveryCodes: number } | undefined;
  now: number;
}): JSX.Element => {
  const { twoStep, now } = props;
  return twoStep === undefined ? (
    <Way title="Two-step sign-in" to="/console/two-step" act="Set up">
      <p class="quiet">
        <Pill tone="off">off</Pill> Asks for a code of an authenticator app after the password.
      </p>
    </Way>
  ) : (
    <Way title="Two-step sign-in" to="/console/two-step" act="Manage">
      <p class="quiet">
        <Pill tone="good">on</Pill> Since <Instant at={twoStep.since} now={now} />;{" "}
        {twoStep.recoveryCodes} recovery codes left.
      </p>
    </Way>
  );
};

const Way = (props: { title: string; to: string; act: string; children: Child }): JSX.Element => (
  <section class="card">
    <div>
      <h2>{props.title}</h2>
      {props.children}
    </div>
    <a class="button" href={props.to}>
      {props.act}
    </a>
  </section>
);
