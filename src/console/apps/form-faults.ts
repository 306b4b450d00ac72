import * as z from "zod";
import { Refusal } from "../../http/refusal";
import type { FormFault } from "../form";

const details = z.array(
  z.object({ componentId: z.string().nullable(), field: z.string(), message: z.string() }),
);

/** What a refusal says of a form, each thing with its place; undefined for what is no matter of the form. */
export function faultsOfRefusal(error: unknown): FormFault[] | undefined {
  if (!(error instanceof Refusal)) return undefined;
  const { reason } = error;
  if (reason.kind === "too-large" || reason.kind === "conflict" || reason.kind === "precondition")
    return [{ place: "", message: reason.message }];
  if (reason.kind !== "invalid") return undefined;
  if (reason.violations !== undefined)
    return reason.violations.map(({ field, message }) => ({ place: field, message }));
  const told = details.safeParse(reason.details);
  return told.success && told.data.length > 0
    ? told.data.map(({ componentId, field, message }) => ({
        place: [componentId ?? "", field].filter((part) => part !== "").join(" · "),
        message,
      }))
    : [{ place: reason.field ?? "", message: reason.message }];
}

/** All that a schema finds wrong. */
export const faultsOfIssues = (issues: readonly z.core.$ZodIssue[]): FormFault[] =>
  issues.map(({ path, message }) => ({
    place: path
      .slice(path[0] === "flow" ? 1 : 0)
      .map(String)
      .join(" · "),
    message,
  }));
