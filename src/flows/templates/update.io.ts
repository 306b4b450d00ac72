import { Refusal } from "../../http/refusal";
import type { Flow } from "../flow";
import { recordOf } from "../../values/record";
import type { FlowDoors } from "../doors";
import { replaceFlow, retryChanges } from "../lifecycle.store";
import { readOwnFlow } from "../store";
import { newIds, withIds, wizardWithIds } from "./component-ids";
import { mergeThreeWay } from "./merge";
import { flowsFrom, instancesOf } from "./store";
import { moveTicket, readOpenTickets, type Ticket } from "./tickets.store";

/** Instances between two notes of how far it is: as much a crash makes another do again. */
const PAGE = 20;
const MOST_ERRORS = 100;
/** Questions to the database that one instance takes, its components apart. */
const QUERIES_EACH = 4;
/** Questions to the database that one tick may ask for updates. */
const TICK = 700;
const MOST_TICKETS = 10;

/**
 * Goes on with an update of all instances, page by page, for about `budget` questions to the database. An
 * instance that is up to date is left as it is, so what a crash makes another do again changes nothing.
 */
export async function advance(doors: FlowDoors, ticket: Ticket, budget: number): Promise<Ticket> {
  let current = ticket;
  for (let left = budget; current.status === "running" && left > 0;) {
    const template = await readOwnFlow(doors.db, current.userId, current.templateId);
    const page =
      template === undefined
        ? []
        : await flowsFrom(doors.db, instancesOf(template), current.lastId, PAGE);
    const next = await updated(doors, template, page, current);
    left -= page.reduce((sum, { flow }) => sum + QUERIES_EACH + Object.keys(flow).length, 3);
    // Somebody else is at it: they go on.
    if (!(await moveTicket(doors.db, current, next))) return next;
    current = next;
  }
  return current;
}

/** Goes on with the updates that nobody asks about. */
export async function advanceOpen(doors: FlowDoors): Promise<void> {
  const open = await readOpenTickets(doors.db, MOST_TICKETS);
  for (const ticket of open) await advance(doors, ticket, TICK / open.length);
}

async function updated(
  doors: FlowDoors,
  template: Flow | undefined,
  page: readonly Flow[],
  ticket: Ticket,
): Promise<Ticket> {
  const errors = [...ticket.errors];
  for (const instance of page) {
    const message =
      template === undefined ? undefined : await update(doors, template, instance, ticket);
    if (message !== undefined) errors.push({ flowId: instance.id, message });
  }
  const isLast = page.length < PAGE;
  const ended = errors.length === 0 ? "completed" : "failed";
  return {
    ...ticket,
    status: isLast ? ended : "running",
    stepsDone: ticket.stepsDone + page.length,
    lastId: page.at(-1)?.id ?? ticket.lastId,
    errors: errors.slice(0, MOST_ERRORS),
  };
}

/** Brings an instance up to its template, keeping what its user changed. @returns why it could not be. */
async function update(
  doors: FlowDoors,
  template: Flow,
  first: Flow,
  { dropRuns, createdAt }: Ticket,
): Promise<string | undefined> {
  let read: Flow | undefined = first;
  try {
    await retryChanges(async () => {
      const instance = read ?? (await readOwnFlow(doors.db, first.userId, first.id));
      read = undefined;
      if (instance === undefined) return "done";
      const ids = newIds(template.flow, () => crypto.randomUUID(), instance.componentIdMap ?? {});
      const theirs = withIds(template.flow, ids);
      const columns = {
        flow: recordOf(mergeThreeWay(instance.originFlow ?? {}, instance.flow, theirs)),
        originFlow: theirs,
        wizard: wizardWithIds(template.wizard, ids),
        componentIdMap: ids,
      };
      const drops = dropRuns && instance.stage === "running" && (instance.started ?? 0) < createdAt;
      return drops || !isSame(instance, columns)
        ? replaceFlow(doors, instance, columns, { dropRuns: drops })
        : "done";
    });
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    console.error(JSON.stringify({ at: "templates", flowId: first.id, error: String(error) }));
    return "Something went wrong on our side";
  }
}

function isSame(instance: Flow, columns: Partial<Flow>): boolean {
  return Object.entries(columns).every(
    ([name, value]) => JSON.stringify(Reflect.get(instance, name)) === JSON.stringify(value),
  );
}
