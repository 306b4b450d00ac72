import { env } from "cloudflare:workers";
import { forgetOrganization } from "../../src/accounts/known.store";
import { tellAll } from "../../src/db/directory/tell";

/** The route by which the first organization, which all files share, is asked to be deleted. */
export const DELETES_ITSELF = "DELETE /v1/organizations/:id";

/** Takes that back, before the job has begun. */
export async function reopen(): Promise<void> {
  await env.DB.prepare("UPDATE organizations SET deleting_at = NULL WHERE id = 1").run();
  await tellAll(env.DB);
  forgetOrganization(1);
}
