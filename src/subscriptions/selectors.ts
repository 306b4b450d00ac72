import type { Selectors } from "../delivery/destination";
import { fitsWildcard } from "../values/wildcard";

/** What is asked of an event: where it happened, whose it is, and what it is called (`stream/event-type.ts`). */
export type About = {
  source: string;
  /** The tenant that the source belongs to. */
  tenant: string | null;
  /** The key of an instance's connector. */
  connector?: string | undefined;
  type: string;
  /** Of a published event. */
  channels?: readonly string[] | undefined;
};

/** Whether an endpoint hears of an event: a source, a type and a channel fit. Empty lists let every type and channel through. */
export const selects = ({ sources, eventTypes, channels }: Selectors, about: About): boolean =>
  sources.some((selector) => namesSource(selector, about)) &&
  (eventTypes.length === 0 || eventTypes.some((pattern) => fitsWildcard(pattern, about.type))) &&
  (channels.length === 0 || channels.some((channel) => about.channels?.includes(channel)));

/**
 * Whether a selector names the source of an event: `instance:27`, `instance:*`, `user:7`, `scope:management/Environment/prod`
 * name sources; `connector:box` those of a connector, `tenant:acme` all of a tenant, and `publish` all published events.
 */
function namesSource(selector: string, { source, tenant, connector }: About): boolean {
  const [kind, name] = splitAt(selector);
  switch (kind) {
    case "publish":
      return source.startsWith("tenant:");
    case "tenant":
      return tenant !== null && name === tenant;
    case "connector":
      return connector !== undefined && name === connector;
    default:
      return name === "*" ? source.startsWith(`${kind}:`) : selector === source;
  }
}

function splitAt(selector: string): [kind: string, name: string] {
  const colon = selector.indexOf(":");
  return colon === -1 ? [selector, ""] : [selector.slice(0, colon), selector.slice(colon + 1)];
}
