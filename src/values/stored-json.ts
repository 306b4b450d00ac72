import * as z from "zod";
import { digitsAlong } from "./digits";
import { parseStored } from "./json";
import { isObject } from "./record";

/** Makes the next version of a shape out of the one before. */
type Step = (before: unknown) => unknown;

/** How a shape is read from its text, and written to it. */
export type StoredJson<T> = { read(text: string): T; write(value: T): string };

/**
 * JSON text that outlives the deployment that wrote it: in a row, an object's storage, or a message that waits.
 * Each shape has one schema. The member `v` of a text tells its version; without one it is version 1, what
 * release 0.1.0 wrote. A shape that changes gets a step from the version before, and its texts that version's
 * number: `storedJson(wake, (before) => …)` reads versions 1 and 2, and writes 2.
 * @throws from `read` on a text of a later version, and on what is not of its shape.
 */
export function storedJson<T>(schema: z.ZodType<T>, ...steps: readonly Step[]): StoredJson<T> {
  const version = steps.length + 1;
  return {
    read(text) {
      const value = parseStored(text);
      const from = versionOf(value);
      if (from > version) throw new Error(`Version ${from} of a text is later than ${version}`);
      const current = steps.slice(from - 1).reduce((before, step) => step(before), value);
      return digitsAlong(current, schema.parse(current));
    },
    write: (value) => JSON.stringify(version === 1 ? value : { ...value, v: version }),
  };
}

/** A part of a shape whose members are not ours: an object is taken as it is, not copied, and not looked into. */
export const membersOf = <T>() => z.custom<Record<string, T>>(isObject);

/** The version of what was read from a text. */
export function versionOf(value: unknown): number {
  return isObject(value) && typeof value["v"] === "number" ? value["v"] : 1;
}
