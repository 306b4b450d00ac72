import * as z from "zod";
import { path, template } from "./template";

/** Where a page says how many records the whole list has: in its answer, or in a header of it. */
const totals = { totalPath: path.optional(), totalHeader: z.string().optional() };

/** How the vendor cuts a list into pages. Parameters go where the request has its others. */
export const pagingSchema = z.discriminatedUnion("style", [
  z.strictObject({ style: z.literal("none") }),
  z.strictObject({
    style: z.literal("page"),
    pageParameter: z.string(),
    sizeParameter: z.string().optional(),
    first: z.number().int().default(1),
    ...totals,
  }),
  z.strictObject({
    style: z.literal("offset"),
    offsetParameter: z.string(),
    sizeParameter: z.string().optional(),
    ...totals,
  }),
  z
    .strictObject({
      style: z.literal("cursor"),
      cursorParameter: z.string(),
      cursorPath: path.optional().describe("Where the answer has the next cursor."),
      lastField: path
        .optional()
        .describe(
          "The next cursor is this field of the page's last record (Stripe's `starting_after`).",
        ),
      morePath: path
        .optional()
        .describe(
          "Where present and false, the list ends (`has_more`); else it ends when the cursor is absent.",
        ),
      sizeParameter: z.string().optional(),
      continuePath: template
        .optional()
        .describe("A continuation has an address of its own (`/list_folder/continue`)."),
      ...totals,
    })
    .refine(
      ({ cursorPath, lastField }) => (cursorPath === undefined) !== (lastField === undefined),
      "Expected either cursorPath or lastField",
    ),
  z.strictObject({
    style: z.literal("nextUrl"),
    urlPath: path,
    sizeParameter: z.string().optional(),
    ...totals,
  }),
  z.strictObject({
    style: z.literal("linkHeader"),
    sizeParameter: z.string().optional(),
    ...totals,
  }),
  /**
   * Next URLs that may expire. A scan that is continued later goes on behind the last record, by (time, id); the
   * query for that is in the resource's `language`.
   */
  z.strictObject({
    style: z.literal("keyset"),
    urlPath: path,
    timePath: path,
    idPath: path,
    sizeParameter: z.string().optional(),
    ...totals,
  }),
  /**
   * A search that ends after `most` results, however many there are. `hub/search.ts` says how the rest is found.
   */
  z.strictObject({
    style: z.literal("search"),
    cursorPath: path,
    timePath: path,
    idPath: path,
    most: z.number().int().positive(),
    sizeParameter: z.string().optional(),
    ...totals,
  }),
]);
export type Paging = z.infer<typeof pagingSchema>;
