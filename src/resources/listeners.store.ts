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

/** Hooks and webhooks of organizations, as of one count of their writes. */
const known = new Cache<number, { version: number; listeners: Listeners }>(500);

/** How often hooks, webhooks and Secrets were written: one row, read with whatever else is asked. */
export const listenersVersion = (db: D1Database, organizationId: number): D1PreparedStatement =>
  db.prepare(VERSION).bind(organizationId);

/** Who listens to changes, given what `listenersVersion` found: a question only after somebody changed them. */
export async function readListeners(
  db: D1Database,
  organizationId: number,
  found: unknown,
): Promise<Listeners> {
  const mine = known.get(organizationId, 0);
  if (mine?.version === versionIn(found)) return mine.listeners;
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
  known.set(organizationId, { version: versionIn(version?.results), listeners }, Infinity);
  return listeners;
}

/** Makes every isolate read hooks, webhooks and how their destinations are served anew. */
export const listenersChange = (db: D1Database, organizationId: number): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO resource_cursors (organization_id, listeners_version) VALUES (?, 1)
       ON CONFLICT (organization_id) DO UPDATE SET listeners_version = listeners_version + 1`,
    )
    .bind(organizationId);

/** A Webhook's filter and order are part of who listens. */
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
