import { type Env as AnyEnv, Hono, type Schema } from "hono";
import { generateSpecs, type GenerateSpecOptions } from "hono-openapi";
import { docsPage } from "./docs-page";
import { sdkRoutes } from "./sdk.routes";

const KEY = {
  type: "http",
  scheme: "bearer",
  description:
    "An API key. Scopes: `read` to look, `write` to change, `admin` for keys, members and the organization; signing secrets, keys and the audit log are read with `secrets` or `admin`. A key with `limits` reaches some sources, destinations or tenants alone.",
} as const;

const documentation: GenerateSpecOptions["documentation"] = {
  info: {
    title: "Tributary",
    version: "1",
    description: "Operations API: deliveries, streams, destinations, keys, usage.",
  },
  components: { securitySchemes: { key: KEY } },
  security: [{ key: [] }],
};

/** What clients are made of: `/openapi.json`, from the descriptions on the routes of `v1`, `/docs`, which shows it, and the SDK. */
export const openApiRoutes = <E extends AnyEnv, S extends Schema, P extends string>(
  v1: Hono<E, S, P>,
): Hono =>
  new Hono()
    .route("/", sdkRoutes)
    .get("/openapi.json", async (c) =>
      c.json(await generateSpecs(new Hono().route("/v1", v1), { documentation })),
    )
    .get("/docs", (c) => c.html(docsPage()));
