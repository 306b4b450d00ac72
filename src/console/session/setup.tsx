import type { JSX } from "hono/jsx/jsx-runtime";
import { Field } from "../form";
import { Copyable, Facts } from "../parts";

/** What somebody typed who sets the deployment up. */
export type SetupForm = Record<"key" | "organization" | "email" | "password", string>;

/** Where whoever deployed this makes the first organization and becomes its owner. */
export function SetupPage(props: {
  typed: Omit<SetupForm, "key" | "password">;
  faults: Partial<SetupForm>;
}): JSX.Element {
  const { typed, faults } = props;
  const fields = [
    { name: "key", label: "Bootstrap key", hint: "BOOTSTRAP_KEY of this Worker", isSecret: true },
    { name: "organization", label: "Organization" },
    { name: "email", label: "E-mail", hint: "You sign in with it, as the owner" },
    { name: "password", label: "Password", hint: "At least 8 characters", isSecret: true },
  ] as const;
  return (
    <section class="sign-in">
      <h1>Set up Tributary</h1>
      <p class="quiet">This deployment has no organization yet. Make the first one.</p>
      <form method="post" action="/console/setup">
        {fields.map((field) => (
          <Field
            {...field}
            id={field.name}
            value={"isSecret" in field ? "" : typed[field.name]}
            fault={faults[field.name]}
            required
          />
        ))}
        <button class="main">Set up</button>
      </form>
    </section>
  );
}

/** The credentials of the first organization, once. */
export function SetUpPage(props: {
  apiKey: string;
  organizationSecret: string;
  userSecret: string;
}): JSX.Element {
  const { apiKey, organizationSecret, userSecret } = props;
  return (
    <section>
      <h1>Tributary is set up</h1>
      <p>
        You are signed in. Programs use these credentials, which are <b>shown once</b>:
      </p>
      <Facts
        facts={[
          ["API key", <Copyable text={apiKey} label="the API key" />],
          ["Organization secret", <Copyable text={organizationSecret} label="the secret" />],
          ["User secret", <Copyable text={userSecret} label="the user secret" />],
        ]}
      />
      <p>
        <a class="button main" href="/console">
          Go to the console
        </a>
      </p>
    </section>
  );
}
