import { drizzle } from "drizzle-orm/d1";
import { openOrganizations } from "../accounts/open.store";
import type { Connector } from "../connectors/definition";
import { formOf, Section } from "../db/directory/find";
import { instances } from "../db/instances";
import type { Keyring } from "../db/sealed";
import { within } from "../db/within";
import type { Trigger } from "../flows/triggers/trigger";
import { readInstanceTriggers } from "../flows/triggers/store";
import type { Instance } from "./instance";
import type { Row } from "./row";
import { opened, rowColumns, skipUnreadable } from "./store";

/** An instance with the flows that listen to it: what a change of it needs to become events. */
export type Heard = Instance & { triggers: readonly Trigger[] };

type Entry = { row: Row; triggers: readonly Trigger[] };
const section = new Section<Entry>(`${formOf(instances)} 2`);

const keyOf = (id: number): string => `instance:${id}`;

/**
 * Several instances, as they are now, without D1 when the directory knows them (`db/directory/find.ts`). Left out are the
 * same as in `readInstances`; of an organization that is being deleted for at most five seconds.
 */
export async function findInstances(
  db: D1Database,
  ring: Keyring,
  ids: readonly number[],
  isWanted?: (connector: Connector) => boolean,
): Promise<Heard[]> {
  const found = await section.find(ids.map(keyOf), (missing) => {
    const unknown = new Set(missing);
    return readEntries(
      db,
      ids.filter((id) => unknown.has(keyOf(id))),
    );
  });
  const entries = [...found.values()];
  const owners = entries.map(({ row }) => row.organizationId);
  const open = await openOrganizations(db, owners, Date.now());
  const rows = entries.flatMap(({ row }) => (open.has(row.organizationId) ? row : []));
  const all = await opened(db, rows, ring, {
    ...(isWanted === undefined ? {} : { isWanted }),
    onError: skipUnreadable,
  });
  const triggers = new Map(entries.map((entry) => [entry.row.id, entry.triggers]));
  return all.map((instance) => ({ ...instance, triggers: triggers.get(instance.id) ?? [] }));
}

/** The flows that listen to an instance now. */
export async function findTriggers(
  db: D1Database,
  { id }: Pick<Instance, "id">,
): Promise<readonly Trigger[]> {
  const found = await section.find([keyOf(id)], () => readEntries(db, [id]));
  return found.get(keyOf(id))?.triggers ?? [];
}

async function readEntries(db: D1Database, ids: readonly number[]): Promise<Map<string, Entry>> {
  const rows = await drizzle(db)
    .select(rowColumns)
    .from(instances)
    .where(within(instances.id, ids));
  const triggers = await readInstanceTriggers(db, rows);
  const byKey = Map.groupBy(triggers, ({ key }) => key);
  return new Map(
    rows.map((row) => [keyOf(row.id), { row, triggers: byKey.get(String(row.id)) ?? [] }]),
  );
}
