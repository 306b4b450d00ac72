import { type Context, Hono } from "hono";
import { keyring } from "../../db/sealed";
import { readConfig } from "../../config";
import { listApps } from "../../hub/applications/apps.store";
import {
  appConnector,
  appConnectors,
  appInput,
  appView,
  consentAddress,
  dropApp,
  putApp,
} from "../../hub/applications/edit.io";
import { MASK } from "../../values/secret-name";
import { formOf, leave } from "../session/routes";
import type { ConsoleEnv } from "../session/session.io";
import { COPY } from "../style";
import { ApplicationsPage, type TypedApp } from "./apps";
import { type Faults, faultOf, faultsOf } from "./faults";
import { onlyOwners } from "./routes";

/** The field in which each member is typed. */
const FIELDS = { key: "key", secret: "secret", callbackUrl: "callbackUrl" };
const THERE = "/console/settings/oauth-apps";

/** The organization's OAuth applications, for owners. */
export const applicationPages = new Hono<ConsoleEnv>()
  .use("/settings/oauth-apps", onlyOwners)
  .use("/settings/oauth-apps/*", onlyOwners)
  .get("/settings/oauth-apps", (c) => show(c, undefined))
  .post("/settings/oauth-apps/:connector", async (c) => {
    const connector = appConnector(c.req.param("connector"));
    const form = await formOf(c);
    const text = (name: string): string => (form.get(name) ?? "").trim();
    const hasOne = (await appsOf(c)).has(connector.key);
    const secret = text("secret") === "" && hasOne ? MASK : text("secret");
    const typed = { key: text("key"), secret, callbackUrl: text("callbackUrl") };
    const refused = (faults: Faults) => show(c, { connector: connector.key, typed, faults });
    const input = appInput.safeParse(typed);
    if (!input.success) return refused(faultsOf(input.error, FIELDS));
    try {
      await putApp(c, connector, input.data);
    } catch (error) {
      return refused(faultOf(error, FIELDS));
    }
    const name = `The application of ${connector.name}`;
    return leave(c, THERE, { tone: "good", text: `${name} is saved: accounts consent to it now.` });
  })
  .post("/settings/oauth-apps/:connector/remove", async (c) => {
    const connector = appConnector(c.req.param("connector"));
    await formOf(c);
    await dropApp(c, connector);
    const text = `The application of ${connector.name} is removed.`;
    return leave(c, THERE, { tone: "good", text });
  });

async function appsOf(c: Context<ConsoleEnv>) {
  const ring = keyring(readConfig(c.env).masterKeys);
  const apps = await listApps(c.env.DB, ring, c.var.asker.organizationId);
  return new Map(apps.map((app) => [app.connector, appView(app)]));
}

async function show(c: Context<ConsoleEnv>, wrong: TypedApp | undefined): Promise<Response> {
  if (wrong !== undefined) c.status(400);
  return c.render(
    <ApplicationsPage
      connectors={appConnectors()}
      apps={await appsOf(c)}
      back={consentAddress(c)}
      wrong={wrong}
      organizationId={c.var.asker.organizationId}
      now={Date.now()}
    />,
    { title: "OAuth applications", here: "settings", script: COPY },
  );
}
