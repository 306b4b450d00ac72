import { deleteRows, nextReferences, stepsOf, type Subject } from "../../db/erasure";
import type { Reference, Step } from "../../db/erasure-step";
import { endpointName } from "../../delivery/endpoint-name";
import { chunks } from "../../values/lists";

export type ErasureDoors = {
  db: D1Database;
  streams: Env["EVENT_STREAMS"];
  endpoints: Env["ENDPOINTS"];
  budgets: Env["VENDOR_BUDGETS"];
};

/** How much one round may still do: rows that it deletes, objects that it erases. */
export type Allowance = { rows: number; objects: number };

const PAGE_ROWS = 1_000;
const PAGE_OBJECTS = 50;
const OBJECTS_AT_ONCE = 10;

/**
 * Deletes a subject's rows and the objects that they point at, table by table, as far as the allowance goes. Objects are
 * erased before their rows are deleted, and both can be done twice: a round that is killed anywhere is simply followed
 * by another, which begins at the first table again. `isLast` says whether the subject's own row may go, which is the
 * last of all.
 * @returns whether nothing is left but that row.
 */
export async function erase(
  subject: Subject,
  doors: ErasureDoors,
  allowance: Allowance,
  isLast: boolean,
): Promise<boolean> {
  const steps = stepsOf(subject);
  for (const [index, step] of steps.entries()) {
    const isOwnRow = index === steps.length - 1;
    if (isOwnRow && !isLast) return true;
    if (!(await eraseStep(step, doors, allowance))) return false;
  }
  return true;
}

/** @returns whether all rows of the step are gone; if not, the allowance is used up. */
async function eraseStep(step: Step, doors: ErasureDoors, allowance: Allowance): Promise<boolean> {
  for (;;) {
    const limit = Math.min(PAGE_ROWS, allowance.rows);
    if (limit <= 0) return false;
    const { points } = step;
    if (points === undefined) {
      const deleted = await deleteRows(doors.db, step, limit);
      allowance.rows -= deleted;
      if (deleted < limit) return true;
      continue;
    }
    const most = Math.min(PAGE_OBJECTS, allowance.objects);
    if (most <= 0) return false;
    const { keys, references } = await nextReferences(doors.db, { ...step, points }, most);
    if (keys.length === 0) return true;
    await eraseObjects(references, doors);
    allowance.objects -= keys.length;
    allowance.rows -= await deleteRows(doors.db, step, limit, keys);
  }
}

async function eraseObjects(references: readonly Reference[], doors: ErasureDoors): Promise<void> {
  const named = references.map((reference) => `${reference.kind} ${nameOf(reference) ?? ""}`);
  const distinct = references.filter((_, index) => named.indexOf(named[index] ?? "") === index);
  for (const part of chunks(distinct, OBJECTS_AT_ONCE))
    await Promise.all(part.map((reference) => eraseObject(reference, doors)));
}

async function eraseObject(reference: Reference, doors: ErasureDoors): Promise<void> {
  const name = nameOf(reference);
  if (name === undefined) return;
  switch (reference.kind) {
    case "stream":
      return doors.streams.getByName(name).erase();
    case "endpoint":
      return doors.endpoints.getByName(name).erase();
    case "budget":
      return doors.budgets.getByName(name).erase();
  }
}

/** Undefined for an endpoint of what is no URL: nobody could call it. */
function nameOf(reference: Reference): string | undefined {
  if (!("url" in reference)) return reference.name;
  return URL.canParse(reference.url)
    ? endpointName(reference.organizationId, reference.url)
    : undefined;
}
