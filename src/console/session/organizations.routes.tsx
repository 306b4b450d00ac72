import { Hono } from "hono";
import { switchOrganization } from "../../accounts/members/sessions.store";
import { organizationsOf } from "../../accounts/members/store";
import { notFound } from "../../http/refusal";
import { OrganizationsPage } from "./organizations";
import { leave } from "./routes";
import type { SignedInEnv } from "./session.io";

/** The organizations that a member belongs to, and which of them this browser looks at. */
export const ownOrganizationRoutes = new Hono<SignedInEnv>()
  .get("/organizations", async (c) => {
    const { member } = c.var;
    const organizations = await organizationsOf(c.env.DB, member.id);
    return c.render(
      <OrganizationsPage
        organizations={organizations}
        current={member.organizationId}
        now={Date.now()}
      />,
      { title: "Organizations", here: "organizations" },
    );
  })
  .post("/organizations/:id/switch", async (c) => {
    const { member, sessionId } = c.var;
    const text = c.req.param("id");
    const chosen = (await organizationsOf(c.env.DB, member.id)).find(
      ({ id }) => String(id) === text,
    );
    const session = { id: sessionId, memberId: member.id };
    const isSwitched =
      chosen !== undefined && (await switchOrganization(c.env.DB, session, chosen.id, Date.now()));
    if (!isSwitched)
      throw notFound("You belong to no such organization, or have to sign in to it by password");
    return leave(c, "/console", { tone: "good", text: `This is ${chosen.name} now.` });
  });
