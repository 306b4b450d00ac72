import * as z from "zod";
import { storedJson } from "../values/stored-json";
import type { Wake } from "./event";
import { pollMessage } from "./poll-message";

/** The JSON values in a stream's `meta` table. */

/** The source's cursor: `value` is text of the source's own, `version` is counted up by each commit that moves it. */
export const storedCursor = storedJson(
  z.object({
    version: z.number(),
    value: z.string().nullable(),
    /** Ids of events dated at or after this instant outlive the purge. */
    keepIdsSince: z.number().optional(),
  }),
);
export type Cursor = ReturnType<typeof storedCursor.read>;

/** The poll that the stream has to ask for. Release 0.1.0 kept its message as JSON text. */
export const storedWake = storedJson<Wake>(
  z.object({
    at: z.number(),
    message: z.preprocess(
      (message): unknown => (typeof message === "string" ? JSON.parse(message) : message),
      pollMessage,
    ),
  }),
);

/** The highest numbers that events and notifications ever had, written down before the rows with them are deleted. */
export const storedLast = storedJson(z.object({ event: z.number(), notification: z.number() }));
export type Last = ReturnType<typeof storedLast.read>;

/**
 * How far a `resume` is: the destination whose parked notifications become due, at most how many bundles more
 * (null: all), and the bundle to go on from.
 */
export const storedResume = storedJson(
  z.object({ destinationId: z.string(), most: z.number().nullable(), from: z.number() }),
);
export type Resume = ReturnType<typeof storedResume.read>;
