import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { About } from "../visitors/page";
import { show as showFramed } from "../visitors/show.io";
import type { PortalEnv } from "./session.io";

const LINKS = [
  ["endpoints", "/portal", "Endpoints"],
  ["messages", "/portal/messages", "Messages"],
  ["types", "/portal/event-types", "Event types"],
  ["verify", "/portal/verify", "Verify"],
] as const;

/** A page of the portal. @param about `here`: which link of the navigation it belongs to. */
export const show = <E extends PortalEnv>(
  c: Context<E>,
  content: Child,
  { here, ...about }: Omit<About, "links"> & { here?: (typeof LINKS)[number][0] },
): Promise<Response> => {
  const links = LINKS.map(([name, path, label]) => ({ path, label, isHere: name === here }));
  return showFramed(c, content, { ...about, links }, c.var.portal);
};
