import type { JSX } from "hono/jsx/jsx-runtime";
import { Choice } from "../form";
import { Copyable, Instant, Of } from "../parts";

/** A link that was just made: it is shown on this page, and never again. */
export type ConnectLink = { url: string; expiresAt: number };

/** A link by which the tenant's people connect an account by themselves. */
export function ConnectLinks(props: {
  to: string;
  organizationId: number;
  /** What they can connect. */
  connectors: readonly { key: string; name: string }[];
  made: ConnectLink | undefined;
  now: number;
}): JSX.Element {
  const { to, organizationId, connectors, made, now } = props;
  const of = connectors.map(({ key, name }) => [key, name] as const);
  return (
    <>
      <h2 id="connect">Connect an account</h2>
      {made === undefined ? null : (
        <div class="notice good link" role="status">
          <p>
            Send this to the customer. It opens once, and ends{" "}
            <Instant at={made.expiresAt} now={now} />; it is not shown again.
          </p>
          <Copyable text={made.url} label="the link" />
        </div>
      )}
      <form method="post" action={to} class="find">
        <Of id={organizationId} />
        <Choice
          id="connector"
          name="connector"
          label="What the customer connects"
          value=""
          of={[["", "their choice"], ...of]}
        />
        <button>Make a link</button>
      </form>
    </>
  );
}
