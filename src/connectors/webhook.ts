import { RE2JS } from "re2js";
import * as z from "zod";

/** How a vendor's webhooks are proved, routed and read, as data (reference vendors.md). */

const path = z.string();

export const signatureSchema = z.strictObject({
  /** Lower-case name of the header that carries it. */
  header: z.string().regex(/^[a-z0-9-]+$/, "Expected a lower-case header name"),
  algorithm: z
    .enum(["hmac-sha256", "hmac-sha1", "hmac-sha512", "sha256", "rsa-sha256"])
    .default("hmac-sha256"),
  encoding: z.enum(["hex", "base64"]),
  /** What stands before the signature (`sha256=`). */
  prefix: z.string().default(""),
  /** The header is a comma list of `name=value`; these are the names of its parts (Stripe: `v1`, `t`). */
  pairs: z.strictObject({ signature: z.string(), timestamp: z.string().optional() }).optional(),
  /** What is signed: `${body}`, `${method}`, `${url}`, `${timestamp}`, `${key}` and plain text. */
  content: z
    .string()
    .refine((text) => text.includes("${body}"), "Expected a template that holds ${body}")
    .refine(
      (text) => !/\$\{(?!(?:body|method|url|timestamp|key)\})/.test(text),
      "Expected only ${body}, ${method}, ${url}, ${timestamp} and ${key}",
    )
    .default("${body}"),
  /** Which of the instance's two keys it is made with. */
  key: z.enum(["primary", "secondary", "any"]).default("any"),
  timestamp: z
    .strictObject({
      /** Absent: the timestamp is one of the header's `pairs`. */
      header: z.string().optional(),
      unit: z.enum(["ms", "s", "iso"]),
      maxAgeSeconds: z.number().int().positive(),
      maxFutureSeconds: z.number().int().nonnegative().default(60),
    })
    .optional(),
  /** Headers that must have these very values, else this rule does not apply. */
  requires: z.record(z.string(), z.string()).default({}),
  /** Where this header is present no other rule counts. */
  decisive: z.boolean().default(false),
  /** Other spellings of the body that the vendor may have signed, tried after the raw bytes. */
  spelling: z.enum(["escaped-json"]).optional(),
  /** Escapes that the vendor decodes in the URL before it signs, such as `%3A`. */
  decodedInUrl: z.array(z.string().regex(/^%[0-9A-F]{2}$/)).default([]),
  /** The configuration key `event.vendor.signature.algorithm` may name another algorithm. */
  configurable: z.boolean().default(false),
});
export type SignatureRule = z.infer<typeof signatureSchema>;

/**
 * Where the tenant stands. With a `list` its items are dealt out: each tenant sees its own and no other.
 * `element` names an XML element instead.
 */
const tenant = z.union([
  z.strictObject({ list: path.optional(), path }),
  z.strictObject({ element: z.string() }),
]);
export type TenantRule = z.infer<typeof tenant>;

/** A text: at a path, of a header, or as it is; then the first group of `pattern`; then looked up in `map`. */
export const pickSchema = z.union([
  z.strictObject({ value: z.string() }),
  z.strictObject({
    path: path.optional(),
    header: z.string().optional(),
    pattern: z
      .string()
      .refine((text) => isPattern(text), "Expected a regular expression")
      .optional(),
    /** A value that is not in the map gives `otherwise`, else nothing. */
    map: z.record(z.string(), z.string()).optional(),
    otherwise: z.string().optional(),
  }),
]);
export type Pick = z.infer<typeof pickSchema>;

export function isPattern(text: string): boolean {
  try {
    RE2JS.compile(text);
    return true;
  } catch {
    return false;
  }
}

/** How a body becomes events. What has no object id or no event type is none. */
export const extractionSchema = z.discriminatedUnion("by", [
  z.strictObject({
    by: z.literal("paths"),
    /** Where the list of changes stands; absent or not a list: the body is one. */
    list: path.optional(),
    objectType: pickSchema,
    objectId: pickSchema,
    /** CREATED, UPDATED or DELETED. */
    eventType: pickSchema,
    date: pickSchema.optional(),
    /** What tells two deliveries of one change from two changes; absent: the change's content. */
    version: pickSchema.optional(),
  }),
  z.strictObject({
    by: z.literal("jsonata"),
    /** Gives objects of `objectType`, `objectId`, `eventType` and perhaps `date`, `version`, `data`. */
    expression: z.string().min(1).max(10_000),
  }),
  /** A vendor's own small file does it. */
  z.strictObject({
    by: z.literal("parser"),
    parser: z.enum(["box", "hubspot", "quickbooks", "sfdc"]),
  }),
  /** The body only says that something changed: the feed is read. */
  z.strictObject({ by: z.literal("feed") }),
]);
export type Extraction = z.infer<typeof extractionSchema>;

export const webhookSchema = z.strictObject({
  /** `GET ?<parameter>=x` is answered with x as plain text. */
  handshake: z.strictObject({ parameter: z.string() }).optional(),
  /** Empty: the vendor doesn't sign, and each instance has a token that its URL must carry. */
  signatures: z.array(signatureSchema).default([]),
  /** The configuration key that holds the key when `event.vendor.signature.key` is absent. */
  defaultKey: z.string().optional(),
  route: z
    .strictObject({
      tenants: z.array(tenant).min(1),
      /** The configuration keys whose values name the tenant; a value may be a comma list. */
      equals: z.array(z.string()).min(1),
      /** Connectors of one family share their app-wide URLs. */
      family: z.string().optional(),
    })
    .optional(),
  extraction: extractionSchema,
  /** Webhooks that are made for single items, and removed with the instance. */
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
    .optional(),
  /** What a committed delivery is answered with; absent: nothing. */
  acknowledgement: z.strictObject({ type: z.string(), body: z.string() }).optional(),
});
export type Webhook = z.infer<typeof webhookSchema>;

/** One change that a webhook tells of. */
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

/** What the vendor says about the instance itself; never forwarded. */
export type Control =
  | { kind: "reauthorize"; reason: string }
  /** The vendor gave up this registration: it is made anew. */
  | { kind: "register-again"; webhookId: string }
  /** Something that cannot be named changed: everything of these types is looked at. */
  | { kind: "resync"; objectTypes: string[] };

export type Extracted =
  | { kind: "extracted"; changes: Change[]; controls: Control[] }
  | { kind: "unreadable"; message: string };

/** As much of a delivery as a parser may look at; `body` is the parsed JSON, or the text. */
export type Delivery = {
  body: unknown;
  text: string;
  headers: { get(name: string): string | null };
};
