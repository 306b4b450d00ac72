import { firstFault } from "../http/faults";
import type { Violation } from "../http/refusal";
import type { IngestDoors } from "../subscriptions/ingest.io";
import { utf8Length } from "../values/bytes";
import { digitsAlong } from "../values/digits";
import { EVENT_BYTES } from "./payload";
import { delayFault, type Publication, publication } from "./publication";
import { check, publish, type Publisher, type Told } from "./publish.io";

type Fault = { code: string; message: string; field: string };
export type Item = Told | { error: Fault };

/**
 * Publishes those that are sound, in order; of each of the others it says what is wrong with it.
 * @throws Refusal `unavailable` when it is not certain that all were kept.
 */
export async function publishEach(
  doors: IngestDoors,
  publisher: Publisher,
  events: readonly unknown[],
): Promise<Item[]> {
  const now = Date.now();
  const read = await Promise.all(
    events.map(async (event) => {
      const one = readOne(event, now);
      if ("error" in one) return one;
      const checked = await check(doors.db, publisher, one);
      return "faults" in checked
        ? { error: faultOf("schema_mismatch", checked.faults[0]) }
        : { checked };
    }),
  );
  const sound = read.flatMap((one) => ("checked" in one ? one.checked : []));
  const told = sound.length === 0 ? [] : await publish(doors, publisher, sound);
  return read.flatMap((one): Item[] =>
    "error" in one ? [{ error: one.error }] : told.splice(0, 1),
  );
}

function readOne(event: unknown, now: number): Publication | { error: Fault } {
  if (utf8Length(JSON.stringify(event)) > EVENT_BYTES) {
    const message = `Expected at most ${EVENT_BYTES} bytes`;
    return { error: faultOf("too_large", { field: "data", message }) };
  }
  const parsed = publication.safeParse(event);
  if (!parsed.success) return { error: faultOf("invalid_field", firstFault(parsed.error)) };
  const message = delayFault(parsed.data.deliverAt, now);
  return message === undefined
    ? digitsAlong(event, parsed.data)
    : { error: faultOf("invalid_field", { field: "deliverAt", message }) };
}

const faultOf = (code: string, { field, message }: Violation): Fault => ({
  code,
  message: `${field}: ${message}`,
  field,
});
