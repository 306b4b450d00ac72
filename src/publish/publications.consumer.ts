import { findOrganizations } from "../accounts/known.store";
import { Refusal } from "../http/refusal";
import { streamName } from "../stream/stream-name";
import { noteTrace } from "../stream/traces/note.io";
import type { IngestDoors } from "../subscriptions/ingest.io";
import { copyDigits } from "../values/digits";
import { parsedJson } from "../values/json";
import { isObject } from "../values/record";
import { publishEach } from "./each.io";
import { publisherTo } from "./publish.io";

/** A message of whose event it is not certain that it was kept comes again after this time, doubled with each try. */
const RETRY_SECONDS = 2;
const LONGEST_RETRY_SECONDS = 600;

/** Where what such a queue brought and could not be published is kept. */
export const queueSource = (queue: string): string => `queue:${queue}`;

type Refuse = (message: Message, reason: string) => Promise<void>;
type Read = { message: Message; tenant: string | null; event: object };

/**
 * Publishes the messages of a queue of the application's own (reference v1-api.md): as by HTTP, once for the event's id, or
 * for the message's where it has none. What can't be published leaves a trace and does not come again.
 */
export async function consumePublications(
  { queue, messages }: MessageBatch,
  doors: IngestDoors,
  organizationId: number,
): Promise<void> {
  if (!(await isThere(doors.db, organizationId))) {
    const error = `No organization ${organizationId}`;
    console.error(JSON.stringify({ at: "publish", queue, error }));
    for (const message of messages) again(message);
    return;
  }
  const refuse = refusing(doors, queue, organizationId);
  const sound: Read[] = [];
  for (const message of messages) {
    const read = readMessage(message);
    if ("reason" in read) await refuse(message, read.reason);
    else sound.push({ message, ...read });
  }
  const groups = Map.groupBy(sound, ({ tenant }) => tenant);
  await Promise.all(
    [...groups].map(([tenant, some]) =>
      publishTo(doors, { organizationId, tenant }, some, refuse).catch((error: unknown) => {
        console.error(JSON.stringify({ at: "publish", queue, error: String(error) }));
        for (const { message } of some) again(message);
      }),
    ),
  );
}

/** @throws when it is not certain that all were kept. */
async function publishTo(
  doors: IngestDoors,
  { organizationId, tenant }: { organizationId: number; tenant: string | null },
  some: readonly Read[],
  refuse: Refuse,
): Promise<void> {
  const publisher = await publisherTo(doors.db, organizationId, tenant, 0).catch(
    (error: unknown) => {
      if (error instanceof Refusal) return error;
      throw error;
    },
  );
  if (publisher instanceof Refusal) {
    for (const { message } of some) await refuse(message, publisher.message);
    return;
  }
  const events = some.map(({ event }) => event);
  const items = await publishEach(doors, publisher, events);
  for (const [index, { message }] of some.entries()) {
    const item = items[index];
    if (item !== undefined && "error" in item) await refuse(message, item.error.message);
    else message.ack();
  }
}

/** Leaves a trace of a message that can't be published, which then doesn't come again. */
const refusing =
  ({ streams }: IngestDoors, queue: string, organizationId: number): Refuse =>
  async (message, reason) => {
    const request = {
      method: "QUEUE",
      url: `queue://${encodeURIComponent(queue)}/${message.id}`,
      headers: new Headers(),
      body: Buffer.from(textOf(message.body) ?? ""),
    };
    const stream = streamName({ organizationId, source: queueSource(queue) });
    await noteTrace(streams, stream, request, { outcome: "refused", reason, isProved: true });
    message.ack();
  };

const isThere = async (db: D1Database, organizationId: number): Promise<boolean> =>
  (await findOrganizations(db, [organizationId], Date.now()).catch(() => undefined))?.has(
    organizationId,
  ) === true;

function again(message: Message): void {
  const delaySeconds = Math.min(RETRY_SECONDS * 2 ** message.attempts, LONGEST_RETRY_SECONDS);
  message.retry({ delaySeconds });
}

function readMessage({ id, body }: Message): Omit<Read, "message"> | { reason: string } {
  const value = parsedJson(textOf(body) ?? "")?.value;
  if (!isObject(value)) return { reason: "Expected an event: a JSON object of at most 500 levels" };
  const { tenant = null, ...others } = value;
  if (tenant !== null && typeof tenant !== "string")
    return { reason: "tenant: Expected the id of a tenant" };
  return { tenant, event: copyDigits(value, "id" in others ? others : { id, ...others }) };
}

/** A message's JSON: queues carry values, texts and bytes. Undefined for a value that has none. */
function textOf(body: unknown): string | undefined {
  if (typeof body === "string") return body;
  if (body instanceof ArrayBuffer) return new TextDecoder().decode(body);
  try {
    return JSON.stringify(body);
  } catch {
    return undefined;
  }
}
