import * as z from "zod";
import { passwordNeeds } from "./needs";

/** A password from now on; those that are in use go on being good. */
export const newPassword = z.string("Expected a password").superRefine((text, context) => {
  const needs = passwordNeeds(text);
  if (needs !== undefined) context.addIssue({ code: "custom", message: `Expected ${needs}` });
});
