import * as z from "zod";
import { withHops } from "../delivery/own-address";
import type { Happened } from "../stream/event";
import { eventId, onceId } from "../stream/event-id";
import { instantField } from "../http/instant-field";
import { memberJson } from "../values/digits";
import type { Millis } from "../values/instant";
import { storedJson } from "../values/stored-json";

/** The stream of what is published to a tenant, or to none. */
export const publishedSource = (tenant: string | null): string => `tenant:${tenant ?? "-"}`;

/** What lies in a stream of published events. */
export const PUBLISHED = "published";

/** An event that is to be told later comes so long after it was published at most. */
export const MOST_DELAY_MS = 30 * 86_400_000;

const TYPE = "Expected 1 to 256 letters, digits, '.', '_', '-', '/' or ':'";
export const eventTypeName = z.string(TYPE).regex(/^[A-Za-z0-9._:/-]{1,256}$/, TYPE);
const ID = "Expected 1 to 256 printable ASCII characters without spaces";
const word = z.string(ID).regex(/^[\x21-\x7e]{1,256}$/, ID);
const CHANNEL = "Expected 1 to 128 letters, digits, '.', '_', '-', '/' or ':'";

/** What an application publishes (reference v1-api.md). */
export const publication = z.strictObject({
  type: eventTypeName,
  id: word.optional().describe("Whoever publishes the same id again publishes nothing more"),
  key: word.optional().describe("What it is about: by it events are kept in order, or told once"),
  data: z.unknown().refine((data) => data !== undefined, "Expected any JSON value"),
  channels: z
    .array(z.string(CHANNEL).regex(/^[A-Za-z0-9._:/-]{1,128}$/, CHANNEL))
    .min(1, "Expected 1 to 10 channels")
    .max(10, "Expected 1 to 10 channels")
    .optional(),
  deliverAt: instantField.optional().describe("Told at this instant, at most 30 days from now"),
  metadata: z
    .record(z.string().max(64), z.string().max(512), "Expected an object of texts")
    .refine((all) => Object.keys(all).length <= 50, "Expected at most 50 members")
    .optional()
    .describe("Kept with the event, told to nobody"),
});
export type Publication = z.infer<typeof publication>;

/** Where an event's data is to be fetched that is too large for its stream (`payload.ts`). */
export type Payload = {
  url: string;
  contentType: string;
  /** In bytes. */
  size: number;
  /** In hex. */
  sha256: string;
  /** An ISO instant, from which the URL opens nothing. */
  expiresAt: string;
};

/** A published event as it lies in its stream; `data` is the last member, and null where there is a `payload`. */
const storedRecord = storedJson(
  z.object({
    id: z.string(),
    channels: z.array(z.string()).optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    /** Of its type, if that has a schema. */
    version: z.number().optional(),
    payload: z.record(z.string(), z.unknown()).optional(),
    data: z.unknown(),
  }),
);
export type PublishedRecord = ReturnType<typeof storedRecord.read>;
export const readPublished = ({ data }: Pick<Happened, "data">): PublishedRecord =>
  storedRecord.read(data);

/** An event that is ready to be told, and the id that its publisher knows it by. */
export type Ready = { id: string; event: Happened; channels: readonly string[] | undefined };

const MADE = "evt_";

/** @param random at least 20 hex digits, of which an event without an id gets one. */
export function readyToTell(
  source: string,
  given: Publication,
  made: {
    now: Millis;
    random: string;
    hops: number;
    version?: number | undefined;
    payload?: Payload | undefined;
  },
): Ready {
  const { type, channels, metadata, deliverAt } = given;
  const { now, random, hops, version, payload } = made;
  const ownId = onceId(now, random);
  const id = given.id ?? `${MADE}${ownId}`;
  const record = { id, channels, metadata, version, payload };
  return {
    id,
    channels,
    event: {
      ...(given.id === undefined ? { id: ownId, once: true } : { id: derivedId(source, given.id) }),
      objectType: PUBLISHED,
      objectId: given.key ?? id,
      eventType: type,
      date: deliverAt ?? now,
      data: `${JSON.stringify(record).slice(0, -1)},"data":${memberJson(given, "data")}}`,
      ...(deliverAt === undefined ? {} : { deliverAt }),
      ...withHops(hops),
    },
  };
}

/** The id in its stream of an event that its publisher gave an id. */
export const derivedId = (source: string, id: string): string => eventId(source, PUBLISHED, "", id);

/** An event like this one, with an id: one is made where its publisher gave none. `random`: 32 hex digits. */
export const identified = (given: Publication, random: string): Publication & { id: string } => ({
  ...given,
  id: given.id ?? `${MADE}${random}`,
});

/** The ids that the event which its publisher knows as `id` may have in its stream. */
export function storedIds(source: string, id: string): string[] {
  const made = id.startsWith(MADE) ? id.slice(MADE.length) : undefined;
  const derived = derivedId(source, id);
  return made !== undefined && /^[0-9a-f]{32}$/.test(made) ? [made, derived] : [derived];
}

/** What is wrong with when an event is to be told; undefined: nothing. */
export function delayFault(deliverAt: Millis | undefined, now: Millis): string | undefined {
  if (deliverAt === undefined || deliverAt <= now + MOST_DELAY_MS) return undefined;
  return "Expected an instant at most 30 days from now";
}
