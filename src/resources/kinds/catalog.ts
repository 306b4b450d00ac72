import * as z from "zod";
import { anything, fields, free, icon } from "./field";
import { type Kind, kindOf } from "./kind";

/** Kinds of the group `catalog` (reference resource-api.md §8). */

const state = z.enum(["draft", "active", "deprecated", "archived"]);
const autoRelease = fields({ releaseType: z.string().min(1) });

const asset = kindOf({
  group: "catalog",
  kind: "Asset",
  plural: "assets",
  spec: fields({
    type: z.string().min(1),
    description: z.string().optional(),
    categories: z.array(z.string()).optional(),
    autoRelease: autoRelease.optional(),
  }),
  subResources: { ...free("access", "latestrelease", "references", "status"), icon, state },
  queryParams: ["spec.type", "state"],
});

const product = kindOf({
  group: "catalog",
  kind: "Product",
  plural: "products",
  spec: fields({
    description: z.string().optional(),
    supportContact: z.string().optional(),
    categories: z.array(z.string()).optional(),
    assets: z.array(fields({ name: z.string().min(1), filters: anything.optional() })).optional(),
    autoRelease: autoRelease.optional(),
    terms: anything.optional(),
    overviewDocument: anything.optional(),
  }),
  subResources: { ...free("latestrelease", "references", "status"), icon, state },
  queryParams: ["state"],
});

export const catalog: readonly Kind[] = [asset, product];
