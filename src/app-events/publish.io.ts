import type { User } from "../accounts/users/store";
import { userSource } from "../flows/ids";
import {
  noteVersion,
  readAppEventTriggers,
  type UserTriggers,
} from "../flows/triggers/app-event-triggers.store";
import type { TriggerDoors } from "../flows/triggers/store";
import { Refusal } from "../http/refusal";
import type { Committed } from "../stream/event";
import { eventId, onceId } from "../stream/event-id";
import { streamName } from "../stream/stream-name";
import { flowSubscription } from "../subscriptions/flows";
import { type Happening, ingest } from "../subscriptions/ingest.io";
import {
  APP_EVENT,
  appEvent,
  type EventRecord,
  type Publication,
  type Published,
  readRecord,
  sameRequest,
} from "./record";

const RETENTION_MS = 7 * 86_400_000;
/** How often flows may be started or stopped while one event is being committed. */
const TRIES = 10;

type Owner = Pick<User, "id" | "organizationId">;

/**
 * Stores an event, with a run for every flow of this user that listens to it, in one commit: then it is safe to
 * answer. The triggers come from the isolate's memory; when one of the flows was started or stopped since they were
 * read, the stream refuses the commit, and it is made again with the triggers as they are now
 * (`flows/triggers/app-event-triggers.store.ts`).
 * @throws Refusal `key-reused` for a key that came before with another request, `unavailable` when the event is not
 * certain to be kept.
 */
export async function publish(
  doors: TriggerDoors,
  user: Owner & Pick<User, "tenant">,
  publication: Publication,
  foreseen?: UserTriggers,
): Promise<Published> {
  const { name, idempotencyKey, record: draft } = publication;
  const { id: userId, organizationId } = user;
  const now = Date.now();
  const source = userSource(userId);
  const id =
    idempotencyKey === undefined
      ? onceId(now, crypto.randomUUID().replaceAll("-", ""))
      : eventId(source, APP_EVENT, name, idempotencyKey);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const found = await readAppEventTriggers(
      doors,
      { userId, organizationId },
      name,
      now,
      foreseen,
    );
    const { flowId } = draft;
    const triggers = found.triggers.filter((one) => flowId === undefined || one.flowId === flowId);
    const { record, event } = appEvent(publication, id, triggers, now);
    const committed = await commitOrRefuse(doors, {
      organizationId,
      source,
      commit: { expect: found.version, events: [event] },
      keptFor: RETENTION_MS,
      origin: { tenant: user.tenant?.id ?? null },
      own: () => triggers.map((trigger) => flowSubscription(trigger, "content", () => true)),
    });
    if (committed.kind === "stale") {
      noteVersion(userId, committed.version);
      continue;
    }
    return committed.accepted.length > 0
      ? { event: { id, objectId: name }, record, replayed: false }
      : earlier(streamOf(doors.streams, user), id, record);
  }
  throw new Refusal({ kind: "unavailable", message: "Flows change too fast: try again" });
}

/** @throws Refusal `unavailable` when the event is not certain to be kept. */
async function commitOrRefuse(doors: TriggerDoors, happening: Happening): Promise<Committed> {
  try {
    return await ingest(doors, happening);
  } catch (error) {
    console.error(JSON.stringify({ at: "app-events", error: String(error) }));
    throw new Refusal({ kind: "unavailable", message: "The event could not be stored: try again" });
  }
}

/** What was published under a key before. @throws Refusal when it was another request. */
async function earlier(stream: Stream, id: string, record: EventRecord): Promise<Published> {
  const first = await stream.event(id);
  const before = first === null ? undefined : readRecord(first);
  if (first === null || before === undefined || !sameRequest(before, record))
    throw new Refusal({
      kind: "key-reused",
      message: "The Idempotency-Key was used before with another request",
    });
  return { event: first, record: before, replayed: true };
}

type Stream = ReturnType<Env["EVENT_STREAMS"]["getByName"]>;

/** The stream of a user's app events. */
export function streamOf(streams: Env["EVENT_STREAMS"], { id, organizationId }: Owner): Stream {
  return streams.getByName(streamName({ organizationId, source: userSource(id) }));
}
