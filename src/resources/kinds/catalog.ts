import * as z from "zod";
import { anything, fields, free, icon } from "./field";
import { type Kind, kindOf } from "./kind";

/** Kinds of the group `catalog` (reference resource-api.md §8). */

const state = z.enum(["draft", "active", "deprecated", "archived"]);
/** How releases are made by themselves, and what becomes of those before. */
const autoRelease = {
  releaseType: z.string().min(1),
  requiresInitialActivation: z.boolean().optional(),
  previousReleases: fields({ updateState: z.string().optional() }).optional(),
};

const asset = kindOf({
  group: "catalog",
  kind: "Asset",
  plural: "assets",
  spec: fields({
    type: z.string().min(1),
    description: z.string().optional(),
    categories: z.array(z.string()).optional(),
    autoRelease: fields(autoRelease).optional(),
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
    autoRelease: fields({
      ...autoRelease,
      description: z.string().optional(),
      releaseVersionProperties: fields({
        label: z.string().optional(),
        description: z.string().optional(),
      }).optional(),
    }).optional(),
    terms: anything.optional(),
    overviewDocument: anything.optional(),
  }),
  subResources: { ...free("latestrelease", "references", "status"), icon, state },
  queryParams: ["state"],
});

export const catalog: readonly Kind[] = [asset, product];
