import { textOf } from "./read";
import type { FeedCall, LogFeed } from "./feed";
import type { Change, Delivery, Extracted } from "./webhook";
import { isObject } from "../values/record";
import { readPath } from "../values/path";
import { toInstant } from "../values/instant";

/** The events in Box's V2 webhooks (reference vendors.md §1). */
export function readBoxWebhook({ body }: Delivery): Extracted {
  const trigger = textOf(readPath(body, "trigger"));
  if (!isObject(body) || trigger === undefined)
    return { kind: "unreadable", message: "Expected an object with a trigger" };
  const webhookId = textOf(readPath(body, "webhook.id")) ?? "";
  if (trigger === "NO_ACTIVE_SESSION")
    return control({ kind: "reauthorize", reason: "Box has no active session for this account" });
  if (trigger === "WEBHOOK.DELETED")
    return control(
      textOf(readPath(body, "additional_info.reason")) === "auto_cleanup"
        ? { kind: "register-again", webhookId }
        : undefined,
    );
  const objectId = textOf(readPath(body, "source.id"));
  const eventType = eventTypeOf(trigger, textOf(readPath(body, "source.etag")));
  if (objectId === undefined || eventType === undefined) return control(undefined);
  const createdAt = textOf(readPath(body, "created_at"));
  const change: Change = {
    objectType: typeName(textOf(readPath(body, "source.type")) ?? trigger.split(".")[0] ?? ""),
    objectId,
    eventType,
    date: toInstant(createdAt),
    version: textOf(readPath(body, "id")) ?? `${trigger}|${createdAt}`,
    data: body,
  };
  return { kind: "extracted", changes: [change], controls: [] };
}

function control(one: Extract<Extracted, { kind: "extracted" }>["controls"][number] | undefined) {
  return {
    kind: "extracted" as const,
    changes: [],
    controls: one === undefined ? [] : [one],
  };
}

/** Hub resources are plural: `file` → `files`. */
export function typeName(type: string): string {
  const lower = type.toLowerCase();
  return lower === "file" || lower === "folder" ? `${lower}s` : lower;
}

/** An upload with etag 0 is a new file; one into a folder with a hook may also be a move. */
function eventTypeOf(trigger: string, etag: string | undefined): Change["eventType"] | undefined {
  const verb = trigger.slice(trigger.lastIndexOf(".") + 1);
  switch (verb) {
    case "PREVIEWED":
    case "DOWNLOADED":
      return undefined;
    case "UPLOADED":
      return etag === "0" ? "CREATED" : "UPDATED";
    case "CREATED":
    case "COPIED":
    case "RESTORED":
      return "CREATED";
    case "TRASHED":
    case "DELETED":
      return "DELETED";
    default:
      return "UPDATED";
  }
}

/** `/2.0/events` repeats events and does not order them; each is identified by its `event_id`. */
export const boxFeed: LogFeed = {
  kind: "log",
  start: eventsCall("now"),
  page: eventsCall,
  read: (answer) => {
    const position = textOf(readPath(answer, "next_stream_position"));
    const entries = readPath(answer, "entries");
    if (position === undefined || !Array.isArray(entries)) return undefined;
    return { changes: entries.flatMap(readEntry), count: entries.length, position };
  },
  isDead: (status, message) => status === 400 && /stream_position/i.test(message),
};

function eventsCall(position: string): FeedCall {
  return {
    method: "GET",
    path: "/2.0/events",
    query: { stream_type: "changes", stream_position: position, limit: "500" },
  };
}

function readEntry(entry: unknown): Change[] {
  const source = readPath(entry, "source");
  const id = textOf(readPath(entry, "event_id"));
  const objectId = textOf(readPath(source, "id")) ?? textOf(readPath(source, "item_id"));
  const type = textOf(readPath(source, "type")) ?? textOf(readPath(source, "item_type"));
  const eventType = streamType(
    textOf(readPath(entry, "event_type")) ?? "",
    textOf(readPath(source, "etag")),
  );
  if (id === undefined || objectId === undefined || eventType === undefined) return [];
  return [
    {
      objectType: typeName(type ?? "item"),
      objectId,
      eventType,
      date: toInstant(readPath(entry, "created_at")),
      version: id,
      data: entry,
    },
  ];
}

function streamType(type: string, etag: string | undefined): Change["eventType"] | undefined {
  switch (type) {
    case "ITEM_PREVIEW":
    case "ITEM_DOWNLOAD":
    case "DOWNLOAD":
    case "PREVIEW":
      return undefined;
    case "ITEM_UPLOAD":
    case "UPLOAD":
      return etag === undefined || etag === "0" ? "CREATED" : "UPDATED";
    case "ITEM_CREATE":
    case "ITEM_COPY":
    case "ITEM_UNDELETE_VIA_TRASH":
      return "CREATED";
    case "ITEM_TRASH":
    case "DELETE":
      return "DELETED";
    default:
      return "UPDATED";
  }
}
