import { env } from "cloudflare:workers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { app } from "../../src/app";
import { NO_PUBLIC_URL } from "../../src/http/readiness";

const ready = async (bindings: object) => {
  const response = await app.request("/readyz", {}, bindings as Env);
  return { status: response.status, body: await response.json() };
};

describe("GET /readyz", () => {
  it("is ok for a deployment that knows its own address", async () => {
    expect(await ready({ ...env, TRIBUTARY_PUBLIC_URL: "https://events.example.com" })).toEqual({
      status: 200,
      body: { status: "ok", parts: { settings: { status: "ok" }, publicUrl: { status: "ok" } } },
    });
  });

  it.each([["", undefined]])("says what does not work without an address (%j)", async (url) => {
    expect(await ready({ ...env, TRIBUTARY_PUBLIC_URL: url })).toMatchObject({
      status: 200,
      body: { status: "degraded", parts: { publicUrl: { reason: NO_PUBLIC_URL } } },
    });
  });

  it.each([
    ["MASTER_KEY", undefined],
    ["SESSION_KEY", "short"],
    ["TRIBUTARY_PUBLIC_URL", "events.example.com"],
    ["LOG_SAMPLING", "2"],
    ["LOG_SAMPLING", "often"],
  ])("is 503 and names %s when it is %j, while the Worker is alive", async (name, value) => {
    const bindings = { ...env, [name]: value };
    expect(await ready(bindings)).toMatchObject({
      status: 503,
      body: { status: "failed", parts: { [name]: { reason: expect.stringContaining("xpected") } } },
    });
    expect((await app.request("/health", {}, bindings)).status).toBe(200);
  });
});

describe("the log of requests", () => {
  const lines = async (sampling: string | undefined, path: string) => {
    const log = vi.spyOn(console, "info").mockImplementation(() => undefined);
    onTestFinished(() => log.mockRestore());
    await app.request(path, {}, { ...env, LOG_SAMPLING: sampling } as Env);
    return log.mock.calls.map(([line]) => JSON.parse(String(line)));
  };

  it.each([undefined, "0"])("has no line where the share is %j", async (sampling) => {
    expect(await lines(sampling, "/v1/stats")).toEqual([]);
  });

  it("has a line of each request where the share is 1, by route, without what a path may hold", async () => {
    const [line, ...others] = await lines("1", "/v1/deliveries/secret-of-a-path");
    expect(others).toEqual([]);
    expect(line).toMatchObject({ at: "request", method: "GET", status: 401 });
    expect(JSON.stringify(line)).not.toContain("secret-of-a-path");
  });
});
