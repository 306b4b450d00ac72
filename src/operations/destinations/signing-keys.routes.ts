import { type Context, Hono } from "hono";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { type DestinationRecord, instanceDestinationId } from "../../delivery/destination";
import { newSigningSeed, rotateKey } from "../../delivery/policy.store";
import { publicKeyOf } from "../../delivery/signature";
import { readDestination } from "../../delivery/destinations.store";
import { newSigningSecret } from "../../delivery/save-destination.store";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { conflict, invalid, notFound } from "../../http/refusal";
import { BODY_BYTES, destinationOfPath, ringOf, withHealth } from "./lookup.io";
import { numericId } from "../../values/whole-number";
import { reachesDestination, reachOf } from "../reach";
import { EXAMPLE, rotationRequest } from "./fields";
import type { OwnerUpdates } from "./owner-update";

const MOST_LIVE_KEYS = 3;

const withSecretsKey = withKey("write", { look: "secrets", limits: "kept" });

/**
 * What receivers verify callbacks with: the only secrets that can be read. Whoever knows them can forge callbacks,
 * so that the scope `read` is not enough.
 */
export const signingSecretRoutes = new Hono<AskerEnv>()
  .get(
    "/instances/:id/signing-secret",
    withSecretsKey,
    described("What an instance's receiver verifies callbacks with", {
      tag: "destinations",
      answer: { secret: "whsec_…" },
    }),
    async (c) => {
      const id = instanceDestinationId(numericId(c.req.param("id")) ?? 0);
      const { asker } = c.var;
      const destination = reachesDestination(reachOf(asker), id)
        ? await readDestination(c.env.DB, ringOf(c), asker.organizationId, id)
        : undefined;
      const signer = destination?.signers.find(({ algorithm }) => algorithm === "v1");
      if (signer === undefined) throw notFound(`No instance '${c.req.param("id")}'`);
      return c.json({ secret: signer.secret });
    },
  )
  .get(
    "/destinations/:id/signing-secret",
    withSecretsKey,
    described("What its receiver verifies callbacks with", {
      tag: "destinations",
      answer: { secret: "whsec_…" },
    }),
    async (c) => {
      const { destination } = await destinationOfPath(c);
      const symmetric = destination.signers.find(({ algorithm }) => algorithm === "v1");
      const asymmetric = destination.signers.find(({ algorithm }) => algorithm === "v1a");
      return c.json({
        ...(symmetric === undefined ? {} : { secret: symmetric.secret }),
        ...(asymmetric === undefined ? {} : { publicKey: publicKeyOf(asymmetric.secret) }),
      });
    },
  );

/** The rotation of destinations' signing keys (reference v1-api.md). */
export const rotationRoutes = (ownerUpdates: OwnerUpdates): Hono<AskerEnv> =>
  new Hono<AskerEnv>().post(
    "/destinations/:id/rotate",
    described("A new signing key; the old ones sign too until the overlap ends", {
      tag: "destinations",
      body: rotationRequest,
      bodyExample: { overlapSeconds: 86400, algorithm: "v1" },
      answer: EXAMPLE,
    }),
    async (c) => {
      await rotate(c, ownerUpdates, await destinationOfPath(c));
      return c.json((await withHealth(c, [await destinationOfPath(c)]))[0]);
    },
  );

/** Gives a destination a new key, or the one that the request brings. The owner gets it first: it shows it. */
async function rotate(
  c: Context<AskerEnv>,
  ownerUpdates: OwnerUpdates,
  record: DestinationRecord,
): Promise<void> {
  const { overlapSeconds, algorithm, secret } = parse(
    rotationRequest,
    (await readJson(c, BODY_BYTES)) ?? {},
  );
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
}
