import * as z from "zod";
import { addressOf, type EgressPolicy, isAllowedHost, isPublicAddress } from "./egress";
import { Cache } from "../values/cache";

/** The JSON form of DNS over HTTPS: A is type 1, AAAA type 28. */
const dnsAnswer = z.object({
  Answer: z.array(z.object({ type: z.number(), data: z.string() })).default([]),
});

const TRUST_MS = 60_000;
const TIMEOUT_MS = 3_000;
/** By host name: its first address that is not public, or "public". */
const cache = new Cache<string, string>(5_000);

/**
 * The first address of a name that is not public, by the answer of the configured resolver, which is kept for a
 * minute; undefined when all are public, and when no resolver is configured. A resolver that fails lets the request
 * pass: the platform itself never routes to private ranges, this check comes on top. The name may resolve to another
 * address when the request is made; a Worker cannot choose the address it connects to.
 */
export async function privateAddressOf(
  host: string,
  policy: EgressPolicy,
): Promise<string | undefined> {
  if (policy.resolver === undefined || addressOf(host) !== undefined || isAllowedHost(host, policy))
    return undefined;
  const now = Date.now();
  const cached = cache.get(host, now);
  if (cached !== undefined) return cached === "public" ? undefined : cached;
  const answers = await Promise.all(
    ["A", "AAAA"].map((type) => resolve(policy.resolver ?? "", host, type)),
  );
  const hidden = answers.flat().find((text) => {
    const address = addressOf(text);
    return address !== undefined && !isPublicAddress(address);
  });
  cache.set(host, hidden ?? "public", now + TRUST_MS);
  return hidden;
}

async function resolve(resolver: string, host: string, type: string): Promise<string[]> {
  const url = new URL(resolver);
  url.searchParams.set("name", host);
  url.searchParams.set("type", type);
  try {
    const response = await fetch(url, {
      headers: { accept: "application/dns-json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const parsed = dnsAnswer.safeParse(await response.json());
    return parsed.success
      ? parsed.data.Answer.flatMap(({ type: kind, data }) =>
          kind === 1 || kind === 28 ? data : [],
        )
      : [];
  } catch {
    return [];
  }
}
