import { Hono } from "hono";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { instanceDestinationId } from "../../delivery/destination";
import { newSigningSeed, rotateKey } from "../../delivery/policy.store";
import { publicKeyOf } from "../../delivery/signature";
import { newSigningSecret, readDestination } from "../../delivery/destinations.store";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/described";
import { conflict, invalid, notFound } from "../../http/refusal";
import { BODY_BYTES, found, ringOf, shown } from "./lookup.io";
import { EXAMPLE, rotation } from "./fields";
import type { Owners } from "./owner";

const MOST_KEYS = 3;

/** What receivers verify callbacks with, and its rotation. */
export const keyRoutes = (owners: Owners): Hono<AskerEnv> =>
  new Hono<AskerEnv>()
    .get(
      "/instances/:id/signing-secret",
      withKey(),
      described("What an instance's receiver verifies callbacks with", {
        tag: "destinations",
        answer: { secret: "whsec_…" },
      }),
      async (c) => {
        const id = instanceDestinationId(Number(c.req.param("id")) || 0);
        const { organizationId } = c.var.asker;
        const destination = await readDestination(c.env.DB, ringOf(c), organizationId, id);
        const signer = destination?.signers.find(({ algorithm }) => algorithm === "v1");
        if (signer === undefined) throw notFound(`No instance '${c.req.param("id")}'`);
        return c.json({ secret: signer.secret });
      },
    )
    .get(
      "/destinations/:id/signing-secret",
      described("What its receiver verifies callbacks with", {
        tag: "destinations",
        answer: { secret: "whsec_…" },
      }),
      async (c) => {
        const { destination } = await found(c);
        const symmetric = destination.signers.find(({ algorithm }) => algorithm === "v1");
        const asymmetric = destination.signers.find(({ algorithm }) => algorithm === "v1a");
        return c.json({
          ...(symmetric === undefined ? {} : { secret: symmetric.secret }),
          ...(asymmetric === undefined ? {} : { publicKey: publicKeyOf(asymmetric.secret) }),
        });
      },
    )
    .post(
      "/destinations/:id/rotate",
      described("A new signing key; the old ones sign too until the overlap ends", {
        tag: "destinations",
        body: rotation,
        bodyExample: { overlapSeconds: 86400, algorithm: "v1" },
        answer: EXAMPLE,
      }),
      async (c) => {
        const record = await found(c);
        const { overlapSeconds, algorithm, secret } = parse(
          rotation,
          (await readJson(c, BODY_BYTES)) ?? {},
        );
        if (secret !== undefined && algorithm === "v1a")
          throw invalid("secret: An ed25519 key is always generated", "secret");
        const now = Date.now();
        const live = record.keys.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
        if (live.length >= MOST_KEYS)
          throw conflict(`A destination has at most ${MOST_KEYS} live keys`);
        const made = algorithm === "v1" ? (secret ?? newSigningSecret()) : newSigningSeed();
        if (algorithm === "v1")
          await owners[record.destination.kind]?.(c, record, { signingSecret: made });
        await rotateKey(c.env.DB, ringOf(c), record, {
          algorithm,
          secret: made,
          retireAt: now + overlapSeconds * 1000,
          now,
        });
        return c.json((await shown(c, [await found(c)]))[0]);
      },
    );
