import { Hono } from "hono";
import { findTenant } from "../accounts/tenants/known.store";
import { readConfig } from "../config";
import { notFound, Refusal } from "../http/refusal";
import { described } from "../http/route-description";
import { payloadBucket, payloadKey } from "../stream/payloads.io";
import { streamName } from "../stream/stream-name";
import { numericId } from "../values/whole-number";
import { opens, tenantOf } from "./payload";
import { publishedSource } from "./publication";

const unknown = () => notFound("No such payload");

/** What is published and too large for a callback, for whoever has the URL that a callback named (reference v1-api.md). */
export const payloadRoutes = new Hono<{ Bindings: Env }>().get(
  "/payloads/:organization/:tenant/:name",
  described("An event's data, by the signed URL of a callback: as it was published", {
    tag: "publish",
    query: { expires: "as in the URL", signature: "as in the URL" },
    answer: { amount: 42 },
  }),
  async (c) => {
    const organizationId = numericId(c.req.param("organization"));
    const tenant = tenantOf(c.req.param("tenant"));
    if (organizationId === undefined) throw unknown();
    const path = { organizationId, tenant, name: c.req.param("name") };
    const { expires = "", signature = "" } = c.req.query();
    const { sessionKey } = readConfig(c.env);
    const opening = opens(path, { expires, signature }, sessionKey, Date.now());
    if (opening === "no") throw unknown();
    if (opening === "expired")
      throw new Refusal({ kind: "gone", message: "The URL has expired", headers: {} });
    if (tenant !== null && (await findTenant(c.env.DB, organizationId, tenant)) === undefined)
      throw unknown();
    const stream = streamName({ organizationId, source: publishedSource(tenant) });
    const found = await payloadBucket(c.env)?.get(payloadKey(stream, path.name));
    if (found === undefined || found === null) throw unknown();
    return c.body(found.body, 200, {
      "Content-Type": found.httpMetadata?.contentType ?? "application/octet-stream",
      "Content-Length": String(found.size),
      "Content-Disposition": "attachment",
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    });
  },
);
