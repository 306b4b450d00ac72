import * as z from "zod";
import { readDescriptor } from "./descriptor";

const FLOW_TYPES = [
  "automation",
  "integration-draft",
  "integration-template",
  "integration-instance",
  "integration-test",
  "integration-instance-draft",
] as const;

const text = (most: number): z.ZodString => z.string().max(most);
const share = z
  .object({
    email: text(256).optional(),
    domain: text(256).optional(),
    scope: text(256).optional(),
    permissions: z.array(z.enum(["read", "start", "stop"])),
  })
  .refine(
    ({ email, domain, scope }) =>
      email !== undefined || domain !== undefined || scope !== undefined,
    "Expected email, domain or scope",
  );

/** The fields of a flow that its owner may set; others are ignored (reference app-events-api.md §6). */
export const flowFields = z.object({
  name: text(512).optional(),
  description: text(10_000).nullish(),
  flow: z
    .record(z.string(), z.unknown())
    .optional()
    .superRefine((flow, context) => {
      const read = flow === undefined ? undefined : readDescriptor(flow);
      if (read === undefined || read.ok) return;
      for (const { componentId, field, message } of read.faults)
        context.addIssue({
          code: "custom",
          path: [...(componentId === null ? [] : [componentId]), ...(field === "" ? [] : [field])],
          message,
        });
    }),
  type: z.enum(FLOW_TYPES).optional(),
  customFields: z.record(z.string(), z.unknown()).nullish(),
  thumbnail: text(1_000_000).nullish(),
  wizard: z.unknown().optional(),
  sharedWith: z.array(share).max(100).nullish(),
});

/** The columns that the given fields set; absent fields stay as they are. */
export function columnsOf(fields: z.infer<typeof flowFields>): Columns {
  const { name, flow, type, description, customFields, thumbnail, wizard, sharedWith } = fields;
  return {
    ...(name === undefined ? {} : { name }),
    ...(flow === undefined ? {} : { flow }),
    ...(type === undefined ? {} : { type }),
    ...(description === undefined ? {} : { description: description ?? "" }),
    ...(customFields === undefined ? {} : { customFields: customFields ?? {} }),
    ...(thumbnail === undefined ? {} : { thumbnail }),
    ...(wizard === undefined ? {} : { wizard }),
    ...(sharedWith === undefined ? {} : { sharedWith: sharedWith ?? [] }),
  };
}

export type Columns = {
  name?: string;
  flow?: Record<string, unknown>;
  type?: string;
  description?: string;
  customFields?: Record<string, unknown>;
  thumbnail?: string | null;
  wizard?: unknown;
  sharedWith?: z.infer<typeof share>[];
};
