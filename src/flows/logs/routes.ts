import { type Context, Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../../accounts/users/routes";
import {
  instanceSource,
  parseNotificationId,
  parseStreamName,
  streamName,
} from "../../stream/stream-name";
import { parse, readTypedJson } from "../../http/body";
import { whole } from "../../http/paging";
import { invalid, notFound } from "../../http/refusal";
import { stringOf } from "../modifiers/argument";
import { userSource } from "../ids";
import { readOwnFlow, readUserFlows } from "../store";
import { hitsOf, INDEX } from "./hits";
import { readFlowStreams } from "./store";
import { countBy, type Hit, matches, parseQuery } from "./query";
import { readKeys } from "../../values/path";

/** As many of a stream's notifications are looked through for one request. */
const MOST_SCANNED = 2_000;
const PAGE = 200;
const BODY_BYTES = 64 * 1024;

const aggregation = z.object({
  aggs: z.union([z.string(), z.record(z.string(), z.unknown())]),
  flowId: z.string().optional(),
  query: z.string().optional(),
});

/**
 * Logs: a view over the runs (reference app-events-api.md §10). They cost nothing and are kept as long as the
 * streams keep the runs: seven days, not the thirty of the reference.
 */
export const logRoutes = new Hono<UserEnv>()
  .use("/logs/*", withUser)
  .get("/logs", async (c) => {
    const { flowId, portType, searchAfter } = c.req.query();
    const size = whole(c.req.query("size"), "size", 50, 500);
    const from = Number(c.req.query("from") ?? "0");
    if (!Number.isSafeInteger(from) || from < 0)
      throw invalid("from: Expected a whole number", "from");
    const [field, direction] = (c.req.query("sort") ?? "gridTimestamp:desc").split(":");
    if (field !== "gridTimestamp" && field !== "@timestamp")
      throw invalid(`sort: Only gridTimestamp is offered, got '${field}'`, "sort");
    const found = (await hits(c, flowId, c.req.query("query")))
      .filter((hit) => portType === undefined || hit.portType === portType)
      .toSorted((left, right) => (left.gridTimestamp < right.gridTimestamp ? 1 : -1));
    const sorted = direction === "asc" ? found.toReversed() : found;
    const after =
      searchAfter === undefined ? 0 : sorted.findIndex(({ _id }) => _id === searchAfter) + 1;
    return c.json({ buckets: [], hits: sorted.slice(after + from, after + from + size) });
  })
  .post("/logs", async (c) => {
    const asked = parse(aggregation, (await readTypedJson(c, BODY_BYTES)).value);
    const found = await hits(
      c,
      asked.flowId ?? c.req.query("flowId"),
      asked.query ?? c.req.query("query"),
    );
    return c.json({ buckets: countBy(found, fieldOf(asked.aggs)), hits: [] });
  })
  .get("/logs/:index/:id", async (c) => {
    const { index, id } = c.req.param();
    const hit = index === INDEX ? await hitOf(c, id) : undefined;
    if (hit === undefined) throw notFound(`No log entry with id '${id}'`);
    return c.json(hit);
  });

/** Every line of this user's flows that the query names, from all streams their runs lie in. */
async function hits(
  c: Context<UserEnv>,
  flowId: string | undefined,
  query: string | undefined,
): Promise<Hit[]> {
  const conditions = parseQuery(query ?? "");
  if (conditions === undefined)
    throw invalid("query: Expected field:value, joined by AND, a trailing * at most", "query");
  const { user } = c.var;
  const flows = new Map(
    (await readUserFlows(c.env.DB, user.id, flowId)).map(({ id, flow }) => [id, flow]),
  );
  const own = streamName({ organizationId: user.organizationId, source: userSource(user.id) });
  const found: Hit[] = [];
  for (const name of [own, ...(await readFlowStreams(c.env.DB, user.id, flowId))]) {
    const stream = c.env.EVENT_STREAMS.getByName(name);
    let before: number | null = null;
    for (let scanned = 0; scanned < MOST_SCANNED; scanned += PAGE) {
      const views = await stream.notifications({ before, limit: PAGE, withEvents: false });
      for (const { notification, id } of views) {
        before = notification.seq;
        const { envelope } = notification;
        if (envelope.format === "flow-step" && flows.has(envelope.flowId))
          found.push(...hitsOf(notification, id, typesOf(flows)));
      }
      if (views.length < PAGE) break;
    }
  }
  return found.filter((hit) => matches(hit, conditions));
}

/** One line of this user's flows, by its id: the step's notification, and which of its lines. */
async function hitOf(c: Context<UserEnv>, id: string): Promise<Hit | undefined> {
  const { user } = c.var;
  const address = parseNotificationId(id.replace(/\.(in|out)$/, ""));
  if (address === undefined) return undefined;
  const { organizationId } = user;
  const name =
    address.kind === "stream"
      ? address.stream
      : streamName({ organizationId, source: instanceSource(address.instanceId) });
  if (parseStreamName(name).organizationId !== organizationId) return undefined;
  const view = await c.env.EVENT_STREAMS.getByName(name).notification(address.seq);
  const envelope = view?.notification.envelope;
  if (view === null || envelope?.format !== "flow-step") return undefined;
  const flow = await readOwnFlow(c.env.DB, user.id, envelope.flowId);
  if (flow === undefined) return undefined;
  const lines = hitsOf(view.notification, view.id, typesOf(new Map([[flow.id, flow.flow]])));
  return lines.find(({ _id }) => _id === id);
}

const typesOf =
  (flows: ReadonlyMap<string, Record<string, unknown>>) =>
  (flowId: string, componentId: string): string =>
    stringOf(readKeys(flows.get(flowId), [componentId, "type"]));

/** `{"by":{"terms":{"field":"severity"}}}`, or the field alone. */
function fieldOf(aggs: string | Record<string, unknown>): string {
  if (typeof aggs === "string") return aggs;
  const [only] = Object.values(aggs);
  const field = readKeys(only, ["terms", "field"]);
  if (typeof field === "string") return field;
  throw invalid("aggs: Expected counts by one field: {name: {terms: {field}}}", "aggs");
}
