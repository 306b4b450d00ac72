import * as z from "zod";
import { addressOf, type EgressPolicy, isAllowedHost, isPublicAddress } from "./egress";
import { Cache } from "../values/cache";

/** The JSON form of DNS over HTTPS: A is type 1, AAAA type 28. */
const dnsAnswer = z.object({
  Answer: z.array(z.object({ type: z.number(), data: z.string() })).default([]),
});

const TRUST_MS = 60_000;
const TIMEOUT_MS = 3_000;
/** Of a name, its address that is not public, or "public". */
const cache = new Cache<string, string>(5_000);

/**
 * The first address of a name that is not public, as the configured resolver tells it; undefined when all
 * are, or when no resolver is configured. A resolver that fails lets the request pass: it is a second
 * fence behind the platform's own, which never routes to private ranges. The address that is connected to
 * may still differ from the one checked; Workers cannot pin it. What was told is trusted for a minute.
 */
export async function privateAddressOf(
  host: string,
  policy: EgressPolicy,
): Promise<string | undefined> {
  if (policy.resolver === undefined || addressOf(host) !== undefined || isAllowedHost(host, policy))
    return undefined;
  const now = Date.now();
  const known = cache.get(host, now);
  if (known !== undefined) return known === "public" ? undefined : known;
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
