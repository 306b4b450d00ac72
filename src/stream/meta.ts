import * as z from "zod";
import { storedJson } from "../values/stored-json";
import type { Wake } from "./event";
import { pollMessage } from "./poll-message";

/** The shapes of the JSON values in a stream's `meta` table; `storedJson` reads older versions of them too. */

/** The source's cursor. `value` is text that only the source reads; each commit that moves it raises `version`. */
const cursor = z.object({
  version: z.number(),
  value: z.string().nullable(),
  /** Ids of events dated at or after this instant outlive the purge. */
  keepIdsSince: z.number().optional(),
});
export type Cursor = z.infer<typeof cursor>;

/** The cursor as versions before the head stored it, in a row of its own. */
export const storedCursor = storedJson(cursor);

/** The poll that the stream has to ask for. Release 0.1.0 stored the message as JSON text inside the JSON. */
export const storedWake = storedJson<Wake>(
  z.object({
    at: z.number(),
    message: z.preprocess(
      (message): unknown => (typeof message === "string" ? JSON.parse(message) : message),
      pollMessage,
    ),
  }),
);

const last = z.object({ event: z.number(), notification: z.number() });

/** The highest numbers of an event and of a notification, stored before the first purge: no number is given out twice. */
export const storedLast = storedJson(last);
export type Last = ReturnType<typeof storedLast.read>;

/**
 * A `resume` that is not finished: the destination whose parked notifications become due, how many more bundles at
 * most (null: all), and the bundle to go on from.
 */
export const storedResume = storedJson(
  z.object({ destinationId: z.string(), most: z.number().nullable(), from: z.number() }),
);
export type Resume = ReturnType<typeof storedResume.read>;

/**
 * Which fresh bundles may be unsettled: those with ids from `below` on, and of those below it only `except`, which were
 * on a queue when this was stored.
 */
const unsettled = z.object({ below: z.number(), except: z.array(z.number()) });
export type Unsettled = z.infer<typeof unsettled>;

/** `revision`: of the head at that time, which has such a list too: the later one counts. */
export const storedUnsettled = storedJson(unsettled.extend({ revision: z.number().default(0) }));

/** What changes with every commit (`head.store.ts`). `ids`: postings of the latest events' ids (`log/event-ids.io.ts`). */
export const storedHead = storedJson(
  z.object({ revision: z.number(), cursor, last, ids: z.string(), unsettled }),
);
export type HeadText = ReturnType<typeof storedHead.read>;
