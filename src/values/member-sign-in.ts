import * as z from "zod";
import { jsonVariable } from "./json-variable.ts";

const role = z.enum(["owner", "editor", "viewer"], "Expected owner, editor or viewer");

const access = z.strictObject({
  /** `acme.cloudflareaccess.com` */
  team: z
    .string()
    .regex(/^[a-z0-9-]+\.cloudflareaccess\.com$/, "Expected <team>.cloudflareaccess.com"),
  /** The application's audience tag. */
  audience: z.string().min(1),
});

const oidc = z.strictObject({
  /** As the provider's own tokens name it. */
  issuer: z.url({ protocol: /^https$/, error: "Expected an https URL" }),
  clientId: z.string().min(1),
  /** Absent: a public client, which PKCE alone binds. */
  clientSecret: z.string().min(1).optional(),
  /** On the button. */
  name: z.string().min(1).max(40).default("your identity provider"),
});
export type OidcProvider = z.infer<typeof oidc>;

const schema = z
  .strictObject({
    access: access.optional(),
    oidc: oidc.optional(),
    /** The organization whose members sign in so; absent: the first. */
    organizationId: z.number().int().positive().optional(),
    /** Who becomes a member by it, and as what: an e-mail address, or `@` and a domain. */
    roles: z
      .record(
        z
          .string()
          .trim()
          .toLowerCase()
          .regex(/^[^@\s]*@[^@\s]+$/, "Expected an e-mail address, or @ and a domain"),
        role,
      )
      .default({}),
  })
  .refine(
    (settings) => settings.access !== undefined || settings.oidc !== undefined,
    "Expected access, oidc or both",
  );
export type MemberSignIn = z.infer<typeof schema>;

/** How members sign in without a password: `{"access"?,"oidc"?,"organizationId"?,"roles"}` as JSON text. */
export const memberSignIn = jsonVariable(schema);
