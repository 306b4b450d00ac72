import * as z from "zod";

/** A variable of the environment that holds JSON text. */
export const jsonVariable = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: "custom", message: "Expected JSON" });
        return z.NEVER;
      }
    })
    .pipe(schema);
