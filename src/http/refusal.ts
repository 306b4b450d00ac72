/** Why a request is turned down; each surface maps it to its own status and body. */
export type Reason =
  | {
      kind: "invalid";
      message: string;
      field?: string | undefined;
      /** Everything that is wrong, for the surfaces that list it all (`apis`, `v1`). */
      violations?: readonly Violation[];
      /** More about it, for the surface that has a place for that (`app`). */
      details?: unknown;
    }
  /** An event's data is not what its type says. */
  | { kind: "schema-mismatch"; message: string; field: string; violations: readonly Violation[] }
  | { kind: "unauthenticated"; message: string }
  | { kind: "forbidden"; message: string }
  | { kind: "not-found"; message: string }
  | { kind: "conflict"; message: string; field?: string | undefined }
  /** An idempotency key that was used before, for another request. */
  | { kind: "key-reused"; message: string }
  | { kind: "too-large"; message: string }
  | { kind: "not-json"; message: string }
  | { kind: "limited"; message: string; retryAfterSeconds: number }
  | { kind: "vendor"; message: string; status: number; providerMessage: string }
  | { kind: "precondition"; message: string; field?: string | undefined }
  | { kind: "method"; message: string; allow: string }
  | { kind: "gone"; message: string; headers: Record<string, string> }
  | { kind: "unavailable"; message: string };

/** One thing that is wrong: why, the dotted path of the field, and further facts for the client. */
export type Violation = { message: string; field: string; meta?: Record<string, string> };

/**
 * A request that cannot be granted, on its way to the surface's error map. Thrown at the edges only
 * (parsing, authentication, look-ups in routes); rules return tagged unions.
 */
export class Refusal extends Error {
  readonly reason: Reason;
  constructor(reason: Reason) {
    super(reason.message);
    this.name = "Refusal";
    this.reason = reason;
  }
}

export const invalid = (message: string, field?: string): Refusal =>
  new Refusal({ kind: "invalid", message, field });
export const notFound = (message: string): Refusal => new Refusal({ kind: "not-found", message });
export const forbidden = (message = "Access denied"): Refusal =>
  new Refusal({ kind: "forbidden", message });
export const unauthenticated = (message: string): Refusal =>
  new Refusal({ kind: "unauthenticated", message });
export const conflict = (message: string, field?: string): Refusal =>
  new Refusal({ kind: "conflict", message, field });
export const limited = (message: string, retryAfterSeconds: number): Refusal =>
  new Refusal({ kind: "limited", message, retryAfterSeconds });
