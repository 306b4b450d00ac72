import { Hono } from "hono";
import { type UserEnv, withUser } from "../../accounts/users/routes";
import { invalid } from "../../http/refusal";
import { readOffset, readWholeNumber } from "../../http/numbered-page";
import { hasMembers, isFiltered, parseFilter } from "./filter";
import { flowView, projected } from "../flow";
import { countFlows, listFlows, type ListRequest } from "./store";

const LIST_DEFAULT = 100;
const LIST_MOST = 1_000;
const MOST_FILTERS = 20;

/** Lists of flows (reference app-events-api.md §6). */
export const listRoutes = new Hono<UserEnv>()
  .get("/flows", withUser, async (c) => {
    const request = listRequest(c.req.queries(), c.req.query());
    const found = await listFlows(c.env.DB, c.var.user, request);
    return c.json(found.map((flow) => projected(flowView(flow), c.req.query("projection"))));
  })
  .get("/flows/count", withUser, async (c) => {
    const request = listRequest(c.req.queries(), c.req.query());
    return c.json({ count: await countFlows(c.env.DB, c.var.user, request) });
  });

function listRequest(
  queries: Record<string, string[]>,
  query: Record<string, string>,
): ListRequest {
  const filters = [...(queries["filter"] ?? []), ...(queries["filter[]"] ?? [])].map((text) => {
    const filter = parseFilter(text);
    if (filter === undefined) throw invalid(`filter: '${text}' is not key:value`, "filter");
    const { field } = filter;
    if (!isFiltered(field)) throw invalid(`filter: There is no field '${field}'`, "filter");
    if (filter.path.length > 0 && !hasMembers(field))
      throw invalid(`filter: '${field}' has no members`, "filter");
    return { ...filter, field };
  });
  if (filters.length > MOST_FILTERS)
    throw invalid(`filter: Expected at most ${MOST_FILTERS}`, "filter");
  const [field = "", direction = "1"] = (query["sort"] ?? "mtime:-1").split(":");
  if (!isFiltered(field)) throw invalid(`sort: There is no field '${field}'`, "sort");
  const permissions = (query["sharedWithPermissions"] ?? "read").split(",").map((permission) => {
    if (permission === "read" || permission === "start" || permission === "stop") return permission;
    throw invalid(
      `sharedWithPermissions: '${permission}' is not one of read, start, stop`,
      "sharedWithPermissions",
    );
  });
  return {
    permissions,
    filters,
    pattern: query["pattern"],
    sort: { field, descending: direction === "-1" || direction.toLowerCase() === "desc" },
    offset: readOffset(query["offset"], "offset"),
    limit: readWholeNumber(query["limit"], "limit", LIST_DEFAULT, LIST_MOST),
  };
}
