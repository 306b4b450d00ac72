import * as z from "zod";

/** Building blocks of specs: unknown keys are refused everywhere. */

export const fields = z.strictObject;
export const texts = z.record(z.string(), z.string());
/** `{}` in the reference: whatever comes. */
export const anything = z.unknown();
/** Subresources of these names that take whatever comes. */
export const free = (...names: readonly string[]): Record<string, z.ZodType> =>
  Object.fromEntries(names.map((name) => [name, anything]));
export const icon = fields({ contentType: z.string().optional(), data: z.string().optional() });

/** Names of resources (reference resource-api.md §5). */
export const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
export const LONGEST_NAME = 253;
export const LONGEST_TITLE = 350;

export const isName = (text: string): boolean => text.length <= LONGEST_NAME && NAME.test(text);

/** The name of a resource, or one of `also`. */
export const named = (...also: readonly string[]) =>
  z
    .string()
    .refine(
      (text) => also.includes(text) || isName(text),
      also.length === 0 ? "Name is not valid" : `Expected '${also.join("', '")}' or a valid name`,
    );
