import { env } from "cloudflare:workers";

/** The route by which the first organization, which all files share, is asked to be deleted. */
export const DELETES_ITSELF = "DELETE /v1/organizations/:id";

/** Takes that back, before the job has begun. */
export async function reopen(): Promise<void> {
  await env.DB.prepare("UPDATE organizations SET deleting_at = NULL WHERE id = 1").run();
}
