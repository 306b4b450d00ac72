import { Hono } from "hono";
import * as z from "zod";
import { type UserEnv, withUser } from "../../accounts/users/routes";
import { parse, readTypedJson } from "../../http/body";
import { readOffset, readWholeNumber } from "../../http/numbered-page";
import { invalid, notFound } from "../../http/refusal";
import { readKeys } from "../../values/path";
import { CALLS } from "./calls";
import { INDEX } from "./hits";
import { type Condition, countBy, parseQuery } from "./query";
import { readCall, readHit, searchHits } from "./search.io";

const BODY_BYTES = 64 * 1024;

const aggregation = z.object({
  aggs: z.union([z.string(), z.record(z.string(), z.unknown())]),
  flowId: z.string().optional(),
  query: z.string().optional(),
});

/**
 * The log of a user's flows (reference app-events-api.md §10): a view over their runs, kept as long as the streams
 * keep the runs, which is seven days and not the thirty of the reference.
 */
export const logRoutes = new Hono<UserEnv>()
  .use("/logs/*", withUser)
  .get("/logs", async (c) => {
    const { flowId, portType, searchAfter } = c.req.query();
    const size = readWholeNumber(c.req.query("size"), "size", 50, 500);
    const from = readOffset(c.req.query("from"), "from");
    const [field, direction] = (c.req.query("sort") ?? "gridTimestamp:desc").split(":");
    if (field !== "gridTimestamp" && field !== "@timestamp")
      throw invalid(`sort: Only gridTimestamp is offered, got '${field}'`, "sort");
    const found = (await searchHits(c.env, c.var.user, flowId, conditionsOf(c.req.query("query"))))
      .filter((hit) => portType === undefined || hit.portType === portType)
      .toSorted((left, right) => (left.gridTimestamp < right.gridTimestamp ? 1 : -1));
    const sorted = direction === "asc" ? found.toReversed() : found;
    const after =
      searchAfter === undefined ? 0 : sorted.findIndex(({ _id }) => _id === searchAfter) + 1;
    return c.json({ buckets: [], hits: sorted.slice(after + from, after + from + size) });
  })
  .post("/logs", async (c) => {
    const request = parse(aggregation, (await readTypedJson(c, BODY_BYTES)).value);
    const flowId = request.flowId ?? c.req.query("flowId");
    const conditions = conditionsOf(request.query ?? c.req.query("query"));
    const found = await searchHits(c.env, c.var.user, flowId, conditions);
    return c.json({ buckets: countBy(found, fieldOf(request.aggs)), hits: [] });
  })
  .get("/logs/:index/:id", async (c) => {
    const { index, id } = c.req.param();
    const read = new Map([
      [INDEX, readHit],
      [CALLS, readCall],
    ]).get(index);
    const hit = await read?.(c.env, c.var.user, id);
    if (hit === undefined) throw notFound(`No log entry with id '${id}'`);
    return c.json(hit);
  });

/** @throws Refusal when the text is no query. */
function conditionsOf(query: string | undefined): Condition[] {
  const conditions = parseQuery(query ?? "");
  if (conditions === undefined)
    throw invalid("query: Expected field:value, joined by AND, a trailing * at most", "query");
  return conditions;
}

/** `{"by":{"terms":{"field":"severity"}}}`, or the field alone. */
function fieldOf(aggs: string | Record<string, unknown>): string {
  if (typeof aggs === "string") return aggs;
  const [only] = Object.values(aggs);
  const field = readKeys(only, ["terms", "field"]);
  if (typeof field === "string") return field;
  throw invalid("aggs: Expected counts by one field: {name: {terms: {field}}}", "aggs");
}
