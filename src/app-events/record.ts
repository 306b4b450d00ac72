import * as z from "zod";
import { withHops } from "../delivery/own-address";
import type { Happened, StoredEvent } from "../stream/event";
import { content } from "../flows/triggers/content";
import { runId } from "../flows/ids";
import type { Trigger } from "../flows/triggers/trigger";
import { type Millis, isoText, isoSeconds } from "../values/instant";
import { storedJson } from "../values/stored-json";

/** An app event as it lies in its user's stream. */
const storedRecord = storedJson(
  z.object({
    content,
    /** Limited to this flow by the sender. */
    flowId: z.string().optional(),
    replayOf: z.string().optional(),
    triggers: z.array(
      z.object({ flowId: z.string(), componentId: z.string(), createdAt: z.number() }),
    ),
  }),
);
export type EventRecord = ReturnType<typeof storedRecord.read>;

/** What somebody publishes. */
export type Publication = {
  name: string;
  /** The JSON text of the payload, as it came. */
  body: string;
  record: Omit<EventRecord, "triggers">;
  /** Who sends the same key again, with the same request, publishes nothing and gets the first answer. */
  idempotencyKey: string | undefined;
  /** How many requests of this platform led to it; absent: none. */
  hops?: number;
};

export type Published = {
  event: Pick<StoredEvent, "id" | "objectId">;
  record: EventRecord;
  /** The key came before: this is what was published then. */
  replayed: boolean;
};

export const APP_EVENT = "app-event";

/** The record as JSON text, the sent body spliced in as it came. */
export function recordText(record: EventRecord, body: string): string {
  const { content: sent, ...rest } = record;
  const { data: _data, ...withoutData } = sent;
  const inner = `${JSON.stringify(withoutData).slice(0, -1)},"data":${body}}`;
  return `${JSON.stringify(rest).slice(0, -1)},"content":${inner}}`;
}

export function readRecord({ data }: Pick<StoredEvent, "data">): EventRecord {
  return storedRecord.read(data);
}

/** The same of a list: undefined for what cannot be read, which is shown as such. */
export function recordIn(event: Pick<StoredEvent, "data">): EventRecord | undefined {
  try {
    return readRecord(event);
  } catch {
    return undefined;
  }
}

/** An event and its record, which names the triggers that it starts. */
export function appEvent(
  { name, body, record, idempotencyKey, hops = 0 }: Publication,
  id: string,
  triggers: readonly Trigger[],
  now: Millis,
): { record: EventRecord; event: Happened } {
  const started = triggers.map(({ flowId, componentId, createdAt }) => ({
    flowId,
    componentId,
    createdAt,
  }));
  const whole = { ...record, triggers: started };
  const event: Happened = {
    id,
    // Nothing can come twice without a key.
    ...(idempotencyKey === undefined ? { once: true } : {}),
    objectType: APP_EVENT,
    objectId: name,
    eventType: "SENT",
    date: now,
    data: recordText(whole, body),
    ...withHops(hops),
  };
  return { record: whole, event };
}

/** What the sender is told. A request that is repeated under its idempotency key gets the same answer. */
export function sentAnswer(
  userId: number,
  { event, record: { triggers } }: Pick<Published, "event" | "record">,
): Record<string, unknown> {
  if (triggers.length === 0) return { triggers: [] };
  return {
    triggers: triggers.map((trigger) => ({
      userId: String(userId),
      event: event.objectId,
      componentId: trigger.componentId,
      flowId: trigger.flowId,
      createdAt: isoSeconds(trigger.createdAt),
      correlationId: runId(event.id, trigger),
    })),
    errors: [],
  };
}

/** One entry of the history. */
export function historyView(event: StoredEvent): Record<string, unknown> {
  const record = recordIn(event);
  const about = {
    eventId: event.id,
    event: event.objectId,
    receivedAt: isoText(event.receivedAt),
  };
  if (record === undefined)
    return { ...about, matched: false, triggers: [], unrenderable: "The event cannot be read" };
  return {
    ...about,
    ...(record.flowId === undefined ? {} : { flowId: record.flowId }),
    matched: record.triggers.length > 0,
    triggers: record.triggers.map(({ flowId, componentId }) => ({
      flowId,
      componentId,
      correlationId: runId(event.id, { flowId, componentId }),
    })),
    ...(record.replayOf === undefined ? {} : { replayOf: record.replayOf }),
  };
}

/** Whether a repeated idempotency key came with the same request. */
export function sameRequest(left: EventRecord, right: EventRecord): boolean {
  const essence = ({ content: { data, query }, flowId }: EventRecord): string =>
    JSON.stringify([data, query, flowId ?? null]);
  return essence(left) === essence(right);
}
