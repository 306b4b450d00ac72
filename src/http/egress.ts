import ipaddr from "ipaddr.js";
import { withoutTrailing } from "../values/text";

/** Which URLs this deployment may call. One guard for callbacks, vendors, OAuth and flow steps. */
export type EgressPolicy = {
  allow: readonly AllowedTarget[];
  /** Plain http to public hosts: local stacks only. */
  allowHttp: boolean;
  /** Our own host name: calling ourselves over the network is refused. */
  ownHost: string | undefined;
  /** All addresses that we are reached at ourselves: our own inbound addresses are served in process. */
  ownUrls?: readonly string[];
  /** A DNS-over-HTTPS resolver that names are checked with before they are called; absent: not checked. */
  resolver: string | undefined;
};

/** A host name, or an address range in CIDR form; allowed on any port and over http. */
export type AllowedTarget =
  | { kind: "host"; host: string }
  | { kind: "range"; address: ipaddr.IPv4 | ipaddr.IPv6; bits: number };

export type EgressVerdict = { ok: true; url: URL } | { ok: false; message: string };

const PORTS = new Set(["", "443", "8443"]);
const HTTP_PORTS = new Set(["", "80", "8080"]);
const INTERNAL_SUFFIXES = [
  ".internal",
  ".local",
  ".localhost",
  ".localdomain",
  ".home.arpa",
  ".onion",
  ".test",
  ".invalid",
];

/** @throws on an entry that is neither a host name nor an address or CIDR: a misconfigured deployment. */
export function parseAllowList(entries: readonly string[]): AllowedTarget[] {
  return entries.map((entry) => {
    const [address = "", bits] = entry.split("/");
    if (ipaddr.isValid(address)) {
      const parsed = ipaddr.process(address);
      const width = parsed.kind() === "ipv4" ? 32 : 128;
      return { kind: "range", address: parsed, bits: bits === undefined ? width : Number(bits) };
    }
    if (bits !== undefined) throw new Error(`EGRESS_ALLOW: '${entry}' is not a CIDR range`);
    return { kind: "host", host: bareHost(entry.toLowerCase()) };
  });
}

/**
 * Whether an outbound request to `text` may leave. Checks scheme, credentials, port, host name and
 * every spelling of an address that is not public; names are resolved elsewhere (`resolve.client.ts`).
 */
export function checkEgress(text: string, policy: EgressPolicy): EgressVerdict {
  if (!URL.canParse(text)) return refused(`'${text}' is not an absolute URL`);
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return refused(`Scheme '${url.protocol.slice(0, -1)}' is not http or https`);
  if (url.username !== "" || url.password !== "")
    return refused("Credentials in a URL are refused");
  const host = bareHost(url.hostname);
  if (host === "") return refused("The URL has no host");
  const address = addressOf(host);
  if (isAllowed(host, address, policy)) return { ok: true, url };
  if (url.protocol === "http:" && !policy.allowHttp) return refused("Expected an https URL");
  if (!PORTS.has(url.port) && !(url.protocol === "http:" && HTTP_PORTS.has(url.port)))
    return refused(`Port ${url.port} is refused`);
  if (address !== undefined) {
    return isPublicAddress(address)
      ? { ok: true, url }
      : refused(`Address '${host}' is not public`);
  }
  const ownHosts = (policy.ownUrls ?? []).map((url) => bareHost(new URL(url).hostname));
  if (host === policy.ownHost || ownHosts.includes(host))
    return refused(`Host '${host}' is this deployment`);
  if (!host.includes(".") || INTERNAL_SUFFIXES.some((suffix) => host.endsWith(suffix)))
    return refused(`Host '${host}' is not public`);
  return { ok: true, url };
}

/** Whether an address, in any of its transition spellings, is a public unicast one. */
export function isPublicAddress(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (isIpv4(address)) return address.range() === "unicast";
  if (!isGlobalUnicast(address)) return false;
  if (address.range() !== "unicast") return false;
  return !isIsatap(address);
}

/** The address a host spells, unwrapped from IPv4-mapped form; undefined for a name. */
export function addressOf(host: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
}

/** Whether the operator allowed a host, a name or an address. */
export function isAllowedHost(host: string, policy: EgressPolicy): boolean {
  return isAllowed(bareHost(host), addressOf(host), policy);
}

function isAllowed(
  host: string,
  address: ipaddr.IPv4 | ipaddr.IPv6 | undefined,
  policy: EgressPolicy,
): boolean {
  return policy.allow.some((target) => {
    if (target.kind === "host") return target.host === host;
    if (address === undefined) return false;
    if (isIpv4(address) && isIpv4(target.address))
      return address.match(target.address, target.bits);
    if (!isIpv4(address) && !isIpv4(target.address))
      return address.match(target.address, target.bits);
    return false;
  });
}

/** 2000::/3 is all that is routed; NAT64, mapped, unique local and link-local lie outside it. */
function isGlobalUnicast(address: ipaddr.IPv6): boolean {
  return ((address.parts[0] ?? 0) & 0xe000) === 0x2000;
}

/** ISATAP embeds an IPv4 address after 0000:5efe or 0200:5efe. */
function isIsatap(address: ipaddr.IPv6): boolean {
  const [, , , , high = 0, low = 0] = address.parts;
  return (high === 0 || high === 0x200) && low === 0x5efe;
}

function isIpv4(address: ipaddr.IPv4 | ipaddr.IPv6): address is ipaddr.IPv4 {
  return address.kind() === "ipv4";
}

function bareHost(host: string): string {
  return withoutTrailing(host, ".");
}

function refused(message: string): EgressVerdict {
  return { ok: false, message };
}
