import type { JSX } from "hono/jsx/jsx-runtime";

/** Shown for a moment before somebody goes to the vendor. */
export const GoToVendor = ({ name, url }: { name: string; url: string }): JSX.Element => (
  <section class="sign-in">
    <h1>Consent at {name}</h1>
    <p class="quiet">The instance is made. {name} now asks whether it may be read.</p>
    <a class="button main" href={url}>
      Go on to {name}
    </a>
  </section>
);

/**
 * Shown for a moment to whoever comes back from a vendor. Their browser sends our cookies only with what leaves from a
 * page of ours, so this one sends what they brought on.
 */
export const BackFromVendor = (props: {
  /** Who sent them off: it takes what they brought. */
  to: string;
  brought: Record<string, string>;
}): JSX.Element => (
  <form class="sign-in" method="post" action={props.to} data-goes-on="">
    <h1>Almost connected</h1>
    <p class="quiet">The vendor has answered. One step is left.</p>
    {Object.entries(props.brought).map(([name, value]) => (
      <input type="hidden" name={name} value={value} />
    ))}
    <button class="main">Finish</button>
  </form>
);
