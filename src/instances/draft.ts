import * as z from "zod";
import type { Authentication } from "../connectors/authentication";
import { between } from "../values/text";

/** Names and tags; markup is stripped (reference connector-events-api.md §4). */
const plainText = z
  .string("Expected a text")
  .max(255, "Expected at most 255 characters")
  .transform((text) => withoutMarkup(text).trim());

function withoutMarkup(text: string): string {
  const parts = [...between(text, "<", ">")];
  return parts.flatMap((part) => (part.inside ? [] : part.text)).join("");
}

const configuration = z.record(z.string(), z.unknown(), "Expected an object of configuration keys");
const tags = z.array(plainText, "Expected a list of texts").max(100, "Expected at most 100 tags");

const providerData = z.object({
  code: z.string().optional(),
  state: z.string().optional(),
  secret: z.string().optional(),
  realmId: z.string().optional(),
  access_token: z.string().optional(),
  refresh_token: z.string().optional(),
  apikey: z.string().optional(),
});
export type ProviderData = z.infer<typeof providerData>;

const element = z
  .object(
    { key: z.string().optional(), id: z.union([z.number(), z.string()]).optional() },
    "Expected an object with a key or an id",
  )
  .refine(({ key, id }) => key !== undefined || id !== undefined, "Expected a key or an id");

/** `POST /instances`; unknown members are ignored, as the original does. */
export const newInstance = z.object(
  {
    element,
    providerData: providerData.optional(),
    configuration: configuration.default({}),
    tags: tags.default([]),
    name: plainText.optional(),
    externalAuthentication: z.string().default("none"),
  },
  "Expected a JSON object",
);
export type NewInstance = z.infer<typeof newInstance>;

/** `PATCH` and `PUT /instances[/{id}]`; absent members stay as they are. */
export const instanceChange = z.object(
  {
    element: element.optional(),
    providerData: providerData.optional(),
    configuration: configuration.optional(),
    tags: tags.optional(),
    name: plainText.refine((name) => name !== "", "Expected a name").optional(),
  },
  "Expected a JSON object",
);
export type InstanceChange = z.infer<typeof instanceChange>;

export const configurationChange = z.object(
  { propertyValue: z.unknown().refine((value) => value !== undefined, "Expected a value") },
  "Expected a JSON object",
);

/** The tokens, realm or API key in `providerData`, as configuration values. */
export function grantedConfiguration(
  authentication: Authentication,
  data: ProviderData,
): Record<string, string> {
  const granted: Record<string, string> = {};
  if (authentication.type === "oauth2") {
    if (data.access_token !== undefined) granted["oauth.user.token"] = data.access_token;
    if (data.refresh_token !== undefined) granted["oauth.user.refresh_token"] = data.refresh_token;
    for (const [field, key] of Object.entries(authentication.providerData)) {
      const value = Object.entries(data).find(([name]) => name === field)?.[1];
      if (value !== undefined) granted[key] = value;
    }
  }
  if (authentication.type === "apiKey" && data.apikey !== undefined)
    granted[authentication.configurationKey] = data.apikey;
  return granted;
}
