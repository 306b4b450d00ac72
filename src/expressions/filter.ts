import { isoTextOrNull } from "../values/instant";
import { parseStored } from "../values/json";
import { type Evaluated, evaluate } from "./evaluate";

/** What a filter sees of an event. */
export type FilterableEvent = {
  objectType: string;
  objectId: string;
  eventType: string;
  date: number;
  data: string;
};

/**
 * Whether a destination wants an event: no filter, or one that is true of it. A filter that fails lets the
 * event through, since a superfluous event does less harm than a lost one. Filters
 * are applied where a source plans its commit, so an event that is turned away costs no notification.
 */
export async function isWanted(
  filter: string | undefined,
  event: FilterableEvent,
): Promise<boolean> {
  if (filter === undefined) return true;
  const evaluated = await evaluateOver(filter, event);
  return evaluated?.ok !== true || isTrue(evaluated.value);
}

/** Undefined when the event's data is no JSON. */
async function evaluateOver(
  filter: string,
  { objectType, objectId, eventType, date, data }: FilterableEvent,
): Promise<Evaluated | undefined> {
  const about = { objectType, objectId, eventType, date: isoTextOrNull(date) };
  try {
    return await evaluate(filter, { ...about, data: parseStored(data) });
  } catch {
    return undefined;
  }
}

/** Whether JSONata takes a value for true (`$boolean`). */
function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isTrue);
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}
