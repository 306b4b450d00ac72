import * as z from "zod";
import { invalid } from "./refusal";

/** An instant of a query parameter, in milliseconds; undefined when it is absent. @throws Refusal naming the parameter. */
export function readInstant(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === "") return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw invalid(`${name}: Expected an ISO 8601 instant, got '${text}'`, name);
  return at;
}

/** An instant of a body, read to milliseconds. */
export const instantField = z.iso
  .datetime({ offset: true, error: "Expected an ISO 8601 instant" })
  .transform((text) => Date.parse(text));
