import * as z from "zod";
import { policyOf } from "../delivery/policy.store";
import type { UpdateOwner } from "../operations/destinations/owner-update";
import { storedJson } from "../values/stored-json";
import { parseScopeKey } from "./address";
import type { Hook, HookedWebhook, Listeners } from "./hooks";
import { destinationId } from "./resource";
import { hookSpec } from "./kinds/management";
import { Cache } from "../values/cache";

const HOOKS = `SELECT name, scope, json_extract(content, '$.spec') AS spec
  FROM resources INDEXED BY resources_kind WHERE organization_id = ?1 AND kind = 'ResourceHook'`;

const WEBHOOKS = `SELECT w.id, w.name, w.scope, json_extract(w.content, '$.spec.enabled') AS enabled,
    json_extract(w.content, '$.spec.auth.secret.key') IS NULL OR EXISTS
      (SELECT 1 FROM resources AS s, json_each(s.content, '$.spec.data') AS d
       WHERE s.organization_id = ?1 AND s.kind = 'Secret' AND s.scope = w.scope
         AND s.name = json_extract(w.content, '$.spec.auth.secret.name')
         AND d.key = json_extract(w.content, '$.spec.auth.secret.key')) AS secret_found,
    ${policyOf(`'${destinationId("")}' || w.id`)} AS policy
  FROM resources AS w INDEXED BY resources_kind WHERE w.organization_id = ?1 AND w.kind = 'Webhook'`;

const VERSION =
  "SELECT listeners_version AS version FROM resource_cursors WHERE organization_id = ?1";

/** The hooks and webhooks of organizations, with the version (`listenersVersion`) that they were read at. */
const cache = new Cache<number, { version: number; listeners: Listeners }>(500);

/** The statement that reads how often hooks, webhooks and Secrets were written: one row, for any batch that reads. */
export const listenersVersion = (db: D1Database, organizationId: number): D1PreparedStatement =>
  db.prepare(VERSION).bind(organizationId);

/**
 * An organization's hooks and webhooks. They are read from D1 only when the version `found` is not that of the cache.
 */
export async function readListeners(
  db: D1Database,
  organizationId: number,
  found: unknown,
): Promise<Listeners> {
  const cached = cache.get(organizationId, 0);
  if (cached?.version === versionIn(found)) return cached.listeners;
  const [hooks, webhooks, version] = await db.batch<Record<string, unknown>>([
    db.prepare(HOOKS).bind(organizationId),
    db.prepare(WEBHOOKS).bind(organizationId),
    listenersVersion(db, organizationId),
  ]);
  const listeners = {
    hooks: z
      .array(hookRow)
      .parse(hooks?.results ?? [])
      .map(toHook),
    webhooks: z
      .array(webhookRow)
      .parse(webhooks?.results ?? [])
      .map(toWebhook),
  };
  cache.set(organizationId, { version: versionIn(version?.results), listeners }, Infinity);
  return listeners;
}

/** The statement that raises the version, so that every isolate reads hooks, webhooks and their policies again. */
export const listenersChange = (db: D1Database, organizationId: number): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO resource_cursors (organization_id, listeners_version) VALUES (?, 1)
       ON CONFLICT (organization_id) DO UPDATE SET listeners_version = listeners_version + 1`,
    )
    .bind(organizationId);

/** After an operator changed a Webhook's destination: its filter and order are read with the hooks. */
export const tellWebhook: UpdateOwner = async (c, { destination }) => {
  await listenersChange(c.env.DB, destination.organizationId).run();
};

const versionIn = (results: unknown): number =>
  z.array(z.object({ version: z.number() })).parse(results ?? [])[0]?.version ?? 0;

const hookRow = z.object({ name: z.string(), scope: z.string(), spec: z.string() });
const webhookRow = z.object({
  id: z.string(),
  name: z.string(),
  scope: z.string(),
  enabled: z.number().nullable(),
  secret_found: z.number(),
  policy: z.string().nullable(),
});

/** As much of a destination's policy as is looked at here. */
const storedPolicy = storedJson(
  z.object({
    ordering: z.enum(["none", "object", "source"]).optional(),
    deadHead: z.enum(["skip", "block"]).optional(),
    filter: z.string().optional(),
  }),
);

function toHook({ name, scope, spec }: z.infer<typeof hookRow>): Hook {
  const { triggers, webhooks } = hookSpec.parse(JSON.parse(spec));
  return { name, scope: parseScopeKey(scope), triggers, webhooks };
}

function toWebhook(row: z.infer<typeof webhookRow>): HookedWebhook {
  const { id, name, scope, enabled, secret_found, policy } = row;
  const { ordering = "none", deadHead, filter } = storedPolicy.read(policy ?? "{}");
  return {
    id,
    name,
    scope: parseScopeKey(scope),
    enabled: enabled !== 0,
    secretFound: secret_found !== 0,
    ...(ordering === "none"
      ? {}
      : { order: { ordering, ...(deadHead === "block" ? { blocks: true } : {}) } }),
    ...(filter === undefined ? {} : { filter }),
  };
}
