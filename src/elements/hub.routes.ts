import { type Context, Hono, type MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import { type AskerEnv, withSecrets } from "../accounts/asker.io";
import { readConfig } from "../config";
import { builtIn } from "../connectors/catalog";
import { keyring } from "../db/sealed";
import { parse, readJson } from "../http/body";
import { forbidden, invalid, notFound, Refusal, unauthenticated } from "../http/refusal";
import { countingSlots } from "../hub/budget/slots.io";
import { type Instance, whyOff } from "../instances/instance";
import { findByToken } from "../instances/store";
import {
  getRecord,
  type HubDoors,
  type HubFailure,
  type HubRecord,
  listRecords,
  ping,
  writeRecord,
} from "../hub/records.client";
import { selectFields, withoutNulls } from "../hub/field";
import { listOf } from "../hub/list";
import { hubsOf, objectMetadata, objectNames } from "../hub/objects";
import { readPageToken, writePageToken } from "../hub/page-token";
import { parseQuery } from "../hub/query";
import { findResource } from "../hub/request";

export type HubEnv = AskerEnv & { Variables: { instance: Instance } };

/** The instance of the Element token, disabled or not. */
export const withInstance: MiddlewareHandler<HubEnv> = createMiddleware<HubEnv>(async (c, next) => {
  const { asker, elementToken } = c.var;
  if (elementToken === undefined)
    throw unauthenticated("Expected an 'Element' token in the Authorization header");
  const ring = keyring(readConfig(c.env).masterKeys);
  const instance = await findByToken(c.env.DB, ring, asker.organizationId, elementToken);
  if (instance === undefined) throw unauthenticated("Invalid Element token");
  c.set("instance", instance);
  c.set("subject", String(instance.id));
  c.header("Elements-Element-Instance-Id", String(instance.id));
  await next();
});

const whileEnabled: MiddlewareHandler<HubEnv> = createMiddleware<HubEnv>(async (c, next) => {
  const why = whyOff(c.var.instance);
  if (why !== undefined) throw forbidden(why);
  await next();
});

/** Without an Element token a short form is a 404, like an unknown path. */
const withToken: MiddlewareHandler<HubEnv> = createMiddleware<HubEnv>(async (c, next) => {
  if (c.var.elementToken === undefined) throw notFound(`No such path '${c.req.path}'`);
  await next();
});

/** A write without an Element token is a 404, like an unknown path. */
const whoNamesAnInstance: MiddlewareHandler<HubEnv> = createMiddleware<HubEnv>(async (c, next) => {
  const names = /(^|,)\s*element\s/i.test(c.req.header("authorization") ?? "");
  if (c.req.method !== "GET" && !names) throw notFound(`No such path '${c.req.path}'`);
  await next();
});

/** What stands below `/hubs/{hub}`; the hub itself is ignored (reference connector-events-api.md §7). */
const hub = new Hono<HubEnv>()
  .get("/ping", withInstance, whileEnabled, async (c) => {
    const answer = await ping(c.var.instance, doorsOf(c));
    if (answer.kind !== "answered") throw refusalOf(answer);
    return c.json({ dateTime: new Date().toISOString(), endpoint: c.var.instance.connector.key });
  })
  .get("/objects", withInstance, (c) => c.json(objectNames(c.var.instance.connector)))
  .get("/objects/:name/metadata", withInstance, whileEnabled, (c) => {
    const found = findResource(c.var.instance.connector, c.req.param("name"));
    if (found === undefined) throw notFound(`No object '${c.req.param("name")}'`);
    return c.json(objectMetadata(found.name, found.resource));
  })
  .get("/:resource", withInstance, whileEnabled, (c) => read(c, [c.req.param("resource")]))
  .get("/:resource/:id", withInstance, whileEnabled, (c) =>
    read(c, [c.req.param("resource"), c.req.param("id")]),
  )
  .get("/:path{.+}", withInstance, whileEnabled, (c) => read(c, c.req.param("path").split("/")))
  .post("/:path{.+}", withInstance, whileEnabled, (c) => create(c, c.req.param("path")))
  .on(["PATCH", "PUT"], "/:path{.+}", withInstance, whileEnabled, (c) =>
    change(c, "update", c.req.param("path")),
  )
  .delete("/:path{.+}", withInstance, whileEnabled, (c) =>
    change(c, "delete", c.req.param("path")),
  );

/** The hubs API (reference connector-events-api.md §7). */
export const hubRoutes = new Hono<HubEnv>()
  .get("/hubs", (c) => c.json(hubsOf(builtIn)))
  .use("/hubs/:hub/*", withSecrets)
  .route("/hubs/:hub", hub);

/**
 * `/accounts` for `/hubs/any/accounts`. Mounted last, because it takes every path; what is no resource is a 404.
 */
export const shortHubRoutes = new Hono<HubEnv>()
  .use("/*", whoNamesAnInstance, withSecrets, withToken)
  .route("/", hub);

/** A list when the whole path names a resource, else the record that its last part names. */
async function read(c: Context<HubEnv>, path: readonly string[]): Promise<Response> {
  const { connector } = c.var.instance;
  const [whole, above] = [path.join("/"), path.slice(0, -1).join("/")];
  if (findResource(connector, whole) !== undefined) return list(c, whole);
  if (findResource(connector, above) !== undefined) return one(c, above, path.at(-1) ?? "");
  throw notFound(`Connector '${connector.key}' has no resource '${whole}'`);
}

async function list(c: Context<HubEnv>, resource: string): Promise<Response> {
  const { id, organizationId } = c.var.instance;
  const scope = { organizationId, instanceId: id, resource };
  const key = readConfig(c.env).sessionKey;
  const parsed = parseQuery(c.req.query(), (token) => readPageToken(token, scope, key));
  if (!parsed.ok) throw invalid(parsed.message, parsed.field);
  const page = await listRecords(c.var.instance, resource, parsed.query, doorsOf(c));
  if (page.kind !== "page") throw refusalOf(page);
  c.header("Elements-Returned-Count", String(page.records.length));
  if (page.total !== undefined) c.header("Elements-Total-Count", String(page.total));
  if (page.next !== null)
    c.header("Elements-Next-Page-Token", writePageToken(page.next, scope, key));
  return c.json(shaped(c, page.records));
}

async function one(c: Context<HubEnv>, resource: string, id: string): Promise<Response> {
  const found = await getRecord(c.var.instance, resource, id, doorsOf(c));
  if (found.kind !== "record") throw refusalOf(found);
  const fields = listOf(c.req.query("fields"));
  return c.json(shaped(c, fields.length === 0 ? found.record : selectFields(found.record, fields)));
}

async function create(c: Context<HubEnv>, resource: string): Promise<Response> {
  const { connector } = c.var.instance;
  if (findResource(connector, resource) === undefined)
    throw notFound(`Connector '${connector.key}' has no resource '${resource}'`);
  const body = parse(recordBody, await readJson(c, BODY_BYTES));
  return written(
    c,
    await writeRecord(c.var.instance, resource, { kind: "create", body }, doorsOf(c)),
  );
}

async function change(
  c: Context<HubEnv>,
  kind: "update" | "delete",
  path: string,
): Promise<Response> {
  const { connector } = c.var.instance;
  const slash = path.lastIndexOf("/");
  const [resource, id] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
  if (findResource(connector, resource) === undefined)
    throw notFound(`Connector '${connector.key}' has no resource '${resource}'`);
  const write =
    kind === "delete"
      ? { kind, id }
      : { kind, id, body: parse(recordBody, await readJson(c, BODY_BYTES)) };
  return written(c, await writeRecord(c.var.instance, resource, write, doorsOf(c)));
}

/** Every success is a 200, empty when the vendor's answer is (reference connector-events-api.md §2). */
function written(c: Context<HubEnv>, answer: HubRecord): Response {
  if (answer.kind !== "record") throw refusalOf(answer);
  return answer.record === null ? c.body(null, 200) : c.json(shaped(c, answer.record));
}

const BODY_BYTES = 8 * 1024 * 1024;
const recordBody = z.record(z.string(), z.unknown(), "Expected a JSON object");

/** Null members are left out unless `filter.response.nulls` is false. */
function shaped(c: Context<HubEnv>, value: unknown): object {
  const keepsNulls =
    c.var.instance.configuration["filter.response.nulls"]?.toLowerCase() === "false";
  return (keepsNulls ? value : withoutNulls(value)) as object;
}

function doorsOf(c: Context<HubEnv>): HubDoors {
  const slots = countingSlots(c.var.instance, c.env.VENDOR_BUDGETS);
  return { db: c.env.DB, config: readConfig(c.env), streams: c.env.EVENT_STREAMS, slots };
}

function refusalOf(failure: HubFailure): Refusal {
  switch (failure.kind) {
    case "bad-request":
      return invalid(failure.message);
    case "vendor-error": {
      const { status, message, providerMessage } = failure;
      return new Refusal({ kind: "vendor", status, message, providerMessage });
    }
    case "crowded": {
      const retryAfterSeconds = Math.max(1, Math.ceil((failure.until - Date.now()) / 1000));
      return new Refusal({ kind: "limited", message: failure.message, retryAfterSeconds });
    }
    case "unreachable":
    case "unauthorized": {
      const { message } = failure;
      return new Refusal({ kind: "vendor", status: 502, message, providerMessage: message });
    }
  }
}
