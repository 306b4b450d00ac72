import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { app as App } from "../../src/app";
import type { ask } from "../accounts/ask";

/** The same Worker with a memory of its own, as another isolate has. */
export async function otherIsolate(): Promise<typeof ask> {
  vi.resetModules();
  const { app }: { app: typeof App } = await import("../../src/app");
  return async (method, path, { token, body } = {}) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await app.request(path, init, env);
    return { status: response.status, body: await response.json(), headers: response.headers };
  };
}
