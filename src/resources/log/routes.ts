import { Hono } from "hono";
import { type AskerEnv, withToken } from "../../accounts/asker.io";
import { invalid, notFound, Refusal } from "../../http/refusal";
import { itemLink } from "../address";
import { kindNamed, versions } from "../kinds/registry";
import { pageOf } from "../list";
import { readResource } from "../store";
import { logEntry, positionOf } from "./entry";
import { readBounds, readLog } from "./store";

const TOPIC = "/management/:version/watchtopics/:name";

/** `GET /events/management/{version}/watchtopics/{name}` (reference resource-api.md §11). */
export const logRoutes = new Hono<AskerEnv>()
  .get(TOPIC, withToken, async (c) => {
    const version = versions.find((served) => served === c.req.param("version"));
    if (version === undefined) throw notFound(`Unknown version '${c.req.param("version")}'`);
    const { organizationId } = c.var.asker;
    const key = { kind: kindNamed("WatchTopic"), scope: null, name: c.req.param("name") };
    const topic = await readResource(c.env.DB, organizationId, key);
    if (topic === undefined) throw notFound(`Resource ${key.name} not found in group management`);
    const query = c.req.query();
    const { page, pageSize } = pageOf(query);
    const position = positionOf(query["query"], query["sort"]);
    if (!position.ok) throw invalid(position.message, position.field);
    const { first, last, made } = await readBounds(c.env.DB, topic);
    const after = Math.max(position.after ?? 0, made);
    if (position.after !== undefined && after < first - 1)
      throw new Refusal({
        kind: "gone",
        message: `Changes after ${position.after} are no longer kept`,
        headers: { "X-Axway-Max-Sequence-Id": String(last) },
      });
    const changes = await readLog(c.env.DB, topic, {
      after,
      direction: position.direction,
      limit: pageSize,
      offset: (page - 1) * pageSize,
    });
    const link = itemLink(topic.kind, version, null, topic.name);
    return c.json(changes.map((change) => logEntry(change, topic, link)));
  })
  .all(TOPIC, (c) => {
    const allow = "GET";
    const message = `${c.req.method} is not allowed here. Supported: [${allow}]`;
    throw new Refusal({ kind: "method", message, allow });
  })
  .all("*", (c) => {
    throw notFound(`Unknown path '${c.req.path}'`);
  });
