import { Hono } from "hono";
import * as z from "zod";
import { parse, readJson } from "../http/body";
import { described, PAGE, SPAN } from "../http/route-description";
import { readLimit, readListCursor, writeListCursor } from "../http/cursor-page";
import { instantField, readInstant } from "../http/instant-field";
import { notFound } from "../http/refusal";
import { hashSecret } from "./secret";
import { type AskerEnv, withKey } from "./asker.io";
import { forgetAskers } from "./store";
import { deleteKey, insertKey, listAudit, listKeys } from "./keys.store";
import { isoText } from "../values/instant";

const BODY_BYTES = 64 * 1024;

const newKey = z.strictObject({
  name: z.string("Expected a name").min(1).max(255),
  scopes: z.array(z.enum(["read", "write", "admin"], "Expected read, write or admin")).min(1),
  expiresAt: instantField.nullable().optional(),
});

const KEY = { id: "key_1", name: "ci", scopes: ["read"], expiresAt: null, lastUsedAt: null };

/** API keys, and who changed what (reference v1-api.md). */
export const keyRoutes = new Hono<AskerEnv>()
  .use("/keys", withKey("admin"))
  .use("/keys/*", withKey("admin"))
  .use("/audit", withKey("admin"))
  .get(
    "/keys",
    described("API keys", { tag: "operations", answer: { items: [KEY], next: null } }),
    async (c) => {
      const rows = await listKeys(c.env.DB, c.var.asker.organizationId);
      return c.json({ items: rows.map(keyView), next: null });
    },
  )
  .get("/keys/:id", described("One API key", { tag: "operations", answer: KEY }), async (c) => {
    const row = (await listKeys(c.env.DB, c.var.asker.organizationId)).find(
      ({ id }) => id === c.req.param("id"),
    );
    if (row === undefined) throw notFound(`No key '${c.req.param("id")}'`);
    return c.json(keyView(row));
  })
  .post(
    "/keys",
    described("Make an API key; the key itself is told this once", {
      tag: "operations",
      body: newKey,
      bodyExample: { name: "ci", scopes: ["read"] },
      answer: { ...KEY, key: "trk_…" },
    }),
    async (c) => {
      const { name, scopes, expiresAt } = parse(newKey, await readJson(c, BODY_BYTES));
      const key = `trk_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;
      const row = {
        id: `key_${crypto.randomUUID()}`,
        organizationId: c.var.asker.organizationId,
        name,
        keyHash: hashSecret(key),
        scopes: [...new Set(scopes)],
        expiresAt: expiresAt ?? null,
        lastUsedAt: null,
        createdAt: Date.now(),
      };
      await insertKey(c.env.DB, row);
      return c.json({ ...keyView(row), key });
    },
  )
  .delete(
    "/keys/:id",
    described("Revoke an API key", { tag: "operations", answer: KEY }),
    async (c) => {
      const row = await deleteKey(c.env.DB, c.var.asker.organizationId, c.req.param("id"));
      if (row === undefined) throw notFound(`No key '${c.req.param("id")}'`);
      forgetAskers();
      return c.json(keyView(row));
    },
  )
  .get(
    "/audit",
    described("Who changed what", {
      tag: "operations",
      query: { ...PAGE, ...SPAN, actor: "Who did it", action: "What was done" },
      answer: { items: [], next: null },
    }),
    async (c) => {
      const limit = readLimit(c.req.query("limit"));
      const rows = await listAudit(
        c.env.DB,
        c.var.asker.organizationId,
        {
          actor: c.req.query("actor"),
          action: c.req.query("action"),
          from: readInstant(c.req.query("from"), "from"),
          to: readInstant(c.req.query("to"), "to"),
        },
        {
          before:
            readListCursor(c.req.query("cursor"), z.strictObject({ id: z.number() }))?.id ?? null,
          limit,
        },
      );
      const last = rows.at(-1);
      return c.json({
        items: rows.map(({ at, actor, action, target, requestId, changes }) => ({
          at: isoText(at),
          actor,
          action,
          target,
          requestId,
          changes,
        })),
        next: last === undefined || rows.length < limit ? null : writeListCursor({ id: last.id }),
      });
    },
  );

type KeyRow = Awaited<ReturnType<typeof listKeys>>[number];

function keyView({ id, name, scopes, expiresAt, lastUsedAt }: KeyRow): Record<string, unknown> {
  return {
    id,
    name,
    scopes,
    expiresAt: expiresAt === null ? null : isoText(expiresAt),
    lastUsedAt: lastUsedAt === null ? null : isoText(lastUsedAt),
  };
}
