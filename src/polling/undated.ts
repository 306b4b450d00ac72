import { eventId } from "../stream/event-id";
import type { Happened } from "../stream/event";
import { hashDecision } from "./classify";
import type { Reading } from "./records";
import { sha256 } from "../values/bytes";
import { canonicalJson } from "../values/json";

/**
 * Records without a usable date: whether one has changed is seen by a hash of its content, which the stream keeps from
 * poll to poll as `hash|<type>|<id>` → `<hash>:<id of its last event>`.
 */
export type Undated = {
  key: string;
  objectId: string;
  hash: string;
  data: string;
  /** The event type whatever the hash says of the record's newness; a deleted record is DELETED all the same. */
  always: "UPDATED" | undefined;
  deleted: boolean;
};

export function undatedRecord(
  record: unknown,
  objectType: string,
  objectId: string,
  { always, deleted }: Pick<Undated, "always" | "deleted">,
): Undated {
  return {
    key: `hash|${objectType}|${objectId}`,
    objectId,
    hash: sha256(canonicalJson(record), "hex"),
    data: JSON.stringify(record),
    always,
    deleted,
  };
}

/**
 * The events of undated records, and the hashes to keep. `kept` is what was kept of them, by key. An event's id is
 * derived from the one before it, so a record that changes back to an earlier content is a new event.
 */
export function readUndated(
  undated: readonly Undated[],
  kept: Readonly<Record<string, string>>,
  { source, resource: { resource: objectType }, startedAt, templated, firstPoll }: Reading,
): { events: Happened[]; state: { key: string; value: string }[] } {
  const events: Happened[] = [];
  const state: { key: string; value: string }[] = [];
  for (const { key, objectId, hash, data, always, deleted } of undated) {
    const [previousHash, previousId = ""] = kept[key]?.split(":") ?? [];
    const previous = previousHash === undefined ? undefined : { hash: previousHash };
    const decision = hashDecision(previous, hash, { templated, firstPoll });
    if (decision === "same") continue;
    if (decision === "record-only") {
      state.push({ key, value: `${hash}:` });
      continue;
    }
    const id = eventId(source, objectType, objectId, `${hash}:${previousId}`);
    const eventType = deleted ? "DELETED" : (always ?? decision);
    events.push({ id, objectType, objectId, eventType, date: startedAt, data });
    state.push({ key, value: `${hash}:${id}` });
  }
  return { events, state };
}
