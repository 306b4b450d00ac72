import { findConnector } from "../connectors/catalog";
import type { Connector } from "../connectors/definition";
import { type EgressPolicy, isAllowedHost } from "../http/egress";

/**
 * Which hosts get an account's credentials. A vendor's token answer, or a customer's configuration, may name the host
 * of the API (Salesforce's `instance_url`); whoever can write there could otherwise have all tokens sent to himself.
 */

/**
 * Why an address is not the connector's, or undefined when it is.
 * @param template The address as the connector has it.
 * @param filled The same with its `${placeholders}` filled; a URL.
 */
export function foreignHost(
  connector: Connector,
  template: string,
  filled: string,
): string | undefined {
  const authority = authorityOf(template);
  const placeholders = [...authority.matchAll(/\$\{([\w.]+)\}/g)].map(([, key = ""]) => key);
  if (placeholders.length === 0) return undefined;
  const { hostname } = new URL(filled);
  const ending = authority.slice(authority.lastIndexOf("}") + 1);
  const hosts = isDomain(ending) ? [...connector.hosts, ending] : connector.hosts;
  const isOwn =
    hosts.length > 0
      ? hosts.some((host) => (host.startsWith(".") ? hostname.endsWith(host) : hostname === host))
      : !placeholders.some((key) => keptKeys(connector).has(key));
  return isOwn
    ? undefined
    : `${placeholders[0]}: '${hostname}' is not a host of ${connector.name}; expected ${
        hosts.length === 0 ? "one of the connector's 'hosts', which are none" : hosts.join(", ")
      }`;
}

/** Scheme, host and port of a template: all before its path. */
function authorityOf(template: string): string {
  const scheme = template.indexOf("://");
  const end = template.indexOf("/", scheme === -1 ? 0 : scheme + 3);
  return end === -1 ? template : template.slice(0, end);
}

/** `.example.com` has a name of two labels at least, so that it belongs to somebody. */
const isDomain = (ending: string): boolean => /^(\.[a-z0-9-]+){2,}$/.test(ending);

/** Configuration keys whose values come from the vendor's token answer. */
function keptKeys({ authentication }: Connector): Set<string> {
  if (authentication.type !== "oauth2") return new Set();
  return new Set(
    Object.values(authentication.keep).map((kept) => (typeof kept === "string" ? kept : kept.key)),
  );
}

/**
 * Why an OAuth application that isn't the account's own cannot be used: its secret goes to the vendor alone, never to a
 * host or a connector that somebody named who may not know it.
 */
export function foreignApplication(
  {
    connector,
    configuration,
  }: {
    connector: Connector;
    configuration: Readonly<Record<string, string | null>>;
  },
  egress: EgressPolicy,
): string | undefined {
  if (findConnector(connector.key) !== connector)
    return `The application is for built-in connectors, not for '${connector.key}'`;
  const base = configuration["oauth.base.url"] ?? "";
  if (base === "" || !URL.canParse(base)) return undefined;
  const { hostname } = new URL(base);
  return isAllowedHost(hostname, egress)
    ? undefined
    : `oauth.base.url: The application is not shown to '${hostname}'`;
}
