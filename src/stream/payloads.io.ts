import type { Millis } from "../values/instant";
import type { StoredEvent } from "./event";

/** The bucket for data that is too large for a stream, where this deployment has one bound as `PAYLOADS`. */
export const payloadBucket = (env: object): R2Bucket | undefined => Reflect.get(env, "PAYLOADS");

/** Longer than any request lasts that puts something there and then commits its event. */
const COMMITTED_WITHIN_MS = 3_600_000;
const AT_DIGITS = 15;

/** Where an event's data lies: those of a stream together, the oldest first. `random`: hex digits. */
export const payloadName = (eventId: string, at: Millis, random: string): string =>
  `${String(at).padStart(AT_DIGITS, "0")}-${eventId}-${random}`;
export const payloadKey = (stream: string, name: string): string => `${stream}/${name}`;

/**
 * Deletes of a stream's data what no event names any more, since it was purged or erased, or never came to be.
 * @param until Only what was put there before.
 */
export async function sweepPayloads(
  bucket: R2Bucket,
  stream: string,
  find: (eventId: string) => StoredEvent | undefined,
  { until, now }: { until: Millis; now: Millis },
): Promise<void> {
  await deleteWhere(bucket, stream, (name) => {
    const [at = "", eventId = ""] = name.split("-");
    if (Number(at) >= until) return "end";
    const event = find(eventId);
    const isGone =
      event === undefined ? Number(at) < now - COMMITTED_WITHIN_MS : !event.data.includes(name);
    return isGone ? "delete" : "keep";
  });
}

/** Deletes all of a stream's data. */
export const erasePayloads = (bucket: R2Bucket, stream: string): Promise<void> =>
  deleteWhere(bucket, stream, () => "delete");

async function deleteWhere(
  bucket: R2Bucket,
  stream: string,
  judge: (name: string) => "delete" | "keep" | "end",
): Promise<void> {
  const prefix = payloadKey(stream, "");
  for (let startAfter: string | undefined; ;) {
    const { objects, truncated } = await bucket.list({
      prefix,
      ...(startAfter === undefined ? {} : { startAfter }),
    });
    const judged = objects.map(({ key }) => ({ key, is: judge(key.slice(prefix.length)) }));
    const gone = judged.filter(({ is }) => is === "delete").map(({ key }) => key);
    if (gone.length > 0) await bucket.delete(gone);
    startAfter = objects.at(-1)?.key;
    if (!truncated || judged.some(({ is }) => is === "end")) return;
  }
}
