import type { Context } from "hono";
import type * as z from "zod";
import type { AskerEnv } from "../../accounts/asker.io";
import type { DestinationRecord } from "../../delivery/destination";
import { newSigningSeed, rotateKey } from "../../delivery/policy.store";
import { newSigningSecret } from "../../delivery/save-destination.store";
import { conflict, invalid } from "../../http/refusal";
import type { rotationRequest } from "./fields";
import { ringOf } from "./lookup.io";
import type { OwnerUpdates } from "./owner-update";

const MOST_LIVE_KEYS = 3;

/**
 * Gives a destination a new key, or the one that the request brings; the owner gets it first: it shows it. @returns the
 * key's secret.
 */
export async function rotate(
  c: Context<AskerEnv>,
  ownerUpdates: OwnerUpdates,
  record: DestinationRecord,
  { overlapSeconds, algorithm, secret }: z.output<typeof rotationRequest>,
): Promise<string> {
  if (secret !== undefined && algorithm === "v1a")
    throw invalid("secret: An ed25519 key is always generated", "secret");
  const now = Date.now();
  const live = record.keys.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
  if (live.length >= MOST_LIVE_KEYS)
    throw conflict(`A destination has at most ${MOST_LIVE_KEYS} live keys`);
  const isSymmetric = algorithm === "v1";
  const newSecret = isSymmetric ? (secret ?? newSigningSecret()) : newSigningSeed();
  if (isSymmetric)
    await ownerUpdates[record.destination.kind]?.(c, record, { signingSecret: newSecret });
  const retireAt = now + overlapSeconds * 1000;
  await rotateKey(c.env.DB, ringOf(c), record, { algorithm, secret: newSecret, retireAt, now });
  return newSecret;
}
