import { Hono } from "hono";
import * as z from "zod";
import { readConfig } from "../config";
import { parse, readJson } from "../http/body";
import { conflict, notFound, unauthenticated } from "../http/refusal";
import type { RequestIdEnv } from "../http/surface";
import { parseAuthorization } from "./authorization";
import { bootstrap } from "./bootstrap.store";
import { newPassword } from "./passwords/field";
import { equalSecrets } from "./secret";

export const firstOrganization = z.strictObject({
  organizationName: z.string().min(1),
  organizationSecret: z.string().min(16),
  userSecret: z.string().min(16),
  apiKey: z.string().min(16),
  email: z.string().min(3),
  password: newPassword,
});

/** `POST /v1/bootstrap`: makes the first organization, once, for whoever deployed this. */
export const bootstrapRoutes = new Hono<{ Bindings: Env } & RequestIdEnv>().post(
  "/bootstrap",
  async (c) => {
    const { bootstrapKey } = readConfig(c.env);
    const credentials = parseAuthorization(c.req.header("authorization"));
    if (bootstrapKey === undefined) throw notFound("Not found");
    if (credentials.kind !== "bearer" || !equalSecrets(credentials.token, bootstrapKey))
      throw unauthenticated("Invalid bootstrap key");
    const made = await bootstrap(c.env.DB, parse(firstOrganization, await readJson(c, 10_000)), {
      at: Date.now(),
      address: c.req.header("cf-connecting-ip") ?? null,
      requestId: c.get("requestId"),
    });
    if (made === undefined) throw conflict("This deployment has an organization already");
    return c.json({ organizationId: String(made.organizationId), userId: String(made.userId) });
  },
);
