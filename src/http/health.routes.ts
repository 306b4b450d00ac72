import { Hono } from "hono";
import { readConfig } from "../config";
import { lacksOf } from "./required.io";
import { readiness } from "./readiness";

/** Whether the Worker is alive, and whether it is ready; both answer without a key, and without sound settings. */
export const healthRoutes = new Hono<{ Bindings: Env }>()
  .get("/health", (c) => c.json({ status: "ok" }))
  .get("/readyz", (c) => {
    const state = readiness(lacksOf(c.env), () => readConfig(c.env).publicUrl);
    return c.json(state, state.status === "failed" ? 503 : 200);
  });
