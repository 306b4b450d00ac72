import { createHmac } from "node:crypto";
import { equalInConstantTime } from "../values/bytes";
import { type Position, positionSchema } from "./position";

/**
 * `Elements-Next-Page-Token` of a hub list: `<position>.<signature>`, both base64url.
 *
 * A position may hold an address at the vendor, which we then call with the account's credentials. Signed, a token
 * is one that we handed out for this very list; without it, `nextPage` could make us read any path of the vendor.
 */

/** The list that a token belongs to. `resource` is its path, as in `/hubs/{hub}/{resource}`. */
export type TokenScope = { organizationId: number; instanceId: number; resource: string };

/** We make no longer tokens than this. */
const LONGEST_TOKEN = 16_384;

export function writePageToken(position: Position, scope: TokenScope, key: string): string {
  const payload = Buffer.from(JSON.stringify(position)).toString("base64url");
  return `${payload}.${signatureOf(payload, scope, key)}`;
}

/** @returns undefined when we did not make the token, or made it for another list. */
export function readPageToken(token: string, scope: TokenScope, key: string): Position | undefined {
  const dot = token.indexOf(".");
  if (token.length > LONGEST_TOKEN || dot === -1) return undefined;
  const payload = token.slice(0, dot);
  if (!equalInConstantTime(token.slice(dot + 1), signatureOf(payload, scope, key)))
    return undefined;
  return positionSchema.parse(JSON.parse(Buffer.from(payload, "base64url").toString()));
}

function signatureOf(
  payload: string,
  { organizationId, instanceId, resource }: TokenScope,
  key: string,
): string {
  return createHmac("sha256", key)
    .update(JSON.stringify(["hub-page", organizationId, instanceId, resource, payload]))
    .digest("base64url");
}
