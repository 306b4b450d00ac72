import * as z from "zod";
import { passwordNeeds } from "./needs";

/** A new password. The rules don't apply to passwords that are in use already. */
export const newPassword = z.string("Expected a password").superRefine((text, context) => {
  const needs = passwordNeeds(text);
  if (needs !== undefined) context.addIssue({ code: "custom", message: `Expected ${needs}` });
});
