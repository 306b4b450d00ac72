import { pageOfTypes } from "../../event-types/list.io";

/** So many of each kind are offered. */
export const OFFERED = 100;

/** The names of the first event types that an organization describes. */
export async function offeredTypes(db: D1Database, organizationId: number): Promise<string[]> {
  const wanted = { after: "", search: "", builtIn: false, limit: OFFERED };
  const { items } = await pageOfTypes(db, organizationId, [], wanted);
  return items.map(({ name }) => name);
}
