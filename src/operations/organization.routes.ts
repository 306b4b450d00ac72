import { Hono } from "hono";
import { type AskerEnv, withKey } from "../accounts/asker.io";
import { readOrganization } from "../accounts/organization.store";
import { parse, readJson } from "../http/body";
import { described } from "../http/route-description";
import { organizationChange, organizationView, saveOrganization } from "./organization.io";

const ORGANIZATION = {
  id: "1",
  name: "Acme",
  retentionDays: 7,
  auditDays: 400,
  operationsCallback: null,
  portal: { name: null, logo: null, accent: "#5b3df5", scheme: null },
};

/** The organization itself; its operational events go to `operationsCallback` (reference v1-api.md). */
export const organizationRoutes = new Hono<AskerEnv>()
  .use("/organization", withKey("admin"))
  .get(
    "/organization",
    described("The organization", { tag: "operations", answer: ORGANIZATION }),
    async (c) =>
      c.json(
        organizationView(
          c.var.asker.organizationId,
          await readOrganization(c.env.DB, c.var.asker.organizationId),
        ),
      ),
  )
  .patch(
    "/organization",
    described("Change the organization", {
      tag: "operations",
      body: organizationChange,
      bodyExample: { retentionDays: 14 },
      answer: ORGANIZATION,
    }),
    async (c) => {
      const changes = parse(organizationChange, await readJson(c, 64 * 1024));
      return c.json(await saveOrganization(c, changes));
    },
  );
