import type { StoredEvent } from "./event";
import type { Segment } from "./log/event-rows.store";
import { groupsByWeight, unitsOf } from "./plan";

/** The most event data in a segment, in UTF-16 units, unless one event alone has more. */
const SEGMENT_UNITS = 400_000;
/** Up to this size events lie inline in the row of their bundle: larger ones would be rewritten at each settle. */
const INLINE_UNITS = 16_000;

/** Events without a vendor's body share segments; those with one get a segment of their own. */
export function segmentsOf(
  plans: readonly { events: StoredEvent[]; raw: string | undefined }[],
): Segment[] {
  const withoutBody = plans.filter(({ raw }) => raw === undefined).flatMap(({ events }) => events);
  return [
    ...groupsByWeight(withoutBody, SEGMENT_UNITS, 1_000, unitsOf).map((events) => ({ events })),
    ...plans.flatMap(({ events, raw }) => (raw === undefined ? [] : { events, raw })),
  ];
}

/** Whether a segment may lie inline in the row of its bundle. */
export function isSmall({ events, raw = "" }: Segment): boolean {
  return events.reduce((sum, event) => sum + unitsOf(event), raw.length) <= INLINE_UNITS;
}
