import type { Scope } from "../scope";

/** What a member may do: owners also manage members, keys and the organization. */
export type Role = "owner" | "editor" | "viewer";

/** From who may do least to who may do most. */
export const ROLES = ["viewer", "editor", "owner"] as const satisfies readonly Role[];

const SCOPES: Record<Role, readonly Scope[]> = {
  owner: ["read", "write", "admin"],
  editor: ["read", "write"],
  viewer: ["read"],
};

/** A role, in the words of keys. */
export const scopesOf = (role: Role): readonly Scope[] => SCOPES[role];
