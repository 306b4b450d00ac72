import { drizzle } from "drizzle-orm/d1";
import { organizations, type OrganizationSettings } from "../db/accounts";
import { Section } from "../db/directory/find";
import { within } from "../db/within";
import { Cache } from "../values/cache";

/** What every event asks of its organization. */
type Known = { isOpen: boolean; settings: OrganizationSettings };

/** How long an isolate believes what it found. */
const TRUST_MS = 5_000;
const section = new Section<Known>("organization 1");
const trusted = new Cache<number, Known>(10_000);

const keyOf = (id: number): string => `organization:${id}`;

/** Organizations as they are, or were at most five seconds ago; those that don't exist are absent. */
export function findOrganizations(
  db: D1Database,
  ids: readonly number[],
  now: number,
): Promise<Map<number, Known>> {
  return trusted.getAll(ids, { now, until: now + TRUST_MS }, async (missing) => {
    const found = await section.find(missing.map(keyOf), () => readAll(db, missing));
    return new Map(
      missing.flatMap((id): [number, Known][] => {
        const known = found.get(keyOf(id));
        return known === undefined ? [] : [[id, known]];
      }),
    );
  });
}

async function readAll(db: D1Database, ids: readonly number[]): Promise<Map<string, Known>> {
  const { id, deletingAt, settings } = organizations;
  const rows = await drizzle(db)
    .select({ id, deletingAt, settings })
    .from(organizations)
    .where(within(id, ids));
  return new Map(
    rows.map((row) => [keyOf(row.id), { isOpen: row.deletingAt === null, settings: row.settings }]),
  );
}

/** This isolate asks anew about an organization. */
export const forgetOrganization = (id: number): void => trusted.delete(id);
