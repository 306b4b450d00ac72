import type { Context } from "hono";
import * as z from "zod";
import { instantField } from "../http/instant-field";
import { invalid, notFound } from "../http/refusal";
import { isoText } from "../values/instant";
import type { AskerEnv } from "./asker.io";
import { hidden, type State } from "./audited-values";
import { deleteKey, insertKey, type KeyRow, listKeys } from "./keys.store";
import { tenantId } from "./tenants/tenant";
import { type Limits, SCOPES } from "./scope";
import { hashSecret } from "./secret";
import { forgetAskers } from "./store";
import { watchChange } from "./watch.io";

const MOST_LIMITS = 200;

/** A source by its name, or an instance by its bare id (reference v1-api.md). */
const source = z
  .string()
  .max(512)
  .regex(
    /^((instance:)?[1-9]\d{0,15}|(user|scope|tenant):\S+)$/,
    "Expected a source: instance:<id>, user:<id>, tenant:<id> or scope:<group>/<Kind>/<name>",
  )
  .transform((text) => (/^\d+$/.test(text) ? `instance:${text}` : text));
const limits = z.strictObject({
  sources: z.array(source).max(MOST_LIMITS).default([]),
  destinations: z.array(z.string().min(1).max(512)).max(MOST_LIMITS).default([]),
  tenants: z.array(tenantId).max(MOST_LIMITS).default([]),
});

/** What a new key is made of. */
export const newKey = z.strictObject({
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
/** Makes a key. @returns it with its secret, which is nowhere else. @throws Refusal `invalid` when it would be over already. */
export async function makeKey(
  db: D1Database,
  organizationId: number,
  input: z.infer<typeof newKey>,
  now: number,
): Promise<{ row: KeyRow; key: string }> {
  const expiresAt = input.expiresAt ?? null;
  if (expiresAt !== null && expiresAt <= now)
    throw invalid("expiresAt: Expected an instant in the future", "expiresAt");
  const key = newSecret();
  const row: KeyRow = {
    id: `key_${crypto.randomUUID()}`,
    organizationId,
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
  await insertKey(db, row);
  return { row, key };
}

/** Revokes the key that a path names, as `keyOf` found it. @throws Refusal `not-found` when it is gone since. */
export async function revokeKey(c: Context<AskerEnv>, { id }: Pick<KeyRow, "id">): Promise<KeyRow> {
  const row = await deleteKey(c.env.DB, c.var.asker.organizationId, id);
  if (row === undefined) throw unknownKey(c);
  forgetAskers();
  return row;
}

export const newSecret = (): string =>
  `trk_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;

const isLimited = (input: z.infer<typeof limits> | undefined): input is z.infer<typeof limits> =>
  input !== undefined && Object.values(input).some((list) => list.length > 0);

export const unknownKey = (c: Context<AskerEnv>) => notFound(`No key '${c.req.param("id")}'`);

/** The key that a path names. @throws Refusal `not-found`. */
export async function keyOf(c: Context<AskerEnv>): Promise<KeyRow> {
  const rows = await listKeys(c.env.DB, c.var.asker.organizationId);
  const row = rows.find(({ id }) => id === c.req.param("id"));
  if (row === undefined) throw unknownKey(c);
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

/** A key's limits; three empty lists when it has none. */
const limitsOf = ({ limits: given }: Pick<KeyRow, "limits">): Limits => ({
  sources: given?.sources ?? [],
  destinations: given?.destinations ?? [],
  tenants: given?.tenants ?? [],
});

/** A key as it is shown, without its secret. */
export function keyView(row: KeyRow, now: number): Record<string, unknown> {
  const { id, name, scopes, expiresAt, previousExpiresAt, lastUsedAt } = row;
  const overlapEndsAt = (previousExpiresAt ?? 0) > now ? previousExpiresAt : null;
  return {
    id,
    name,
    scopes,
    limits: limitsOf(row),
    expiresAt: expiresAt === null ? null : isoText(expiresAt),
    overlapEndsAt: overlapEndsAt === null ? null : isoText(overlapEndsAt),
    lastUsedAt: lastUsedAt === null ? null : isoText(lastUsedAt),
  };
}
