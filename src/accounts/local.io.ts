import { createMiddleware } from "hono/factory";
import { readConfig } from "../config";
import { parse } from "../http/body";
import { firstOrganization } from "./bootstrap.routes";
import { bootstrap } from "./bootstrap.store";

let begun: Promise<unknown> | undefined;

/** Gives a local stack its first organization, and has its clock tick, before its first request is answered. */
export const beginLocally = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  const { localAccount } = readConfig(c.env);
  if (localAccount !== undefined) {
    begun ??= begin(c.env, localAccount).catch((error: unknown) => {
      begun = undefined;
      throw error;
    });
    await begun;
  }
  await next();
});

async function begin({ DB, LOCAL_CLOCK }: Env, account: string): Promise<void> {
  const first = parse(firstOrganization, { organizationName: "Local", ...JSON.parse(account) });
  await bootstrap(DB, first, { at: Date.now(), address: null, requestId: "local" });
  await LOCAL_CLOCK.getByName("clock").start();
}
