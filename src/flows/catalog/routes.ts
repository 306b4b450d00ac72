import { Hono } from "hono";
import { type UserEnv, withUser } from "../../accounts/users/routes";
import { notFound } from "../../http/refusal";
import { readKeys } from "../../values/path";
import { visibleFlow } from "../routes";
import { APPS, MANIFESTS } from "./manifests";
import { modifierCatalog } from "./modifiers";

const manifests = [...MANIFESTS.values()];

/** What flows are made of, for editors of flows (reference app-events-api.md §6). */
export const catalogRoutes = new Hono<UserEnv>()
  .get("/apps", withUser, (c) => c.json(APPS))
  .get("/apps/components", withUser, (c) => {
    const app = c.req.query("app");
    if (app === undefined) return c.json(manifests);
    if (!Object.hasOwn(APPS, app)) throw notFound(`No app '${app}'`);
    return c.json(manifests.filter(({ name }) => name.startsWith(`${app}.`)));
  })
  .get("/components", withUser, (c) =>
    c.json(c.req.query("manifest") === "yes" ? manifests : [...MANIFESTS.keys()]),
  )
  .get("/modifiers", withUser, (c) => c.json(modifierCatalog))
  .get("/flows/:id/components", withUser, async (c) => {
    const { flow } = await visibleFlow(c.env.DB, c.var.user, c.req.param("id"));
    const types = new Set(Object.values(flow).map((component) => readKeys(component, ["type"])));
    return c.json(manifests.filter(({ name }) => types.has(name)));
  });
