import * as z from "zod";
import type { StoredEvent } from "../stream/event";
import { content } from "../flows/triggers/content";
import { runId } from "../flows/ids";
import { isoText, isoSeconds } from "../values/instant";
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

/** The answer to who sent the event; the same whenever it is asked for again. */
export function sentAnswer(
  userId: number,
  event: Pick<StoredEvent, "id" | "objectId">,
  { triggers }: EventRecord,
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
  const record = readRecord(event);
  return {
    eventId: event.id,
    event: event.objectId,
    receivedAt: isoText(event.receivedAt),
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
