import { createHmac } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import * as z from "zod";

/** A token lives this long: 30 days. */
const LIFE_SECONDS = 2_592_000;

const claims = z.object({
  id: z.string(),
  scope: z.array(z.string()),
  exp: z.number(),
  ver: z.number().int(),
});

export type TokenVerdict =
  | { kind: "valid"; userId: number; version: number; expiresAt: number }
  | { kind: "invalid"; message: string };

/** The key of user tokens, apart from whatever else the session key signs. */
export function tokenKey(sessionKey: string): Uint8Array {
  return new Uint8Array(createHmac("sha256", sessionKey).update("user-token").digest());
}

/** `{"id","scope":["user"],"ver","iat","exp"}`, HS256 (reference app-events-api.md §1). */
export function signToken(
  user: { id: number; tokenVersion: number },
  key: Uint8Array,
  now: number,
): Promise<string> {
  const issuedAt = Math.floor(now / 1000);
  return new SignJWT({ id: String(user.id), scope: ["user"], ver: user.tokenVersion })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFE_SECONDS)
    .sign(key);
}

/** Whether a token is one of ours and not expired; whether it was revoked is for the store to say. */
export async function verifyToken(
  token: string,
  key: Uint8Array,
  now: number,
): Promise<TokenVerdict> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ["HS256"],
      currentDate: new Date(now),
    });
    const parsed = claims.safeParse(payload);
    if (!parsed.success || !/^[1-9]\d*$/.test(parsed.data.id))
      return { kind: "invalid", message: "Invalid JWT: claims are missing" };
    const { id, ver, exp } = parsed.data;
    return { kind: "valid", userId: Number(id), version: ver, expiresAt: exp * 1000 };
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      return { kind: "invalid", message: "Invalid JWT: the token has expired" };
    return { kind: "invalid", message: "Invalid JWT: key or signature is invalid" };
  }
}
