import { Hono } from "hono";
import { type AskerEnv, withKey } from "../../accounts/asker.io";
import { readConfig } from "../../config";
import { keyring } from "../../db/sealed";
import { parse, readJson } from "../../http/body";
import { described } from "../../http/route-description";
import { listApps } from "./apps.store";
import { appConnector, appInput, appView, dropApp, putApp } from "./edit.io";

const BODY_BYTES = 64 * 1024;
const APP = {
  connector: "box",
  key: "client-id",
  secret: "********",
  callbackUrl: "https://tributary.example/console/connected",
  updatedAt: "2026-11-21T20:00:00.000Z",
};

/** OAuth applications of an organization, which its accounts consent to (reference v1-api.md). */
export const applicationRoutes = new Hono<AskerEnv>()
  .use("/oauth-apps", withKey("admin", { look: "admin" }))
  .use("/oauth-apps/*", withKey("admin", { look: "admin" }))
  .get(
    "/oauth-apps",
    described("OAuth applications of the organization, one a connector", {
      tag: "operations",
      answer: { items: [APP], next: null },
    }),
    async (c) => {
      const ring = keyring(readConfig(c.env).masterKeys);
      const apps = await listApps(c.env.DB, ring, c.var.asker.organizationId);
      return c.json({ items: apps.map(appView), next: null });
    },
  )
  .put(
    "/oauth-apps/:connector",
    described("Set the application that accounts of a connector consent to", {
      tag: "operations",
      body: appInput,
      bodyExample: { key: "client-id", secret: "client-secret" },
      answer: APP,
    }),
    async (c) => {
      const connector = appConnector(c.req.param("connector"));
      const input = parse(appInput, await readJson(c, BODY_BYTES));
      return c.json(appView(await putApp(c, connector, input)));
    },
  )
  .delete(
    "/oauth-apps/:connector",
    described("Remove it; instances that use it keep it", {
      tag: "operations",
      answer: { connector: "box" },
    }),
    async (c) => {
      const connector = appConnector(c.req.param("connector"));
      await dropApp(c, connector);
      return c.json({ connector: connector.key });
    },
  );
