import { Hono } from "hono";
import { described } from "../../http/route-description";
import { conflict } from "../../http/refusal";
import { type AskerEnv, withKey } from "../asker.io";
import { idOf, unknown } from "../members/routes";
import { hasJoinedElsewhere } from "../members/password.store";
import { isMemberOf } from "../members/store";
import { removeTotp } from "./store";

/** For colleagues who lost their authenticator app and their recovery codes (reference v1-api.md). */
export const twoStepRoutes = new Hono<AskerEnv>()
  .use("/members/:id/two-step", withKey("admin"))
  .delete(
    "/members/:id/two-step",
    described("Ask a member for no code any more, until they set up an app again", {
      tag: "operations",
      answer: { id: "2", twoStep: false },
    }),
    async (c) => {
      const id = idOf(c);
      if (!(await isMemberOf(c.env.DB, c.var.asker.organizationId, id))) throw unknown(c);
      if (await hasJoinedElsewhere(c.env.DB, c.var.asker.organizationId, id))
        throw conflict("Members of several organizations take their app off themselves");
      await removeTotp(c.env.DB, id);
      return c.json({ id: String(id), twoStep: false });
    },
  );
