import { formOf, Section } from "../db/directory/find";
import { fresh } from "../db/directory/fresh";
import { eventTypes } from "../db/event-types";
import { Cache } from "../values/cache";
import type { EventType } from "./event-type";
import { readRevisions, readTypeRow, type TypeRow, typeOf } from "./store";

const revisionsOf = new Section<Record<string, string>>("name to revision");
const rowsOf = new Section<TypeRow>(formOf(eventTypes));

/** All names together. */
const MOST_NAMES = 50_000;
const names = new Cache<string, Record<string, string>>(
  MOST_NAMES,
  (revisions) => Object.keys(revisions).length + 1,
);

/** What an isolate remembers of types, in characters. */
const REMEMBERED = 4_000_000;
const types = new Cache<string, { type: EventType; size: number }>(REMEMBERED, ({ size }) => size);

const keyOf = (organizationId: number): string => `organization:${organizationId}/event-types`;

/**
 * The type of an organization's events of this name, as it is or was a moment ago; undefined when there is none. Anybody may
 * publish events of any name, so the directory is not asked for a name but for all there are, each with its revision. What
 * a revision says never changes: an isolate that remembers it asks nobody.
 *
 *     names of organization 5:  order.paid → 8f1c…, order.sent → 27ab…     (dropped by triggers, migration 0028)
 *     organization 5, 8f1c…:    the row of order.paid                      (never dropped, forgotten in a day)
 */
export async function findEventType(
  db: D1Database,
  organizationId: number,
  name: string,
): Promise<EventType | undefined> {
  const all = await findRevisions(db, organizationId);
  const revision = Object.hasOwn(all, name) ? all[name] : undefined;
  if (revision === undefined) return undefined;
  const known = types.get(revision, 0);
  if (known !== undefined) return known.type;
  const place = `${keyOf(organizationId)}/${revision}`;
  const rows = await rowsOf.find([place], async () => {
    // A later revision does as well: whoever asks for this one was told before the change.
    const row = await readTypeRow(db, organizationId, name);
    return new Map(row === undefined ? [] : [[place, row]]);
  });
  const row = rows.get(place);
  if (row === undefined) return undefined;
  const type = typeOf(row);
  const size = row.example.length + (row.schema?.length ?? 0) + 1_000;
  types.set(revision, { type, size }, Infinity);
  return type;
}

/** The revisions of all types of an organization, by their names. */
export async function findRevisions(
  db: D1Database,
  organizationId: number,
): Promise<Record<string, string>> {
  const key = keyOf(organizationId);
  const found = await names.getAll([key], fresh(Date.now()), () =>
    revisionsOf.find([key], async () => new Map([[key, await readRevisions(db, organizationId)]])),
  );
  return found.get(key) ?? {};
}

/** This isolate asks the directory anew about an organization's types. */
export const forgetEventTypes = (organizationId: number): void =>
  names.delete(keyOf(organizationId));
