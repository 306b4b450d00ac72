import { and, eq, isNotNull, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { destinations, IS_TROUBLED } from "../db/delivery";
import { tellDirectory } from "../db/directory/tell";
import { within } from "../db/within";
import { changeOf, type Destination } from "./destination";
import type { Keyring } from "../db/sealed";
import { openDestination } from "./destination-secrets";
import { forgetDestination, rowColumns } from "./destinations.store";
import { type DestinationState, destinationState, type Failing, type Pause } from "./state";

const { kind, ownerId, organizationId: owner } = destinations;
const owned = { kind, ownerId, organizationId: owner };

/**
 * Switches a destination off. `enabled`: the receiver wants no more notifications, and later ones die. `active`: its
 * subscription is paused, and later ones are held. @returns whether it was on before.
 */
export async function switchOff(
  db: D1Database,
  id: string,
  column: "enabled" | "active",
  paused: Pause,
): Promise<boolean> {
  forgetDestination(id);
  const rows = await drizzle(db)
    .update(destinations)
    .set({ [column]: false, paused })
    .where(and(eq(destinations.id, id), eq(destinations[column], true)))
    .returning(owned);
  await tellDirectory(db, ...rows.map(changeOf));
  return rows.length === 1;
}

/** Notes since when nothing is delivered to a destination, or that something is again: one row each time that changes. */
export async function saveFailing(
  db: D1Database,
  id: string,
  failing: Failing | null,
): Promise<void> {
  forgetDestination(id);
  const known = destinations.failing;
  const rows = await drizzle(db)
    .update(destinations)
    .set({ failing })
    .where(and(eq(destinations.id, id), failing === null ? isNotNull(known) : isNull(known)))
    .returning(owned);
  await tellDirectory(db, ...rows.map(changeOf));
}

/** The states of an organization's destinations; those that don't exist are absent. */
export async function readStates(
  db: D1Database,
  organizationId: number,
  ids: readonly string[],
): Promise<Map<string, DestinationState>> {
  if (ids.length === 0) return new Map();
  const { id, enabled, active, paused, failing } = destinations;
  const rows = await drizzle(db)
    .select({ id, enabled, active, paused, failing, terms: rowColumns.terms })
    .from(destinations)
    .where(and(eq(destinations.organizationId, organizationId), within(id, [...new Set(ids)])));
  return new Map(rows.map((row) => [row.id, destinationState(row)]));
}

/**
 * Destinations that fail, or were switched off by others than their owner, those first and `limit` of them; then those of
 * `ids`, whatever their state. None twice.
 */
export async function troubledDestinations(
  db: D1Database,
  ring: Keyring,
  organizationId: number,
  { limit, ids }: { limit: number; ids: readonly string[] },
): Promise<Destination[]> {
  const { enabled, active, id } = destinations;
  const ofOrganization = eq(destinations.organizationId, organizationId);
  const [troubled, named] = await drizzle(db).batch([
    drizzle(db)
      .select(rowColumns)
      .from(destinations)
      .where(and(ofOrganization, sql.raw(`(${IS_TROUBLED})`)))
      .orderBy(enabled, active)
      .limit(limit),
    drizzle(db)
      .select(rowColumns)
      .from(destinations)
      .where(and(ofOrganization, within(id, [...new Set(ids)]))),
  ]);
  const rows = new Map([...troubled, ...named].map((row) => [row.id, row]));
  return [...rows.values()].map((row) => openDestination(row, ring, Date.now()));
}
