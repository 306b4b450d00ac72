import { noteObject } from "../db/objects";
import { findEventType } from "../event-types/find.io";
import { Refusal } from "../http/refusal";
import { payloadKey, payloadName } from "../stream/payloads.io";
import { streamName } from "../stream/stream-name";
import { sha256 } from "../values/bytes";
import { isoText } from "../values/instant";
import { EVENT_BYTES, OPEN_FOR_MS, signedPath } from "./payload";
import { derivedId, identified, type Payload, publishedSource } from "./publication";
import { type Checked, publish, type Publisher, type Told } from "./publish.io";
import type { Sent } from "./body.io";

type Doors = Parameters<typeof publish>[0] & {
  bucket: R2Bucket;
  /** Where receivers reach us, and what our URLs are signed with. */
  base: string;
  sessionKey: string;
};

/**
 * Publishes an event whose data is too large for a stream: the data is put into the bucket first, and the event names it.
 * @throws Refusal `too-large` when its type has a schema, which takes values to be checked by; `unavailable` when it is not
 * certain that both were kept.
 */
export async function publishAside(
  doors: Doors,
  publisher: Publisher,
  sent: Required<Sent>,
): Promise<Told | undefined> {
  const { organizationId, tenant } = publisher;
  const source = publishedSource(tenant?.id ?? null);
  const stream = streamName({ organizationId, source });
  const type = await findEventType(doors.db, organizationId, sent.publication.type);
  if (type !== undefined && type.schema !== null)
    throw new Refusal({
      kind: "too-large",
      message: `The type '${type.name}' has a schema: its events are at most ${EVENT_BYTES} bytes`,
    });
  const publication = identified(sent.publication, randomHex());
  const eventId = derivedId(source, publication.id);
  const known = await doors.streams.getByName(stream).event(eventId);
  if (known !== null) return (await publish(doors, publisher, [{ publication }]))[0];
  const now = Date.now();
  const name = payloadName(eventId, now, randomHex().slice(0, 8));
  const key = payloadKey(stream, name);
  const digest = sha256(sent.data, "hex");
  try {
    // Whoever erases the stream finds the data, even if the event never comes.
    await noteObject(doors.db, "stream", stream);
    await doors.bucket.put(key, sent.data, { httpMetadata: { contentType: TYPE }, sha256: digest });
  } catch (error) {
    console.error(JSON.stringify({ at: "publish", stream, error: String(error) }));
    throw new Refusal({ kind: "unavailable", message: "It could not be stored: try again" });
  }
  const expiresAt = Math.max(now, publication.deliverAt ?? 0) + OPEN_FOR_MS;
  const path = { organizationId, tenant: tenant?.id ?? null, name };
  const payload: Payload = {
    url: `${doors.base}${signedPath(path, expiresAt, doors.sessionKey)}`,
    contentType: TYPE,
    size: sent.data.byteLength,
    sha256: digest,
    expiresAt: isoText(expiresAt),
  };
  const checked: Checked = { publication, payload };
  const [told] = await publish(doors, publisher, [checked]);
  if (told?.duplicate === true) await doors.bucket.delete(key);
  return told;
}

const TYPE = "application/json";

const randomHex = (): string => crypto.randomUUID().replaceAll("-", "");
