import { Hono } from "hono";
import { type AskerEnv, withKey } from "../accounts/routes";
import { instanceDestinationId } from "../delivery/destination";
import { readDestinations } from "../delivery/destinations.store";
import { described } from "../http/described";
import { notFound } from "../http/refusal";
import { doorsOf } from "../instances/lookup.io";

/** The receiver's signing secret: receivers' secrets are the only readable ones. */
export const signingSecretRoutes = new Hono<AskerEnv>().get(
  "/instances/:id/signing-secret",
  withKey(),
  described("What an instance's receiver verifies callbacks with", {
    tag: "destinations",
    answer: { secret: "whsec_…" },
  }),
  async (c) => {
    const { db, ring } = doorsOf(c);
    const id = instanceDestinationId(Number(c.req.param("id")) || 0);
    const found = (await readDestinations(db, ring, [id], Date.now())).get(id);
    const signer = found?.destination.signers.find(({ algorithm }) => algorithm === "v1");
    if (signer === undefined || found?.destination.organizationId !== c.var.asker.organizationId)
      throw notFound(`No instance '${c.req.param("id")}'`);
    return c.json({ secret: signer.secret });
  },
);
