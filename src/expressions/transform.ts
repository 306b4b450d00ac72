import { parseStored } from "../values/depth";
import { evaluate } from "./evaluate";
import { isoText } from "../values/instant";

export type Transformed = { ok: true; text: string } | { ok: false; message: string };

const MOST_OUTPUT = 1024 * 1024;

/** The body a destination's transform makes of a notification's. The same body gives the same bytes. */
export async function transformBody(
  transform: string | undefined,
  body: string,
): Promise<Transformed> {
  if (transform === undefined) return { ok: true, text: body };
  const evaluated = await evaluate(transform, parseStored(body));
  if (!evaluated.ok) return { ok: false, message: `transform: ${evaluated.message}` };
  const text = JSON.stringify(evaluated.value);
  if (text === undefined) return { ok: false, message: "transform: The expression gave nothing" };
  if (text.length > MOST_OUTPUT)
    return { ok: false, message: `transform: More than ${MOST_OUTPUT} characters` };
  return { ok: true, text };
}

/** What a filter sees of an event. */
export type FilteredEvent = {
  objectType: string;
  objectId: string;
  eventType: string;
  date: number;
  data: string;
};

/**
 * Whether a destination wants an event: no filter, or one that is true of it. A filter that fails lets the
 * event through: better one too many than one lost.
 */
export async function isWanted(filter: string | undefined, event: FilteredEvent): Promise<boolean> {
  if (filter === undefined) return true;
  const { objectType, objectId, eventType, date } = event;
  const input = {
    objectType,
    objectId,
    eventType,
    date: isoText(date),
    data: parseStored(event.data),
  };
  const evaluated = await evaluate(filter, input);
  return !evaluated.ok || isTrue(evaluated.value);
}

/** Events that a filter turns away are kept, and go nowhere. */
export async function wantedOf<E extends FilteredEvent & { to: number[] }>(
  filter: string | null | undefined,
  events: readonly E[],
): Promise<E[]> {
  if (filter === undefined || filter === null) return [...events];
  return Promise.all(
    events.map(async (event) => ((await isWanted(filter, event)) ? event : { ...event, to: [] })),
  );
}

/** JSONata's own idea of true. */
function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isTrue);
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}
