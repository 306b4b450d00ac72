import type { Context } from "hono";
import type { AskerEnv } from "./asker.io";
import { readOrganization } from "./organization.store";
import { watchChange } from "./watch.io";

/** Tells the audit log that a request may change the organization. */
export async function watchOrganization(c: Context<AskerEnv>): Promise<void> {
  const { organizationId } = c.var.asker;
  const read = async () => {
    const { name, settings } = await readOrganization(c.env.DB, organizationId);
    return { name, ...settings };
  };
  const before = await read();
  watchChange(c, () => before, read);
}
