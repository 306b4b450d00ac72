import type { JSX } from "hono/jsx/jsx-runtime";
import { Choice } from "../form";
import { Copyable, Instant, Of } from "../parts";

/** A link that was just made: it is shown on this page, and never again. */
export type MadeLink = { to: "portal" | "connect"; url: string; expiresAt: number };

/** Links for the tenant's people: to its portal, and to where they connect an account by themselves. */
export function TenantLinks(props: {
  address: string;
  organizationId: number;
  /** What they can connect. */
  connectors: readonly { key: string; name: string }[];
  made: MadeLink | undefined;
  now: number;
}): JSX.Element {
  const of = props.connectors.map(({ key, name }) => [key, name] as const);
  return (
    <>
      <h2 id="portal">Show the portal</h2>
      <LinkForm {...props} to="portal">
        <Choice
          id="access"
          name="access"
          label="What the customer may do there"
          value="write"
          of={[
            ["write", "look and change"],
            ["read", "look"],
          ]}
        />
      </LinkForm>
      <h2 id="connect">Connect an account</h2>
      <LinkForm {...props} to="connect">
        <Choice
          id="connector"
          name="connector"
          label="What the customer connects"
          value=""
          of={[["", "their choice"], ...of]}
        />
      </LinkForm>
    </>
  );
}

/** Makes a link, and shows it when it was made. */
function LinkForm(props: {
  to: MadeLink["to"];
  address: string;
  organizationId: number;
  made: MadeLink | undefined;
  now: number;
  children: JSX.Element;
}): JSX.Element {
  const { to, address, organizationId, made, now, children } = props;
  return (
    <>
      {made?.to !== to ? null : (
        <div class="notice good link" role="status">
          <p>
            Send this to the customer. It opens once, and ends{" "}
            <Instant at={made.expiresAt} now={now} />; it is not shown again.
          </p>
          <Copyable text={made.url} label="the link" />
        </div>
      )}
      <form method="post" action={`${address}/${to}-sessions`} class="find">
        <Of id={organizationId} />
        {children}
        <button>Make a link</button>
      </form>
    </>
  );
}
