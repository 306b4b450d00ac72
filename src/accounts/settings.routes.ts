import { type Context, Hono } from "hono";
import * as z from "zod";
import { parse, readJson } from "../http/body";
import { forbidden, notFound } from "../http/refusal";
import { type AskerEnv, withSecrets } from "./asker.io";
import { watchOrganization } from "./watch-organization.io";
import { changeSettings, readSettings } from "./organization.store";
import { numericId } from "../values/whole-number";

/** `…/accounts/settings`: what happens to notifications that fail (reference connector-events-api.md §8). */
const settings = z.object({
  "notification.webhook.failure.policy": z.enum(["retry", "queue"]).optional(),
  "notification.webhook.retry.profile": z.enum(["default", "long"]).optional(),
});

const SETTINGS_BYTES = 64 * 1024;

export const accountSettingsRoutes = new Hono<AskerEnv>()
  .use("/accounts/settings", withSecrets)
  .use("/accounts/:id/settings", withSecrets)
  .get("/accounts/settings", async (c) =>
    c.json(shown(await readSettings(c.env.DB, c.var.asker.organizationId))),
  )
  .patch("/accounts/settings", async (c) => {
    return c.json(await change(c));
  })
  .on(["POST", "PATCH"], "/accounts/:id/settings", async (c) => {
    const id = numericId(c.req.param("id"));
    if (id === undefined) throw notFound(`No account with id '${c.req.param("id")}'`);
    if (id !== c.var.asker.organizationId) throw forbidden();
    return c.json(await change(c));
  });

async function change(c: Context<AskerEnv>): Promise<Record<string, string>> {
  const { organizationId } = c.var.asker;
  const changes = parse(settings, await readJson(c, SETTINGS_BYTES));
  await watchOrganization(c);
  return shown(await changeSettings(c.env.DB, organizationId, given(changes)));
}

type Settings = Awaited<ReturnType<typeof readSettings>>;

function given(changes: z.infer<typeof settings>): Settings {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function shown(all: Settings): Record<string, string> {
  return {
    "notification.webhook.failure.policy": all["notification.webhook.failure.policy"] ?? "retry",
    "notification.webhook.retry.profile": all["notification.webhook.retry.profile"] ?? "default",
  };
}
