import { Hono } from "hono";
import * as z from "zod";
import { parse, readJson } from "../http/body";
import { conflict } from "../http/refusal";
import { described } from "../http/route-description";
import { type AskerEnv, withKey } from "./asker.io";
import { keyOf, keyView, makeKey, newKey, newSecret, revokeKey, unknownKey } from "./keys.io";
import { listKeys, rotateKey } from "./keys.store";
import { hashSecret } from "./secret";
import { forgetAskers } from "./store";

const BODY_BYTES = 64 * 1024;
const MOST_OVERLAP_SECONDS = 7 * 86_400;

const rotation = z.strictObject({
  overlapSeconds: z
    .number("Expected a number of seconds")
    .int()
    .min(0)
    .max(MOST_OVERLAP_SECONDS)
    .default(86_400)
    .describe("How long the old secret goes on working; one that was before it ends now"),
});

const KEY = {
  id: "key_1",
  name: "ci",
  scopes: ["read"],
  limits: { sources: ["instance:27"], destinations: [], tenants: [] },
  expiresAt: null,
  overlapEndsAt: null,
  lastUsedAt: null,
};

/** API keys (reference v1-api.md). */
export const keyRoutes = new Hono<AskerEnv>()
  .use("/keys", withKey("admin", { look: "secrets" }))
  .use("/keys/*", withKey("admin", { look: "secrets" }))
  .get(
    "/keys",
    described("API keys", { tag: "operations", answer: { items: [KEY], next: null } }),
    async (c) => {
      const rows = await listKeys(c.env.DB, c.var.asker.organizationId);
      return c.json({ items: rows.map((row) => keyView(row, Date.now())), next: null });
    },
  )
  .get("/keys/:id", described("One API key", { tag: "operations", answer: KEY }), async (c) =>
    c.json(keyView(await keyOf(c), Date.now())),
  )
  .post(
    "/keys",
    described("Make an API key; the key itself is shown this once only", {
      tag: "operations",
      body: newKey,
      bodyExample: { name: "ci", scopes: ["read"], limits: { sources: ["instance:27"] } },
      answer: { ...KEY, key: "trk_…" },
    }),
    async (c) => {
      const input = parse(newKey, await readJson(c, BODY_BYTES));
      const now = Date.now();
      const { row, key } = await makeKey(c.env.DB, c.var.asker.organizationId, input, now);
      return c.json({ ...keyView(row, now), key });
    },
  )
  .post(
    "/keys/:id/rotate",
    described(
      "Give a key a new secret, shown this once only; the old one works until the overlap ends",
      {
        tag: "operations",
        body: rotation,
        bodyExample: { overlapSeconds: 86_400 },
        answer: { ...KEY, overlapEndsAt: "2026-11-22T20:00:00.000Z", key: "trk_…" },
      },
    ),
    async (c) => {
      const { overlapSeconds } = parse(rotation, (await readJson(c, BODY_BYTES)) ?? {});
      const now = Date.now();
      const { id, organizationId, expiresAt } = await keyOf(c);
      if (expiresAt !== null && expiresAt <= now) throw conflict("The key has expired");
      const key = newSecret();
      const previousExpiresAt = now + overlapSeconds * 1000;
      const next = { keyHash: hashSecret(key), previousExpiresAt };
      const row = await rotateKey(c.env.DB, organizationId, id, next);
      if (row === undefined) throw unknownKey(c);
      forgetAskers();
      return c.json({ ...keyView(row, now), key });
    },
  )
  .delete(
    "/keys/:id",
    described("Revoke an API key", { tag: "operations", answer: KEY }),
    async (c) => {
      return c.json(keyView(await revokeKey(c, await keyOf(c)), Date.now()));
    },
  );
