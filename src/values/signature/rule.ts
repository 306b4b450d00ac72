import * as z from "zod";

/** How a vendor's signature is checked, as data (reference vendors.md). */
const PLACEHOLDER = /^(?:body|method|url|timestamp|key|header:[a-z0-9-]{1,64})$/;

/** What stands between `${` and `}`; one that isn't closed is no name. */
export const placeholdersOf = (text: string): string[] =>
  text
    .split("${")
    .slice(1)
    .map((rest) => (rest.includes("}") ? (rest.split("}")[0] ?? "") : ""));

const signatureSchema = z.strictObject({
  header: z
    .string()
    .regex(/^[a-z0-9-]+$/, "Expected a lower-case header name")
    .describe("Lower-case name of the header that carries it."),
  algorithm: z
    .enum(["hmac-sha256", "hmac-sha1", "hmac-sha512", "sha256", "rsa-sha256", "ed25519"])
    .default("hmac-sha256"),
  encoding: z.enum(["hex", "base64"]),
  keyFormat: z
    .enum(["text", "base64", "hex", "whsec"])
    .default("text")
    .describe(
      "How the key is written. `whsec`: base64, perhaps after `whsec_` (Standard Webhooks). A public ed25519 key is PEM, or its 32 bytes; `whsec` of it: after `whpk_`.",
    ),
  prefix: z
    .string()
    .default("")
    .describe("The text before the signature in the header (`sha256=`)."),
  separator: z
    .enum([" ", ","])
    .optional()
    .describe(
      "The header holds several signatures, of which one has to fit; those that don't begin with `prefix` don't count.",
    ),
  pairs: z
    .strictObject({ signature: z.string(), timestamp: z.string().optional() })
    .optional()
    .describe(
      "The header is a comma list of `name=value`; these are the names of its parts (Stripe: `v1`, `t`).",
    ),
  content: z
    .string()
    .refine((text) => text.includes("${body}"), "Expected a template that holds ${body}")
    .refine(
      (text) => placeholdersOf(text).every((name) => PLACEHOLDER.test(name)),
      "Expected only ${body}, ${method}, ${url}, ${timestamp}, ${key} and ${header:<lower-case name>}",
    )
    .default("${body}")
    .describe(
      "What is signed: `${body}`, `${method}`, `${url}`, `${timestamp}`, `${key}`, `${header:webhook-id}` and plain text.",
    ),
  key: z
    .enum(["primary", "secondary", "any"])
    .default("any")
    .describe("Which of the instance's two signature keys it is checked with."),
  timestamp: z
    .strictObject({
      header: z
        .string()
        .optional()
        .describe("Absent: the timestamp is one of the header's `pairs`."),
      unit: z.enum(["ms", "s", "iso"]),
      maxAgeSeconds: z.number().int().positive(),
      maxFutureSeconds: z.number().int().nonnegative().default(60),
    })
    .optional(),
  requires: z
    .record(z.string(), z.string())
    .default({})
    .describe("The rule applies only when these headers have these values."),
  decisive: z
    .boolean()
    .default(false)
    .describe("When this header is present, only this rule applies."),
  spelling: z
    .enum(["escaped-json"])
    .optional()
    .describe(
      "Other spellings of the body that the vendor may have signed, tried after the raw bytes.",
    ),
  decodedInUrl: z
    .array(z.string().regex(/^%[0-9A-F]{2}$/))
    .default([])
    .describe("Escapes that the vendor decodes in the URL before it signs, such as `%3A`."),
  configurable: z
    .boolean()
    .default(false)
    .describe(
      "The configuration key `event.vendor.signature.algorithm` may name another algorithm.",
    ),
});
export type SignatureRule = z.infer<typeof signatureSchema>;

/** Standard Webhooks by name: `webhook-id`, `-timestamp` and `-signature` (or Svix' own names), `v1` and `v1a`. */
const standardSchema = z.strictObject({
  scheme: z.literal("standard-webhooks"),
  headers: z
    .enum(["webhook", "svix"])
    .default("webhook")
    .describe("The beginning of the headers' names."),
  toleranceSeconds: z.number().int().positive().max(86_400).default(300),
});

/** A list of rules of which one has to hold; a scheme's name stands for its rules. */
export const signaturesSchema = z
  .array(z.union([signatureSchema, standardSchema]))
  .transform((rules) =>
    rules.flatMap((rule): SignatureRule[] => ("scheme" in rule ? standardRules(rule) : [rule])),
  )
  .default([]);

function standardRules({
  headers,
  toleranceSeconds,
}: z.infer<typeof standardSchema>): SignatureRule[] {
  const rule = (prefix: string, algorithm: SignatureRule["algorithm"]): SignatureRule =>
    signatureSchema.parse({
      header: `${headers}-signature`,
      algorithm,
      encoding: "base64",
      keyFormat: "whsec",
      prefix,
      separator: " ",
      content: `\${header:${headers}-id}.\${timestamp}.\${body}`,
      timestamp: {
        header: `${headers}-timestamp`,
        unit: "s",
        maxAgeSeconds: toleranceSeconds,
        maxFutureSeconds: toleranceSeconds,
      },
    });
  return [rule("v1,", "hmac-sha256"), rule("v1a,", "ed25519")];
}
