import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { app } from "../../src/app";
import { FIRST, MINE } from "../organization";

const authorization = `Bearer ${FIRST.apiKey}`;

/** A door of each surface, whoever asks there, and where its answer says what is wrong. */
const DOORS: [path: string, headers: Record<string, string>, told: (body: any) => string][] = [
  ["/v1/stats", { authorization }, (body) => body.error.message],
  ["/elements/api-v2/instances", { authorization: MINE }, (body) => body.message],
  ["/apis/management/v1alpha1/environments", { authorization }, (body) => body.errors[0].detail],
  ["/flows", { authorization: "Bearer nobody" }, (body) => body.message],
];
const PAGES = ["/console", "/console/sign-in", "/portal"];

async function ask(path: string, bindings: object, headers: Record<string, string> = {}) {
  const response = await app.request(path, { headers }, bindings as Env);
  return { status: response.status, text: await response.text() };
}

const without = (name: string, value?: unknown) => ({ ...env, [name]: value });

describe("a Worker that lacks something answers 503 at every door, with its name and how to set it", () => {
  it.each([
    ["DB", undefined, "[[d1_databases]]"],
    ["EVENT_STREAMS", undefined, "[[durable_objects.bindings]]"],
    ["ENDPOINTS", undefined, "[[durable_objects.bindings]]"],
    ["VENDOR_BUDGETS", undefined, "[[durable_objects.bindings]]"],
    ["DIRECTORY", undefined, "[[durable_objects.bindings]]"],
    ["POLLS", undefined, "[[queues.producers]]"],
    ["POLLS_SLOW", undefined, "[[queues.producers]]"],
    ["TICKS", undefined, "[[queues.producers]]"],
    ["DELIVERIES", undefined, "[[queues.producers]]"],
    ["DELIVERIES_SLOW", undefined, "[[queues.producers]]"],
    ["MASTER_KEY", undefined, "npx wrangler secret put MASTER_KEY"],
    ["MASTER_KEY", "short", "Expected a base64 key of 32 bytes"],
    ["SESSION_KEY", undefined, "npx wrangler secret put SESSION_KEY"],
    ["SESSION_KEY", "short", "Expected at least 32 characters"],
    ["TRIBUTARY_PUBLIC_URL", "events.example.com", "Expected URLs"],
    ["OAUTH_APPS", "{", "OAUTH_APPS"],
    ["SIGNUP", "perhaps", "open"],
  ])("%s (%j)", async (name, value, how) => {
    const bindings = without(name, value);
    for (const [path, headers, told] of DOORS) {
      const { status, text } = await ask(path, bindings, headers);
      expect({ path, status }).toEqual({ path, status: 503 });
      expect(told(JSON.parse(text))).toContain(`${name}: `);
      expect(told(JSON.parse(text))).toContain(how);
    }
    for (const path of PAGES) {
      const { status, text } = await ask(path, bindings);
      expect({ path, status }).toEqual({ path, status: 503 });
      expect(text).toMatch(new RegExp(`^${name}: `, "m"));
    }
    expect((await ask("/health", bindings)).status).toBe(200);
  });

  it("migrations", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const bindings = without("DB", env.EMPTY);
    for (const [path, headers, told] of DOORS.filter(([path]) => path !== "/flows")) {
      const { status, text } = await ask(path, bindings, headers);
      expect({ path, status }).toEqual({ path, status: 503 });
      expect(told(JSON.parse(text))).toContain("wrangler d1 migrations apply DB");
    }
    const { status, text } = await ask("/console/invitations/some", bindings);
    expect({ status, text }).toEqual({
      status: 503,
      text: expect.stringContaining("wrangler d1 migrations apply DB"),
    });
  });

  it("all that is lacking at once", async () => {
    const bindings = { ...env, DB: undefined, MASTER_KEY: undefined, LOG_SAMPLING: "often" };
    const { text } = await ask("/v1/stats", bindings);
    for (const name of ["DB", "MASTER_KEY", "LOG_SAMPLING"]) expect(text).toContain(`${name}: `);
  });
});
