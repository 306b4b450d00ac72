import type { DestinationRecord } from "../../delivery/destination";
import { Refusal } from "../../http/refusal";
import type { Faults } from "../settings/faults";

/** What people of a tenant say of an endpoint, as somebody typed it. */
export type Typed = Record<(typeof FIELDS)[number], string>;

export const FIELDS = ["url", "description", "eventTypes", "channels"] as const;
export const NOTHING: Typed = { url: "", description: "", eventTypes: "", channels: "" };

export function typedIn(form: URLSearchParams): Typed {
  const text = (name: keyof Typed): string => (form.get(name) ?? "").trim();
  return {
    url: text("url"),
    description: text("description"),
    eventTypes: text("eventTypes"),
    channels: text("channels"),
  };
}

/** An endpoint as it stands in the form; @param url with its secrets masked. */
export const typedOf = ({ traits }: DestinationRecord, url: string | null): Typed => ({
  url: url ?? "",
  description: traits?.description ?? "",
  eventTypes: traits?.selectors.eventTypes.join("\n") ?? "",
  channels: traits?.selectors.channels.join("\n") ?? "",
});

/** What was typed, as `/v1` takes it. Without a type, all are meant. */
export function bodyOf({ url, description, eventTypes, channels }: Typed) {
  const types = linesOf(eventTypes);
  return {
    url,
    description: description === "" ? null : description,
    eventTypes: types.length === 0 ? ["*"] : types,
    channels: linesOf(channels),
  };
}

const linesOf = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** What `/v1` says is wrong, each fault at the field it is typed in. @throws whatever else it is. */
export function faultsIn(error: unknown): Faults {
  if (!(error instanceof Refusal)) throw error;
  const { reason } = error;
  if (reason.kind === "conflict") return { "": error.message };
  if (reason.kind !== "invalid") throw error;
  const all = reason.violations ?? [{ field: reason.field ?? "", message: error.message }];
  const faults = all.map(({ field, message }): [string, string] => {
    const name = FIELDS.find((one) => one === field.split(".")[0]) ?? "";
    return [name, message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message];
  });
  // Of several faults of a field the first is told.
  return Object.fromEntries(faults.toReversed());
}
