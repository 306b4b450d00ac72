import * as z from "zod";

const oauthApp = z.strictObject({
  key: z.string().min(1),
  secret: z.string().min(1),
  callbackUrl: z.url(),
});
export type OAuthApp = z.infer<typeof oauthApp>;

/** OAuth applications of the platform itself, by connector key: `{"box":{"key","secret","callbackUrl"}}` as JSON text. */
export const oauthApps = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: "Expected JSON" });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), oauthApp));
