import * as z from "zod";
import { template } from "./template";
import { isPattern, PATTERN_EXPECTED } from "./webhook";

/**
 * How an instance authenticates with its vendor, as data. Text marked *template* may hold `${key}`, replaced by the
 * instance's configuration value `key`.
 */

const parameters = z.record(z.string(), z.string());

const oauth2 = z.strictObject({
  type: z.literal("oauth2"),
  authorizeUrl: template.describe(
    "Hosts as a template; `oauth.base.url` replaces scheme, host and port.",
  ),
  tokenUrl: template,
  refreshUrl: template.optional(),
  revokeUrl: template.optional(),
  scope: z.string().default(""),
  authorizeParameters: parameters.default({}),
  clientAuthentication: z
    .enum(["form", "basic"])
    .default("form")
    .describe("How client id and secret are sent to the token endpoint."),
  expiresInDefault: z
    .number()
    .int()
    .positive()
    .default(3600)
    .describe("Seconds an access token lives when the answer does not say."),
  keep: z
    .record(
      z.string(),
      z.union([
        z.string(),
        z.strictObject({
          key: z.string(),
          pattern: z.string().refine(isPattern, PATTERN_EXPECTED),
        }),
      ]),
    )
    .default({})
    .describe(
      "Field of the token answer → the configuration key it is kept under; with a pattern, only its first group is kept.",
    ),
  providerData: parameters
    .default({})
    .describe("Fields of `providerData` → configuration key (`realmId`)."),
  header: z.string().default("Authorization"),
  prefix: z.string().default("Bearer "),
  pkce: z.boolean().default(false).describe("The vendor knows PKCE (RFC 7636, S256)."),
});

const apiKey = z.strictObject({
  type: z.literal("apiKey"),
  in: z.enum(["header", "query"]).default("header"),
  name: z.string(),
  prefix: z.string().default(""),
  configurationKey: z.string().describe("The configuration key that holds the secret."),
});

const basic = z.strictObject({
  type: z.literal("basic"),
  usernameKey: z.string().default("username"),
  passwordKey: z.string().default("password"),
});

export const authenticationSchema = z.discriminatedUnion("type", [oauth2, apiKey, basic]);
export type Authentication = z.infer<typeof authenticationSchema>;
