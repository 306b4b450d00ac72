import { Hono } from "hono";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { instanceDestinationId } from "../../delivery/destination";
import { publicKeyOf } from "../../delivery/signature";
import { readDestination } from "../../delivery/destinations.store";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { notFound } from "../../http/refusal";
import { BODY_BYTES, destinationOfPath, ringOf, withHealth } from "./lookup.io";
import { numericId } from "../../values/whole-number";
import { reachesDestination, reachOf } from "../reach";
import { EXAMPLE, rotationRequest } from "./fields";
import type { OwnerUpdates } from "./owner-update";
import { rotate } from "./rotate.io";

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
      const asked = parse(rotationRequest, (await readJson(c, BODY_BYTES)) ?? {});
      await rotate(c, ownerUpdates, await destinationOfPath(c), asked);
      return c.json((await withHealth(c, [await destinationOfPath(c)]))[0]);
    },
  );
