import * as z from "zod";
import { jsonVariable } from "./json-variable.ts";

const oauthApp = z.strictObject({
  key: z.string().min(1),
  secret: z.string().min(1),
  callbackUrl: z.url(),
});
export type OAuthApp = z.infer<typeof oauthApp>;

/** OAuth applications of the platform itself, by connector key: `{"box":{"key","secret","callbackUrl"}}` as JSON text. */
export const oauthApps = jsonVariable(z.record(z.string(), oauthApp));
