import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../../src/app";
import { MOST_CALLS } from "../../src/flows/webhooks.routes";
import { foundation, newUser } from "../accounts/ask";
import { TABLE } from "../accounts/routes-by-role";
import { Things } from "../accounts/things";
import { WORLD } from "../accounts/world";

/** What strangers send, from an address that the platform says did too much: each surface says so in its own words. */

const full: RateLimit = { limit: async () => ({ success: false }) };
const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };

type Sent = { headers?: Record<string, string>; body?: string; bindings?: object };

async function send(line: string, { headers = {}, body, bindings = {} }: Sent) {
  const [method = "", path = ""] = line.split(" ");
  const from = { "cf-connecting-ip": "198.51.100.9", origin: "http://localhost", ...headers };
  const init = { method, headers: from, ...(body === undefined ? {} : { body }) };
  const response = await app.request(path, init, { ...env, ...bindings } as never, context);
  return {
    status: response.status,
    retryAfter: Number(response.headers.get("retry-after")),
    text: await response.text(),
  };
}

const FORMATS: [surface: RegExp, says: (text: string) => boolean][] = [
  [
    /^\/elements/,
    (text) => Object.keys(JSON.parse(text)).toSorted().join() === "message,requestId",
  ],
  [/^\/v1/, (text) => JSON.parse(text).error.code === "limited"],
  [/^\/(apis|events|api|realms)/, (text) => JSON.parse(text).errors[0].status === 429],
  [/^\/(console|portal|connect)/, (text) => text.toLowerCase().startsWith("<!doctype html>")],
  [/^\//, (text) => JSON.parse(text).error === "Too Many Requests"],
];
const isInFormat = (path: string, text: string): boolean =>
  FORMATS.find(([surface]) => surface.test(path))?.[1](text) === true;

/** Paths outside every surface, for which nothing is looked up. */
const CHEAP = new Set(["GET /", "GET /health", "GET /readyz", "GET /docs", "GET /openapi.json"]);

const lines = Object.entries(TABLE)
  .flatMap(([line, audience]) => (typeof audience === "string" ? line : Object.keys(audience)))
  .map((line) => line.replace(/^ALL/, "GET").replaceAll(/:\w+(\{[^}]*\})?|\*/g, "1"))
  .filter((line) => !CHEAP.has(line) && !line.startsWith("HEAD"));

/** Nobody, and somebody with bad credentials of each kind. (A forged session's cookie is told by its signature.) */
const STRANGERS: Record<string, string>[] = [
  {},
  { authorization: "Bearer no-key" },
  { authorization: "User no, Organization no" },
];

beforeAll(foundation);

describe("from an address that was refused too often", () => {
  it.each(lines)("%s tells strangers when to come back, or lets them in", async (line) => {
    const path = line.split(" ")[1] ?? "";
    const body = /^(GET|DELETE)/.test(line) ? undefined : "{}";
    for (const stranger of STRANGERS) {
      const headers = { "content-type": "application/json", ...stranger };
      const bindings = { FAILURES: full, SIGN_UPS: full, FLOW_CALLS: full };
      const answer = await send(line, { headers, bindings, ...(body && { body }) });
      if (answer.status < 400) continue;
      expect({ ...answer, isFormat: isInFormat(path, answer.text) }).toMatchObject({
        status: 429,
        retryAfter: 60,
        isFormat: true,
      });
    }
  });
});

/** The doors at which somebody asks to be let in, each with what a stranger sends there. */
const DOORS: [door: string, line: string, sent: Sent][] = [
  ["sign-in of users", "POST /user/auth", { body: '{"username":"nobody","password":"x"}' }],
  ["sign-in of members", "POST /console/sign-in", { body: "email=nobody&password=x" }],
  [
    "sign-up",
    "POST /user",
    { body: '{"username":"stranger","password":"a-good-password"}', bindings: { SIGNUP: "open" } },
  ],
  ["sign-up where it is closed", "POST /user", { bindings: { SIGNUP: "closed" } }],
  ["bootstrap", "POST /v1/bootstrap", { headers: { authorization: "Bearer no-bootstrap-key" } }],
  ["webhooks of tenants that nobody is", "POST /elements/api-v2/events/sfdc", { body: "<a/>" }],
  ["webhooks of instances", "POST /elements/api-v2/events/sfdc/MQ==", { body: "<a/>" }],
  ["webhooks of flows", "POST /flows/f/components/W", { body: "{}" }],
  ["keys of /v1", "GET /v1/keys", { headers: { authorization: "Bearer no-key" } }],
  ["keys of /apis", "GET /apis/management/v1/secrets", { headers: { authorization: "Bearer x" } }],
  [
    "the log",
    "GET /events/management/v1/watchtopics/w",
    { headers: { authorization: "Bearer x" } },
  ],
  ["invitations", "GET /console/invitations/forged", {}],
];

describe("a stranger at the door", () => {
  it.each(DOORS)("of %s is counted by the platform, and told when to come back", async (...row) => {
    const [, line, { bindings, ...sent }] = row;
    const counted: string[] = [];
    const counting = (name: string): RateLimit => ({
      limit: async ({ key }) => {
        counted.push(`${name} ${key.split(" ")[0]}`);
        return { success: false };
      },
    });
    const limits = Object.fromEntries(
      ["FAILURES", "SIGN_UPS", "FLOW_CALLS"].map((name) => [name, counting(name)]),
    );
    const type = line.includes("/console") ? "x-www-form-urlencoded" : "json";
    const headers = { "content-type": `application/${type}`, ...sent.headers };
    const answer = await send(line, { ...sent, headers, bindings: { ...bindings, ...limits } });
    expect(answer).toMatchObject({ status: 429, retryAfter: 60 });
    expect(isInFormat(line.split(" ")[1] ?? "", answer.text)).toBe(true);
    expect(new Set(counted.map((line) => line.split(" ")[1]))).toEqual(new Set(["198.51.100.9"]));
  });

  it("of webhooks of flows is counted in the isolate where the platform doesn't", async () => {
    const id = await new Things(await newUser(), WORLD).webhookFlow();
    const line = `POST /flows/${id}/components/T`;
    const bindings = { FLOW_CALLS: undefined, FAILURES: undefined };
    // Too large a body is refused before the database is asked, and counts as a call.
    const large = { "cf-connecting-ip": "198.51.100.10", "content-length": "9999999" };
    let calls = 0;
    for (; calls <= 2 * MOST_CALLS; calls += 1)
      if ((await send(line, { headers: large, body: "x", bindings })).text.includes("calls of"))
        break;
    expect(calls).toBeGreaterThanOrEqual(MOST_CALLS);
    expect((await send(line, { bindings })).status).toBe(202);
  });
});
