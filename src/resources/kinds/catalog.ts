import * as z from "zod";
import { anything, fields, icon } from "./field";
import type { Kind } from "./kind";

/** Kinds of the group `catalog` (reference `resource-api.md` §8). */

const state = z.enum(["draft", "active", "deprecated", "archived"]);
const autoRelease = fields({ releaseType: z.string().min(1) });

const asset: Kind = {
  group: "catalog",
  kind: "Asset",
  plural: "assets",
  singular: "asset",
  shortNames: [],
  scopes: [],
  unscoped: true,
  spec: fields({
    type: z.string().min(1),
    description: z.string().optional(),
    categories: z.array(z.string()).optional(),
    autoRelease: autoRelease.optional(),
  }),
  subResources: {
    access: anything,
    icon,
    latestrelease: anything,
    references: anything,
    state,
    status: anything,
  },
  references: [],
  queryParams: ["spec.type", "state"],
};

const product: Kind = {
  group: "catalog",
  kind: "Product",
  plural: "products",
  singular: "product",
  shortNames: [],
  scopes: [],
  unscoped: true,
  spec: fields({
    description: z.string().optional(),
    supportContact: z.string().optional(),
    categories: z.array(z.string()).optional(),
    assets: z.array(fields({ name: z.string().min(1), filters: anything.optional() })).optional(),
    autoRelease: autoRelease.optional(),
    terms: anything.optional(),
    overviewDocument: anything.optional(),
  }),
  subResources: {
    icon,
    latestrelease: anything,
    references: anything,
    state,
    status: anything,
  },
  references: [],
  queryParams: ["state"],
};

export const catalog: readonly Kind[] = [asset, product];
