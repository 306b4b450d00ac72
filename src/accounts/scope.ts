/**
 * What a key or a member may do. Scopes stand side by side: `write` does not include `read`. Only `admin` includes
 * another one, `secrets`: signing secrets, keys and the audit log may be read with either.
 */
export const SCOPES = ["read", "write", "admin", "secrets"] as const;
export type Scope = (typeof SCOPES)[number];

export const holds = (scopes: readonly Scope[], needed: Scope): boolean =>
  scopes.includes(needed) || (needed === "secrets" && scopes.includes("admin"));

/**
 * What a key is limited to: sources as `/v1` names them (`instance:27`), ids of destinations, and tenants with all that is
 * theirs. Everything else of the organization looks unknown to it. Three empty lists are no limits.
 */
export type Limits = {
  sources: readonly string[];
  destinations: readonly string[];
  tenants: readonly string[];
};
