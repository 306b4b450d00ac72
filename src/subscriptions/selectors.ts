import type { Selectors } from "../delivery/destination";
import { wildcard } from "../values/wildcard";

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

type Fits = (about: About) => boolean;
/** A tenant may have a thousand endpoints, and each of its events asks all of them. */
const prepared = new WeakMap<Selectors, Fits>();

/** Whether an endpoint hears of an event: a source, a type and a channel fit. Empty lists let every type and channel through. */
export function selects(selectors: Selectors, about: About): boolean {
  const known = prepared.get(selectors);
  if (known !== undefined) return known(about);
  const fits = prepare(selectors);
  prepared.set(selectors, fits);
  return fits(about);
}

function prepare({ sources, eventTypes, channels }: Selectors): Fits {
  const places = sources.map(namesSource);
  const types = eventTypes.map(wildcard);
  return (about) =>
    places.some((fits) => fits(about)) &&
    (types.length === 0 || types.some((fits) => fits(about.type))) &&
    (channels.length === 0 || channels.some((channel) => about.channels?.includes(channel)));
}

/**
 * Whether a selector names the source of an event: `instance:27`, `instance:*`, `user:7`, `scope:management/Environment/prod`
 * name sources; `connector:box` those of a connector, `tenant:acme` all of a tenant, and `publish` all published events.
 */
function namesSource(selector: string): Fits {
  const [kind, name] = splitAt(selector);
  switch (kind) {
    case "publish":
      return ({ source }) => source.startsWith("tenant:");
    case "tenant":
      return ({ tenant }) => tenant !== null && name === tenant;
    case "connector":
      return ({ connector }) => connector !== undefined && name === connector;
    default:
      return name === "*"
        ? ({ source }) => source.startsWith(`${kind}:`)
        : ({ source }) => selector === source;
  }
}

function splitAt(selector: string): [kind: string, name: string] {
  const colon = selector.indexOf(":");
  return colon === -1 ? [selector, ""] : [selector.slice(0, colon), selector.slice(colon + 1)];
}
