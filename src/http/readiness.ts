import type { Config } from "../config";

/** `degraded`: things that need the part do not work; `failed`: nothing does. */
type Status = "ok" | "degraded" | "failed";
export type Part = { status: Status; reason?: string };
export type Readiness = { status: Status; parts: Record<string, Part> };

/** What a Worker that does not know its own address lacks. */
export const NO_PUBLIC_URL =
  "TRIBUTARY_PUBLIC_URL is not set: no webhook is registered at vendors, the webhook URLs of flows are relative, and " +
  "calls to this deployment itself are not recognised. Set it to the URL of this Worker; `npm run deploy` does.";

/** Whether the deployment works, part by part, for `GET /readyz`: its settings, and the address that it is told. */
export function readiness(settings: () => Pick<Config, "publicUrl">): Readiness {
  try {
    const { publicUrl } = settings();
    const known: Part =
      publicUrl === undefined ? { status: "degraded", reason: NO_PUBLIC_URL } : { status: "ok" };
    return { status: known.status, parts: { settings: { status: "ok" }, publicUrl: known } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: "failed", parts: { settings: { status: "failed", reason } } };
  }
}
