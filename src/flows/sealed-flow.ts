import { type Keyring, openJson, sealJson } from "../db/sealed-text";
import { hasMadeUpToken, maskedJson, unmaskedJson } from "../values/secret-json";
import type { Columns } from "./fields";
import type { Flow } from "./flow";

/**
 * Credentials in flows: headers of steps that are some by their names or use, and those in addresses. They are sealed
 * one by one within the columns that may hold them, for the organization: what is made of a flow (a copy, a template and
 * what is merged with it) takes them along unopened. Only a step that is about to leave opens them; clients see masks.
 */

const COLUMNS = ["flow", "originFlow", "wizard"] as const;
type Sealed = (typeof COLUMNS)[number];

const place = (organizationId: number): string => `organizations/${organizationId}/flows`;

/** The columns of a flow with what is not sealed yet sealed; those that hold nothing like that are left out. */
export function sealedColumns(
  ring: Keyring,
  flow: Partial<Flow> & Pick<Flow, "organizationId">,
): Partial<Pick<Flow, Sealed>> {
  const given = Object.fromEntries(COLUMNS.map((name) => [name, flow[name]]));
  // Together: what is the same in a flow and in what its template was stays the same.
  const sealed = sealJson(ring, place(flow.organizationId), given);
  return Object.fromEntries(
    COLUMNS.filter((name) => sealed[name] !== given[name]).map((name) => [name, sealed[name]]),
  );
}

/** A part of a flow as its steps use it. */
export const opened = <T>(ring: Keyring, organizationId: number, part: T): T =>
  openJson(ring, place(organizationId), part);

/** A part of a flow as clients see it. */
export const masked = <T>(part: T): T => maskedJson(part);

/** What a client sends of a flow that it read before: masks keep what is stored. */
export function unmasked(columns: Columns, stored: Flow): Columns {
  const kept = (["flow", "wizard"] as const).flatMap((name) =>
    columns[name] === undefined ? [] : [[name, unmaskedJson(columns[name], stored[name])]],
  );
  return { ...columns, ...Object.fromEntries(kept) };
}

/** Whether a client sends what only the platform may have sealed. */
export const isMadeUp = ({ flow, wizard }: Columns): boolean => hasMadeUpToken([flow, wizard]);
