import * as z from "zod";
import { FORMATS, takesLists } from "../../delivery/format";
import type { Violation } from "../../http/refusal";
import { recordOf } from "../../values/record";

/** How an endpoint wants to be told, beside when and where. */

const MOST_LIST = 100;
const MOST_WAIT_MS = 60_000;
const LIST = `Expected {"size": 2 to ${MOST_LIST}, "waitMs": 1 to ${MOST_WAIT_MS}}`;
const LATEST = `Expected a whole number of milliseconds, 1 to 3600000`;

export const toldFields = {
  format: z
    .enum(FORMATS, `Expected ${FORMATS.slice(0, -1).join(", ")} or ${FORMATS.at(-1)}`)
    .optional()
    .describe("As we tell events, as CloudEvents 1.0, or their data alone"),
  batch: z
    .strictObject(
      {
        size: z.int(LIST).min(2, LIST).max(MOST_LIST, LIST),
        waitMs: z.int(LIST).min(1, LIST).max(MOST_WAIT_MS, LIST),
      },
      LIST,
    )
    .nullable()
    .optional()
    .describe(
      "Several events in one request, as a list: as many as come in that time, at most so many",
    ),
  debounceMs: z
    .int(LATEST)
    .min(1, LATEST)
    .max(3_600_000, LATEST)
    .nullable()
    .optional()
    .describe("Of an object that changes often only the latest event, so long after the first"),
  schemaVersion: z
    .int("Expected a version, 1 or higher")
    .min(1, "Expected a version, 1 or higher")
    .nullable()
    .optional()
    .describe("Data of later versions of event types is made into this one"),
};

/** What of these contradicts another, in what was sent and what is stored. */
export function toldFaults(sent: unknown, stored: Readonly<Record<string, unknown>>): Violation[] {
  const { format, batch, debounceMs } = { ...stored, ...recordOf(sent) };
  const hasList = batch !== undefined && batch !== null;
  const faults: Violation[] = [];
  if (hasList && debounceMs !== undefined && debounceMs !== null)
    faults.push({ field: "debounceMs", message: "Expected either batch or debounceMs" });
  const known = FORMATS.find((one) => one === format);
  if (hasList && known !== undefined && !takesLists(known))
    faults.push({
      field: "format",
      message: "CloudEvents in binary mode come one by one: no batch",
    });
  return faults;
}
