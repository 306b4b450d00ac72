import type * as z from "zod";
import { Refusal } from "../../http/refusal";

/** What is wrong with a form, by the name of the field; `""`: with none of them. */
export type Faults = Readonly<Record<string, string>>;

/** All faults that a schema finds, each at the field that a member of the input is typed in. */
export function faultsOf(error: z.ZodError, fields: Readonly<Record<string, string>>): Faults {
  const faults = error.issues.map(({ path, message }): [string, string] => [
    fields[String(path[0] ?? "")] ?? "",
    message,
  ]);
  // Of several faults of a field the first is told.
  return Object.fromEntries(faults.toReversed());
}

/** The fault that a refusal names. @throws whatever else it is. */
export function faultOf(error: unknown, fields: Readonly<Record<string, string>>): Faults {
  if (!(error instanceof Refusal) || error.reason.kind !== "invalid") throw error;
  const { field = "" } = error.reason;
  return { [fields[field.split(".")[0] ?? ""] ?? ""]: error.message };
}
