import type { Lack } from "./required";

/** `degraded`: things that need the part do not work; `failed`: nothing does. */
type Status = "ok" | "degraded" | "failed";
export type Part = { status: Status; reason?: string };
export type Readiness = { status: Status; parts: Record<string, Part> };

/** What a Worker that does not know its own address lacks. */
export const NO_PUBLIC_URL =
  "TRIBUTARY_PUBLIC_URL is not set: no webhook is registered at vendors, the webhook URLs of flows are relative, and " +
  "calls to this deployment itself are not recognised. Set it to the URL of this Worker; `npm run deploy` does.";

/** Whether the deployment works, part by part, for `GET /readyz`: its bindings and settings, and its own address. */
export function readiness(lacks: readonly Lack[], publicUrl: () => string | undefined): Readiness {
  if (lacks.length > 0) {
    const failed = lacks.map(({ name, reason }) => [name, { status: "failed", reason }] as const);
    return { status: "failed", parts: Object.fromEntries(failed) };
  }
  const known: Part =
    publicUrl() === undefined ? { status: "degraded", reason: NO_PUBLIC_URL } : { status: "ok" };
  return { status: known.status, parts: { settings: { status: "ok" }, publicUrl: known } };
}
