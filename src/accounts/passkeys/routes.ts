import { Hono } from "hono";
import { described } from "../../http/route-description";
import { conflict } from "../../http/refusal";
import { type AskerEnv, withKey } from "../asker.io";
import { hasJoinedElsewhere } from "../members/password.store";
import { idOf, unknown } from "../members/routes";
import { isMemberOf } from "../members/store";
import { removePasskeys } from "./store";

/** For colleagues who lost what holds their passkeys (reference v1-api.md). */
export const passkeyRoutes = new Hono<AskerEnv>()
  .use("/members/:id/passkeys", withKey("admin"))
  .delete(
    "/members/:id/passkeys",
    described("Remove all of a member's passkeys", {
      tag: "operations",
      answer: { id: "2", removed: 1 },
    }),
    async (c) => {
      const id = idOf(c);
      const { organizationId } = c.var.asker;
      if (!(await isMemberOf(c.env.DB, organizationId, id))) throw unknown(c);
      if (await hasJoinedElsewhere(c.env.DB, organizationId, id))
        throw conflict("Members of several organizations remove their passkeys themselves");
      const removed = await removePasskeys(c.env.DB, id);
      return c.json({ id: String(id), removed: removed.length });
    },
  );
