import * as z from "zod";
import { tenantId } from "../../accounts/tenants/tenant";
import type { Selectors } from "../../delivery/destination";
import type { EndpointChange } from "../../delivery/policy.store";
import { checkEgress, type EgressPolicy } from "../../http/egress";
import type { Violation } from "../../http/refusal";
import { MASK } from "../../values/secret-name";
import { isObject } from "../../values/record";

/** What the owner of an endpoint says of it, beside how it is served (`fields.ts`). */

const MOST_SELECTORS = 100;
const LONGEST_SELECTOR = 256;
const LONGEST_URL = 2_048;
const LONGEST_METADATA = 8_192;

const SOURCE =
  /^(?:publish|instance:(?:\*|[1-9]\d{0,14})|connector:[\w.-]{1,128}|tenant:[A-Za-z0-9._-]{1,64}|user:(?:\*|[1-9]\d{0,14})|scope:(?:\*|-|[^/]+\/[^/]+\/.+))$/;
const SOURCE_EXPECTED =
  "Expected publish, instance:27, instance:*, connector:box, tenant:acme, user:7, user:*, scope:<group>/<Kind>/<name> or scope:*";

const selector = (expected: string) =>
  z.string(expected).min(1, expected).max(LONGEST_SELECTOR, expected);
const MANY = `Expected a list of at most ${MOST_SELECTORS}`;
const selectors = (item: z.ZodType<string>) => z.array(item, MANY).max(MOST_SELECTORS, MANY);
const NAME_EXPECTED = `Expected 1 to ${LONGEST_SELECTOR} characters`;

/** Those that may be changed, too. */
export const endpointFields = {
  url: z
    .string("Expected a URL")
    .max(LONGEST_URL)
    .optional()
    .describe("Where it is called; what waits for it goes to the new one"),
  name: z
    .string()
    .min(1)
    .max(255)
    .nullable()
    .optional()
    .describe("Yours, and of one destination of its tenant only"),
  tenant: tenantId
    .nullable()
    .optional()
    .describe("The tenant that it belongs to, for good: it hears of nothing else"),
  description: z.string().max(1_024).nullable().optional(),
  sources: selectors(selector(SOURCE_EXPECTED).regex(SOURCE, SOURCE_EXPECTED))
    .min(1, "Expected at least one")
    .optional()
    .describe(
      "Whose events it hears of; by default all of its tenant's, without a tenant what is published",
    ),
  eventTypes: selectors(selector(NAME_EXPECTED))
    .min(1, "Expected at least one")
    .optional()
    .describe("By default all; `*` stands for any characters: `contacts.*`, `*.DELETED`"),
  channels: selectors(selector(NAME_EXPECTED))
    .optional()
    .describe("Only events that are published to one of these; empty: all"),
  metadata: z
    .record(z.string(), z.unknown(), "Expected an object")
    .refine((value) => JSON.stringify(value).length <= LONGEST_METADATA, {
      error: `Expected at most ${LONGEST_METADATA} characters of JSON`,
    })
    .optional()
    .describe("Yours; it is kept and shown"),
};

type Fields = z.infer<z.ZodObject<typeof endpointFields>>;

/** The traits that were sent. */
export function traitsIn(fields: Fields): EndpointChange {
  const { name, description, metadata, sources, eventTypes, channels } = fields;
  return present({
    name,
    description,
    metadata,
    selectors: present({ sources, eventTypes, channels }),
  });
}

/** The members that are there. */
function present<T extends object>(
  members: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const there = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as never;
}

/** What an endpoint of a tenant hears of unless it says so. */
export const defaultSelectors = (tenant: string | null): Selectors => ({
  sources: [tenant === null ? "publish" : `tenant:${tenant}`],
  eventTypes: ["*"],
  channels: [],
});

/**
 * What is wrong with the fields of an endpoint beside their shapes: an address that may not be called, masks where
 * nothing is stored, what its tenant rules out. @param stored the endpoint as it is; undefined: it is new.
 */
export function endpointFaults(
  value: unknown,
  egress: EgressPolicy,
  stored?: { tenant: string | null },
): Violation[] {
  if (!isObject(value)) return [];
  const faults: Violation[] = [];
  const { url, tenant = stored?.tenant, headers, sources } = value;
  if (typeof url === "string") {
    const verdict = checkEgress(url, egress);
    if (!verdict.ok) faults.push({ field: "url", message: verdict.message });
  }
  if (stored !== undefined && tenant !== stored.tenant)
    faults.push({ field: "tenant", message: "An endpoint belongs to its tenant for good" });
  if (stored === undefined)
    for (const [name, header] of Object.entries(isObject(headers) ? headers : {}))
      if (header === MASK)
        faults.push({
          field: `headers.${name}`,
          message: `'${MASK}' keeps a stored value, and there is none`,
        });
  for (const [index, source] of (Array.isArray(sources) ? sources : []).entries())
    if (isOfAnother(source, tenant))
      faults.push({
        field: `sources.${index}`,
        message: `The endpoint belongs to the tenant '${String(tenant)}'`,
      });
  return faults;
}

const isOfAnother = (source: unknown, tenant: unknown): boolean =>
  typeof source === "string" &&
  typeof tenant === "string" &&
  source.startsWith("tenant:") &&
  source !== `tenant:${tenant}`;
