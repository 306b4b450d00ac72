import { and, eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle } from "drizzle-orm/d1";
import { isOpenOrganization } from "../accounts/open.store";
import { hashSecret } from "../accounts/secret";
import { tenantBeside } from "../accounts/tenants/known.store";
import { nextId } from "../db/counters";
import { tellDirectory } from "../db/directory/tell";
import { instances, type PollerDisabled, type RegistrationFault } from "../db/instances";
import type { Keyring } from "../db/sealed";
import { deleteDestination } from "../delivery/remove-destination.store";
import { saveDestination } from "../delivery/save-destination.store";
import type { DestinationDraft } from "../delivery/destination";
import { connectorsOf } from "../connectors/store";
import type { Connector } from "../connectors/definition";
import { openedDefinition } from "../connectors/sealed-definition";
import type { Instance } from "./instance";
import { openedRow, type Row, patchesOf, toRow } from "./row";
import { pollsUntil, scheduleOf, takesOver } from "./schedule";
import { forgetTenants, renamed, routeStatements } from "./tenants.store";

/** What is read of an instance's row, with what its tenant says of all that is its. */
export const rowColumns = {
  ...getTableColumns(instances),
  tenant: tenantBeside(instances.organizationId, instances.tenantId),
};

/** An id for an instance that is about to be written. */
export const nextInstanceId = (db: D1Database): Promise<number> => nextId(db, "instances", 1);

/** An instance of any organization that is there: callers that serve a person must check the organization themselves. */
export async function readInstance(
  db: D1Database,
  ring: Keyring,
  id: number,
): Promise<Instance | undefined> {
  const [row] = await drizzle(db)
    .select(rowColumns)
    .from(instances)
    .where(and(eq(instances.id, id), isOpenOrganization(instances.organizationId)));
  return row === undefined ? undefined : (await opened(db, [row], ring))[0];
}

/**
 * An instance that somebody of an organization names: nothing of another organization's is decrypted, nor told but that
 * it is another's.
 */
export async function readInstanceOf(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  id: number,
): Promise<Instance | "another's" | undefined> {
  const [row] = await drizzle(db)
    .select(rowColumns)
    .from(instances)
    .where(and(eq(instances.id, id), isOpenOrganization(instances.organizationId)));
  if (row === undefined) return undefined;
  if (row.organizationId !== organizationId) return "another's";
  return (await opened(db, [row], ring))[0];
}

/**
 * Several instances in one query. Left out: ids that do not exist, those of organizations that are being
 * deleted, instances whose secrets cannot be decrypted, and those whose connector isn't `wanted`, of which nothing is decrypted.
 */
export async function readInstances(
  db: D1Database,
  ring: Keyring,
  ids: readonly number[],
  isWanted: (connector: Connector) => boolean = () => true,
): Promise<Instance[]> {
  const rows = await drizzle(db)
    .select(rowColumns)
    .from(instances)
    .where(
      and(
        sql`${instances.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`,
        isOpenOrganization(instances.organizationId),
      ),
    );
  return opened(db, rows, ring, { isWanted, onError: skipUnreadable });
}

export async function findByToken(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  token: string,
): Promise<Instance | undefined> {
  const [row] = await drizzle(db)
    .select(rowColumns)
    .from(instances)
    .where(
      and(eq(instances.tokenHash, hashSecret(token)), eq(instances.organizationId, organizationId)),
    );
  return row === undefined ? undefined : (await opened(db, [row], ring))[0];
}

/** Writes a new instance and its destination together. */
export async function insertInstance(
  db: D1Database,
  ring: Keyring,
  instance: Instance,
  draft: DestinationDraft,
): Promise<void> {
  const [destination] = await saveDestination(db, ring, draft, instance.createdAt);
  await drizzle(db).batch([
    drizzle(db).insert(instances).values(toRow(instance, ring)),
    destination,
    ...routeStatements(db, instance),
  ]);
  await tellDirectory(db, `instance:${instance.id}`);
}

/**
 * Writes a changed instance and its destination together.
 * @returns false, writing nothing, when somebody else changed it since it was read.
 */
export async function updateInstance(
  db: D1Database,
  ring: Keyring,
  instance: Instance,
  draft: DestinationDraft,
  now: number,
): Promise<boolean> {
  const [destination] = await saveDestination(db, ring, draft, now);
  const updated = await drizzle(db)
    .update(instances)
    .set({ ...toRow(instance, ring), updatedAt: Math.max(now, instance.updatedAt + 1) })
    .where(and(eq(instances.id, instance.id), eq(instances.updatedAt, instance.updatedAt)))
    .returning({ id: instances.id });
  if (updated.length === 0) return false;
  await drizzle(db).batch([destination, ...routeStatements(db, instance)]);
  await tellDirectory(db, `instance:${instance.id}`);
  return true;
}

export async function deleteInstance(
  db: D1Database,
  instance: Instance,
  destinationId: string,
): Promise<void> {
  const statements: [BatchItem<"sqlite">, ...BatchItem<"sqlite">[]] = [
    drizzle(db)
      .delete(instances)
      .where(
        and(eq(instances.id, instance.id), eq(instances.organizationId, instance.organizationId)),
      ),
    deleteDestination(db, destinationId),
    ...forgetTenants(db, instance),
  ];
  await drizzle(db).batch(statements);
  await tellDirectory(db, `instance:${instance.id}`);
}

/**
 * Changes configuration values, and what follows from them: when it is polled, and from when on its polls tell. For
 * changes that the instance's destination has already got.
 */
export async function changeConfiguration(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  instanceId: number,
  changes: Record<string, string | null>,
  now: number,
  also: { registrationFault?: RegistrationFault | null } = {},
): Promise<void> {
  const instance = await readInstance(db, ring, instanceId);
  if (instance === undefined || instance.organizationId !== organizationId) return;
  const { configuration, secrets } = patchesOf(instance.id, instance.connector, changes, ring);
  const changed = { ...instance, configuration: { ...instance.configuration, ...changes } };
  const update = drizzle(db)
    .update(instances)
    .set({
      configuration: sql`json_patch(${instances.configuration}, ${JSON.stringify(configuration)})`,
      secrets: sql`json_patch(${instances.secrets}, ${JSON.stringify(secrets)})`,
      ...scheduleOf(changed),
      ...(takesOver(instance, changed) ? { baseline: now } : {}),
      pollsUntil: pollsUntil(instance, changed, now),
      ...also,
      updatedAt: now,
    })
    .where(eq(instances.id, instanceId));
  await drizzle(db).batch([update, ...renamed(db, instance, changes)]);
  await tellDirectory(db, `instance:${instanceId}`);
}

/** SQL that holds while an organization has no instance of a connector. */
export const noInstanceOf = (organizationId: number, key: string): SQL =>
  sql`NOT EXISTS (SELECT 1 FROM instances AS i WHERE i.organization_id = ${organizationId} AND i.element_key = ${key})`;

/** Disables polling after too many failures in a row. */
export async function disablePoller(
  db: D1Database,
  instanceId: number,
  record: PollerDisabled,
): Promise<void> {
  await drizzle(db)
    .update(instances)
    .set({ pollerDisabled: record, interval: null, slot: null })
    .where(eq(instances.id, instanceId));
  await tellDirectory(db, `instance:${instanceId}`);
}

export function newToken(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64");
}

type Opening = {
  isWanted?: (connector: Connector) => boolean;
  onError?: (row: Row, error: unknown) => Instance[];
};

/**
 * The instances of rows: connectors looked up, secrets decrypted. A row whose connector no longer exists, or isn't
 * wanted, is left out.
 */
export async function opened(
  db: D1Database,
  rows: readonly Row[],
  ring: Keyring,
  { isWanted = () => true, onError = rethrow }: Opening = {},
): Promise<Instance[]> {
  const wanted = rows.map(({ organizationId, elementKey: key }) => ({ organizationId, key }));
  const find = await connectorsOf(db, wanted, Date.now());
  return rows.flatMap((row) => {
    const connector = find(row.organizationId, row.elementKey);
    if (connector === undefined || !isWanted(connector)) return [];
    try {
      return openedRow(row, openedDefinition(ring, connector), ring);
    } catch (error) {
      return onError(row, error);
    }
  });
}

function rethrow(_: Row, error: unknown): never {
  throw error;
}

/** One instance that no key opens keeps nobody from reading the others. */
export function skipUnreadable({ id }: Row, error: unknown): Instance[] {
  console.error(JSON.stringify({ at: "instances.read", instanceId: id, error: String(error) }));
  return [];
}
