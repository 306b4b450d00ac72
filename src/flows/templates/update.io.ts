import { Refusal } from "../../http/refusal";
import type { Flow } from "../flow";
import { recordOf } from "../../values/record";
import type { FlowDoors } from "../doors";
import { replaceFlow, retryChanges } from "../lifecycle.store";
import { readOwnFlow } from "../store";
import { newIds, withIds, wizardWithIds } from "./component-ids";
import { mergeThreeWay } from "./merge";
import { countFlowsFrom, flowsFrom, instancesOf } from "./store";
import { createTicket, moveTicket, readOpenTickets, type Ticket } from "./tickets.store";

/** How far an update is gets written down after so many instances; a crash repeats at most these. */
const PAGE = 20;
const MOST_ERRORS = 100;
/** Queries that one instance takes, beside one for each of its components. */
const QUERIES_AN_INSTANCE = 4;
/** A request spends about so many queries on an update; so does each request that asks how far it is. */
const QUERIES_A_REQUEST = 300;
/** Queries that one tick may spend on updates: the platform allows a thousand in one invocation. */
const QUERIES_A_TICK = 700;
const MOST_TICKETS = 10;

/** Begins to bring all instances of a template up to it. @param dropRuns what is under way does not go on. */
export async function beginUpdate(
  doors: FlowDoors,
  template: Flow,
  dropRuns: boolean,
): Promise<Ticket> {
  const ticket: Ticket = {
    ...newTicket(template.userId, template.id),
    dropRuns,
    stepsTotal: await countFlowsFrom(doors.db, instancesOf(template)),
  };
  await createTicket(doors.db, ticket);
  return continueUpdate(doors, ticket);
}

/** Goes on with an update, as far as one request may. */
export const continueUpdate = (doors: FlowDoors, ticket: Ticket): Promise<Ticket> =>
  advance(doors, ticket, QUERIES_A_REQUEST);

/** Work of one step that has not begun. */
export function newTicket(userId: number, templateId: string): Ticket {
  return {
    id: crypto.randomUUID(),
    userId,
    templateId,
    dropRuns: false,
    status: "running",
    stepsTotal: 1,
    stepsDone: 0,
    lastId: "",
    errors: [],
    createdAt: Date.now(),
  };
}

/**
 * Updates the instances of a template, page by page, for about `budget` queries. A template may have more instances
 * than one request can update, so the work is a ticket, a row in `flow_tickets` that says up to which instance it is
 * done. The request that asks for the update begins it, each request that asks how far it is continues it, and so does
 * every tick. Example of 50 instances: the request updates 20 and 20 and writes `lastId` after each page; the next
 * tick updates the last 10 and completes the ticket.
 *
 * Several may work on one ticket: what was updated already is up to date and left alone, and the one that finds the
 * ticket moved by somebody else stops. An instance that its user changes in the meantime is read again and merged
 * anew. No update starts an instance that is stopped.
 */
async function advance(doors: FlowDoors, ticket: Ticket, budget: number): Promise<Ticket> {
  let current = ticket;
  for (let left = budget; current.status === "running" && left > 0;) {
    const template = await readOwnFlow(doors.db, current.userId, current.templateId);
    const page =
      template === undefined
        ? []
        : await flowsFrom(doors.db, instancesOf(template), current.lastId, PAGE);
    const next = await updatePage(doors, template, page, current);
    left -= page.reduce((sum, { flow }) => sum + QUERIES_AN_INSTANCE + Object.keys(flow).length, 3);
    // Somebody else has moved the ticket, and will continue.
    if (!(await moveTicket(doors.db, current, next))) return next;
    current = next;
  }
  return current;
}

/** Continues the updates whose tickets nobody asks for. One that fails holds up no other. */
export async function advanceOpen(doors: FlowDoors): Promise<void> {
  const open = await readOpenTickets(doors.db, MOST_TICKETS);
  for (const ticket of open)
    await advance(doors, ticket, QUERIES_A_TICK / open.length).catch((error: unknown) => {
      console.error(JSON.stringify({ at: "templates", ticket: ticket.id, error: String(error) }));
    });
}

/** @returns the ticket as it is after this page. */
async function updatePage(
  doors: FlowDoors,
  template: Flow | undefined,
  page: readonly Flow[],
  ticket: Ticket,
): Promise<Ticket> {
  const errors = [...ticket.errors];
  for (const instance of page) {
    const message =
      template === undefined ? undefined : await updateInstance(doors, template, instance, ticket);
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
async function updateInstance(
  doors: FlowDoors,
  template: Flow,
  first: Flow,
  { dropRuns, createdAt }: Ticket,
): Promise<string | undefined> {
  // As it was read with its page; read again only when somebody changed it since.
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
