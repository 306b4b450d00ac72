import type * as z from "zod";

export type Group = "management" | "catalog";
export type ScopeKind = "Environment" | "Integration";

/** A spec property that names another resource of the same scope. */
export type ReferenceRule = {
  /** Where in the spec the name stands. */
  path: readonly string[];
  kind: string;
  /** `hard`: deleted with its target; `soft`: the name is emptied when the target is deleted. */
  type: "hard" | "soft";
};

/** The definition of a kind: routes, validation, RSQL, discovery and schemas derive from it. */
export type Kind = {
  group: Group;
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  /** Kinds of resources that may hold it. */
  scopes: readonly ScopeKind[];
  /** Whether it may stand outside of any scope. */
  unscoped: boolean;
  spec: z.ZodType<Record<string, unknown>>;
  /** Declared subresources; `x-…` is free on every kind. */
  subResources: Readonly<Record<string, z.ZodType>>;
  /** Subresources that one has from the start. */
  initial: Readonly<Record<string, unknown>>;
  references: readonly ReferenceRule[];
  /** RSQL properties beyond those of every kind, with where they stand: `spec.type`, `state`. */
  queryParams: readonly string[];
  /** Values of `spec.data` are sealed at rest and masked on read. */
  secret?: true;
};

/** Fills in a kind's defaults: none of what it does not mention; without scopes it is unscoped. */
export const kindOf = (
  own: Pick<Kind, "group" | "kind" | "plural" | "spec"> & Partial<Kind>,
): Kind => ({
  singular: own.kind.toLowerCase(),
  shortNames: [],
  scopes: [],
  unscoped: own.scopes === undefined,
  subResources: {},
  initial: {},
  references: [],
  queryParams: [],
  ...own,
});
