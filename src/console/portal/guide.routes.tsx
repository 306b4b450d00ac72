import { Hono } from "hono";
import { pageOfTypes } from "../../event-types/list.io";
import { EventTypeList } from "./event-types";
import { type PortalEnv, portalOf } from "./session.io";
import { show } from "./show.io";
import { VerifyPage } from "./verify/page";

const PAGE = 50;

/** What receivers have to know. */
export const guidePages = new Hono<PortalEnv>()
  .get("/event-types", async (c) => {
    const wanted = { after: c.req.query("after") ?? "", search: "", builtIn: false, limit: PAGE };
    const { organizationId } = portalOf(c);
    const { items, isMore } = await pageOfTypes(c.env.DB, organizationId, [], wanted);
    const last = isMore ? items.at(-1)?.name : undefined;
    const next =
      last === undefined ? null : `/portal/event-types?after=${encodeURIComponent(last)}`;
    return show(c, <EventTypeList types={items} next={next} />, {
      title: "Event types",
      here: "types",
    });
  })
  .get("/verify", async (c) =>
    show(c, <VerifyPage />, { title: "Verify messages", here: "verify" }),
  );
