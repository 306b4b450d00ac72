import { type Context, Hono } from "hono";
import * as z from "zod";
import { parse, readJson } from "../http/body";
import { described } from "../http/route-description";
import { instantField } from "../http/instant-field";
import { conflict, invalid, notFound } from "../http/refusal";
import { isoText } from "../values/instant";
import { deleteKey, insertKey, type KeyRow, listKeys, rotateKey } from "./keys.store";
import { hidden, type State } from "./audited-values";
import { watchChange } from "./watch.io";
import { type AskerEnv, withKey } from "./asker.io";
import { SCOPES } from "./scope";
import { hashSecret } from "./secret";
import { forgetAskers } from "./store";

const BODY_BYTES = 64 * 1024;
const MOST_LIMITS = 200;
const MOST_OVERLAP_SECONDS = 7 * 86_400;

/** A source by its name, or an instance by its bare id (reference v1-api.md). */
const source = z
  .string()
  .max(512)
  .regex(
    /^((instance:)?[1-9]\d{0,15}|(user|scope):\S+)$/,
    "Expected a source: instance:<id>, user:<id> or scope:<group>/<Kind>/<name>",
  )
  .transform((text) => (/^\d+$/.test(text) ? `instance:${text}` : text));
const limits = z.strictObject({
  sources: z.array(source).max(MOST_LIMITS).default([]),
  destinations: z.array(z.string().min(1).max(512)).max(MOST_LIMITS).default([]),
});

const newKey = z.strictObject({
  name: z.string("Expected a name").min(1).max(255),
  scopes: z
    .array(z.enum(SCOPES, "Expected read, write, admin or secrets"))
    .min(1)
    .describe("They stand side by side; admin also has what secrets may: read signing secrets"),
  limits: limits
    .optional()
    .describe(
      "What the key reaches; all else looks unknown, and what is the organization's is 403",
    ),
  expiresAt: instantField.nullable().optional().describe("In the future; absent: never"),
});
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
  limits: { sources: ["instance:27"], destinations: [] },
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
      const expiresAt = input.expiresAt ?? null;
      if (expiresAt !== null && expiresAt <= now)
        throw invalid("expiresAt: Expected an instant in the future", "expiresAt");
      const key = newSecret();
      const row: KeyRow = {
        id: `key_${crypto.randomUUID()}`,
        organizationId: c.var.asker.organizationId,
        name: input.name,
        keyHash: hashSecret(key),
        previousHash: null,
        previousExpiresAt: null,
        scopes: [...new Set(input.scopes)],
        limits: isLimited(input.limits) ? input.limits : null,
        expiresAt,
        lastUsedAt: null,
        createdAt: now,
      };
      await insertKey(c.env.DB, row);
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
      if (row === undefined) throw unknown(c);
      forgetAskers();
      return c.json({ ...keyView(row, now), key });
    },
  )
  .delete(
    "/keys/:id",
    described("Revoke an API key", { tag: "operations", answer: KEY }),
    async (c) => {
      const { id } = await keyOf(c);
      const row = await deleteKey(c.env.DB, c.var.asker.organizationId, id);
      if (row === undefined) throw unknown(c);
      forgetAskers();
      return c.json(keyView(row, Date.now()));
    },
  );

const newSecret = (): string =>
  `trk_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;

const isLimited = (input: z.infer<typeof limits> | undefined): input is z.infer<typeof limits> =>
  input !== undefined && input.sources.length + input.destinations.length > 0;

const unknown = (c: Context<AskerEnv>) => notFound(`No key '${c.req.param("id")}'`);

async function keyOf(c: Context<AskerEnv>): Promise<KeyRow> {
  const rows = await listKeys(c.env.DB, c.var.asker.organizationId);
  const row = rows.find(({ id }) => id === c.req.param("id"));
  if (row === undefined) throw unknown(c);
  const { organizationId } = c.var.asker;
  watchChange(
    c,
    () => stateOf(row),
    async () => {
      const now = (await listKeys(c.env.DB, organizationId)).find(({ id }) => id === row.id);
      return now && stateOf(now);
    },
  );
  return row;
}

/** What the audit log compares of a key. */
const stateOf = ({
  name,
  scopes,
  limits,
  expiresAt,
  previousExpiresAt,
  keyHash,
}: KeyRow): State => ({
  name,
  scopes,
  limits,
  expiresAt,
  previousExpiresAt,
  secret: hidden(keyHash),
});

function keyView(row: KeyRow, now: number): Record<string, unknown> {
  const { id, name, scopes, expiresAt, previousExpiresAt, lastUsedAt } = row;
  const overlapEndsAt = (previousExpiresAt ?? 0) > now ? previousExpiresAt : null;
  return {
    id,
    name,
    scopes,
    limits: row.limits ?? { sources: [], destinations: [] },
    expiresAt: expiresAt === null ? null : isoText(expiresAt),
    overlapEndsAt: overlapEndsAt === null ? null : isoText(overlapEndsAt),
    lastUsedAt: lastUsedAt === null ? null : isoText(lastUsedAt),
  };
}
