import { RE2JS } from "re2js";
import * as z from "zod";
import { handshakeSchema } from "./handshake";
import { signaturesSchema } from "../values/signature/rule";

/** How a vendor's webhooks are verified, routed and read, as data (reference vendors.md). */

const path = z.string();

/**
 * Where the body names the tenant. With a `list`, one body may have items of several tenants: each item goes to its
 * own tenant only. `element` names an XML element instead, which must be in the first 64 KB.
 */
const tenant = z.union([
  z.strictObject({ list: path.optional(), path }),
  z.strictObject({ element: z.string() }),
]);
export type TenantRule = z.infer<typeof tenant>;

/** Characters of a regular expression: compiling a longer one takes long. */
const MOST_PATTERN = 4_096;
export const PATTERN_EXPECTED = `Expected a regular expression of at most ${MOST_PATTERN} characters`;

/**
 * A text from a path, from a header, or constant; then the first group of `pattern`, if any; then its value in
 * `map`, if any.
 */
export const pickSchema = z.union([
  z.strictObject({ value: z.string() }),
  z.strictObject({
    path: path.optional(),
    header: z.string().optional(),
    pattern: z
      .string()
      .refine((text) => isPattern(text), PATTERN_EXPECTED)
      .optional(),
    map: z
      .record(z.string(), z.string())
      .optional()
      .describe("The value for each text; one that is not among them gives `otherwise`."),
    otherwise: z
      .string()
      .optional()
      .describe("The value for texts that are not in `map`; absent: they give none."),
  }),
]);
export type Pick = z.infer<typeof pickSchema>;

export function isPattern(text: string): boolean {
  try {
    if (text.length > MOST_PATTERN) return false;
    RE2JS.compile(text);
    return true;
  } catch {
    return false;
  }
}

/** How a body becomes events. Items without an object id or event type are skipped. */
export const extractionSchema = z.discriminatedUnion("by", [
  z.strictObject({
    by: z.literal("paths"),
    list: path
      .optional()
      .describe("Path of the list of changes. If there is no list, the body itself is one change."),
    objectType: pickSchema,
    objectId: pickSchema,
    eventType: pickSchema.describe("CREATED, UPDATED or DELETED."),
    date: pickSchema.optional(),
    dateUnit: z
      .enum(["s", "ms", "us", "ns"])
      .optional()
      .describe("What a date that is a number counts since 1970; absent: its size tells."),
    version: pickSchema
      .optional()
      .describe(
        "The same in all deliveries of one change, different for another change; absent: a hash of the content.",
      ),
  }),
  z.strictObject({
    by: z.literal("jsonata"),
    expression: z
      .string()
      .min(1)
      .max(10_000)
      .describe(
        "Gives objects of `objectType`, `objectId`, `eventType` and perhaps `date`, `version`, `data`.",
      ),
  }),
  /** Code in a file of the vendor (`parsers.ts`). */
  z.strictObject({
    by: z.literal("parser"),
    parser: z.enum(["box", "hubspot", "quickbooks", "sfdc"]),
  }),
  /** The body only says that something changed; the changes are read from the feed. */
  z.strictObject({ by: z.literal("feed") }),
]);
export type Extraction = z.infer<typeof extractionSchema>;

export const webhookSchema = z.strictObject({
  handshake: handshakeSchema.optional(),
  signatures: signaturesSchema.describe(
    "Empty: the vendor does not sign, and each instance's webhook URL must carry its token.",
  ),
  defaultKey: z
    .string()
    .optional()
    .describe(
      "The configuration key that holds the key when `event.vendor.signature.key` is absent.",
    ),
  route: z
    .strictObject({
      tenants: z.array(tenant).min(1),
      equals: z
        .array(z.string())
        .min(1)
        .describe(
          "The configuration keys whose values name the tenant; a value may be a comma list.",
        ),
      family: z.string().optional().describe("Connectors of one family share their app-wide URLs."),
    })
    .optional(),
  extraction: extractionSchema,
  registration: z
    .strictObject({
      /** Configuration key: comma list of `<type>:<id>`, or of ids that are tried as each type. */
      itemsKey: z.string(),
      /** Configuration key that holds the ids of the webhooks made. */
      idsKey: z.string(),
      /** The hub resource that webhooks are created, listed and deleted as. */
      resource: z.string(),
      types: z.array(z.string()).min(1),
      /** Triggers by type. */
      triggers: z.record(z.string(), z.array(z.string())),
    })
    .optional()
    .describe("Webhooks that are made for single items, and removed with the instance."),
  acknowledgement: z
    .strictObject({ type: z.string(), body: z.string() })
    .optional()
    .describe("The body of our answer to a committed delivery; absent: empty."),
});
export type Webhook = z.infer<typeof webhookSchema>;

/** One change in a webhook. */
export type Change = {
  objectType: string;
  objectId: string;
  eventType: "CREATED" | "UPDATED" | "DELETED";
  /** Epoch ms. */
  date?: number | undefined;
  /** The same for every delivery of this change. */
  version: string;
  data: unknown;
};

/** A message about the instance or its webhooks rather than about a record; it is never forwarded. */
export type Control =
  | { kind: "reauthorize"; reason: string }
  /** The vendor removed this registration; we register again. */
  | { kind: "register-again"; webhookId: string }
  /** Something changed, but the vendor does not say what: all records of these types are polled. */
  | { kind: "resync"; objectTypes: string[] };

export type Extracted =
  | { kind: "extracted"; changes: Change[]; controls: Control[] }
  | { kind: "unreadable"; message: string };

/** What a parser gets of a delivery. `body` is the parsed JSON, or the text. */
export type Delivery = {
  body: unknown;
  text: string;
  headers: { get(name: string): string | null };
};
