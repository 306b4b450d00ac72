import * as z from "zod";
import { equalInConstantTime } from "../../values/bytes";
import { foldEmail } from "../email";

/**
 * Signatures that are accepted: of asymmetric keys alone, so that nobody signs with a public key as if it were a shared
 * one (RFC 8725, section 3.1).
 */
export const ALGORITHMS =
  "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split(" ");

const claims = z.object({
  email: z.string().min(3).max(256).includes("@"),
  // Some providers write booleans as text.
  email_verified: z.union([z.boolean(), z.literal(["true", "false"])]).optional(),
  nonce: z.string().optional(),
  azp: z.string().optional(),
  aud: z.union([z.string(), z.array(z.string())]),
});

/** Whose address a provider vouches for, or why nobody's. */
export type Vouched = { kind: "vouched"; email: string } | { kind: "refused"; because: string };

const refused = (because: string): Vouched => ({ kind: "refused", because });

/** Access lets nobody in whose address it has not seen proved, and says nothing more of it. */
export function vouchedByAccess(payload: unknown): Vouched {
  const { data } = claims.safeParse(payload);
  if (data === undefined) return refused("It names no e-mail address");
  if (data.email_verified !== undefined && !isTrue(data.email_verified))
    return refused("The e-mail address is not verified");
  return { kind: "vouched", email: foldEmail(data.email) };
}

/** OpenID Connect Core 1.0, section 3.1.3.7: the token is for this client, answers this sign-in, and its address is verified. */
export function vouchedByOidc(
  payload: unknown,
  expected: { clientId: string; nonce: string },
): Vouched {
  const { data } = claims.safeParse(payload);
  if (data === undefined) return refused("It names no e-mail address");
  const { aud, azp, nonce } = data;
  if (nonce === undefined || !equalInConstantTime(nonce, expected.nonce))
    return refused("It answers another sign-in");
  if (
    (azp ?? expected.clientId) !== expected.clientId ||
    (Array.isArray(aud) && aud.length > 1 && azp === undefined)
  )
    return refused("It is for another application");
  if (!isTrue(data.email_verified)) return refused("The e-mail address is not verified");
  return { kind: "vouched", email: foldEmail(data.email) };
}

const isTrue = (verified: boolean | string | undefined): boolean =>
  verified === true || verified === "true";
