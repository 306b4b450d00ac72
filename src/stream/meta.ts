import * as z from "zod";
import { storedJson } from "../values/stored-json";
import type { Wake } from "./event";
import { pollMessage } from "./poll-message";

/** The shapes of the JSON values in a stream's `meta` table; `storedJson` reads older versions of them too. */

/** The source's cursor. `value` is text that only the source reads; each commit that moves it raises `version`. */
export const storedCursor = storedJson(
  z.object({
    version: z.number(),
    value: z.string().nullable(),
    /** Ids of events dated at or after this instant outlive the purge. */
    keepIdsSince: z.number().optional(),
  }),
);
export type Cursor = ReturnType<typeof storedCursor.read>;

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

/** The highest numbers of an event and of a notification, stored before a purge: no number is given out twice. */
export const storedLast = storedJson(z.object({ event: z.number(), notification: z.number() }));
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
export const storedUnsettled = storedJson(
  z.object({ below: z.number(), except: z.array(z.number()) }),
);
export type Unsettled = ReturnType<typeof storedUnsettled.read>;
