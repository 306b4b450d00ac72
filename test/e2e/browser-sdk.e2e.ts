import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openChromium, openPage } from "./browser.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

/** Pages of another origin, whose policy allows nothing but the deployment, load the SDK from it and call it. */

/** As the documentation of the original prints them. */
const SNIPPET = `appmixer.api.sendAppEvent('contact-created', {
    email: 'david@example.com',
    fname: 'David',
    lname: 'Doe'
});`;
const CURL = `curl -XPOST \\
           -H 'Content-Type: application/json' \\
           -H "Authorization: Bearer VIRTUAL_USER_ACCESS_TOKEN" \\
           -d '{ "email": "david@example.com", "fname": "David", "lname": "Doe" }' \\
           "https://APPMIXER_TENANT_API_URL/plugins/appmixer/utils/appevents/events/contact-created"`;
const CONTACT = { email: "david@example.com", fname: "David", lname: "Doe" };

let stack: Platform;
let browser: Browser;
let server: Server;
/** What the page beside the script says. */
let own = "";

beforeAll(async () => {
  stack = await sharedStack();
  browser = await openChromium();
  server = createServer((_, response) => {
    const policy = `default-src 'none'; script-src 'nonce-own' ${stack.baseUrl}; connect-src ${stack.baseUrl}; img-src data:`;
    response.writeHead(200, { "content-type": "text/html", "content-security-policy": policy });
    response.end(`<!doctype html><link rel="icon" href="data:,"><title>App</title>
      <script src="${stack.baseUrl}/appmixer/appmixer.js"></script>${own}`);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
});
afterAll(async () => {
  await browser.close();
  server.closeAllConnections();
  server.close();
});

/** A page that loads the script alone, and runs `script` of its own. */
async function open(script: string, kind = "text/javascript") {
  own = `<script type="${kind}" nonce="own">${script}</script>`;
  const opened = await openPage(browser);
  await opened.page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  return opened;
}

async function newUser(): Promise<string> {
  const username = `${randomUUID()}@todo.example`;
  const response = await fetch(`${stack.baseUrl}/user`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username, password: "a password of theirs" }),
  });
  const { token } = (await response.json()) as { token: string };
  return token;
}

async function eventsOf(token: string): Promise<unknown[]> {
  const get = async (path: string): Promise<any> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(stack.baseUrl + path, { headers })).json();
  };
  const { items } = await get("/app-events");
  return Promise.all(
    items.map(async ({ eventId }: any) => (await get(`/app-events/${eventId}`)).data),
  );
}

describe("the snippets of the original's documentation", () => {
  it("send their event from a page, and from a shell", async () => {
    const token = await newUser();
    const { page, faults } = await open(`
      const appmixer = new Appmixer({ baseUrl: "${stack.baseUrl}" });
      appmixer.set("accessToken", "${token}");
      ${SNIPPET}`);
    await expect.poll(() => eventsOf(token)).toEqual([CONTACT]);
    const command = CURL.replace("VIRTUAL_USER_ACCESS_TOKEN", token).replace(
      "https://APPMIXER_TENANT_API_URL",
      stack.baseUrl,
    );
    execFileSync("sh", ["-c", command], { stdio: "ignore" });
    expect(await eventsOf(token)).toEqual([CONTACT, CONTACT]);
    expect(faults).toEqual([]);
    await page.close();
  });

  it("are sent with the module as well", async () => {
    const token = await newUser();
    const { page, faults } = await open(
      `import { createClient } from "${stack.baseUrl}/sdk.js";
      const appmixer = createClient({ baseUrl: "${stack.baseUrl}", accessToken: "${token}" });
      ${SNIPPET}`,
      "module",
    );
    await expect.poll(() => eventsOf(token)).toEqual([CONTACT]);
    expect(faults).toEqual([]);
    await page.close();
  });
});

/** Each method: how it is called, in this order, and what comes of it. What a call leaves in a variable the next ones use. */
const CALLS: [method: string, code: string, outcome: unknown][] = [
  ["signupUser", "signed = await api.signupUser(name, 'of theirs')", { token: expect.any(String) }],
  [
    "authenticateUser",
    "signed = await api.authenticateUser(name, 'of theirs')",
    { token: expect.any(String), user: {} },
  ],
  ["set", "api.set('accessToken', signed.token)", undefined],
  ["get", "api.get('accessToken') === signed.token", true],
  ["getUser", "await api.getUser()", { scope: ["user"] }],
  [
    "createFlow",
    "flowId = await api.createFlow('Greets', flow, { customFields: { team: 'a' } })",
    expect.any(String),
  ],
  [
    "getFlow",
    "await api.getFlow(flowId)",
    { name: "Greets", stage: "stopped", customFields: { team: "a" } },
  ],
  ["getFlows", "await api.getFlows({ filter: 'customFields.team:a' })", [{ name: "Greets" }]],
  ["getFlowsCount", "await api.getFlowsCount({ pattern: 'Gree' })", 1],
  [
    "updateFlow",
    "await api.updateFlow(flowId, { name: 'Waves', templateId: 'x' })",
    { result: "updated" },
  ],
  ["getApps", "await api.getApps()", { "appmixer.utils": { label: "Utilities" } }],
  ["getAppComponents", "(await api.getAppComponents('appmixer.utils')).length", 7],
  ["getComponents", "(await api.getComponents()).includes('appmixer.utils.http.Get')", true],
  [
    "getModifiers",
    "await api.getModifiers()",
    { modifiers: { g_jsonPath: { label: "Json path", arguments: [{ name: "path" }] } } },
  ],
  [
    "getFlowComponents",
    "(await api.getFlowComponents(flowId)).map(({ label }) => label)",
    ["On App Event", "HTTP GET"],
  ],
  [
    "getVariables",
    "await api.getVariables(flowId, { useCache: false, flow: false, components: false })",
    {
      components: {
        G: { links: { in: { T: { out: { variables: { dynamic: [{ label: "Data" }] } } } } } },
      },
    },
  ],
  ["startFlow", "await api.startFlow(flowId)", { flowId: expect.any(String) }],
  [
    "sendAppEvent",
    "await api.sendAppEvent('hello', { to: 'you' })",
    { triggers: [{ event: "hello" }], errors: [] },
  ],
  [
    "getLogs",
    "logged = await soon(() => api.getLogs({ flowId }), ({ hits }) => hits.length > 0)",
    { hits: expect.any(Array) },
  ],
  [
    "getLog",
    "await api.getLog(logged.hits[0]._id, logged.hits[0]._index)",
    { componentType: "appmixer.utils.http.Get" },
  ],
  ["stopFlow", "await api.stopFlow(flowId)", { flowId: expect.any(String) }],
  [
    "cloneFlow",
    "cloneId = await api.cloneFlow(flowId, { connectAccounts: false })",
    expect.any(String),
  ],
  ["deleteFlow", "await api.deleteFlow(cloneId)", { flowId: expect.any(String) }],
  ["on", "api.on('error', heard = (error) => { heard.status = error.response.status })", undefined],
  ["off", "await api.getFlow(cloneId).catch(() => 0), api.off('error', heard), heard.status", 404],
];

const SETUP = `
  api = new Appmixer({ baseUrl: "BASE" }).api;
  name = crypto.randomUUID() + "@todo.example";
  flow = {
    T: { type: "appmixer.utils.appevents.OnAppEvent", source: {}, config: { properties: { event: "hello" } } },
    G: { type: "appmixer.utils.http.Get", source: { in: { T: ["out"] } }, config: { transform: { in: { T: { out: {
      type: "json2new", lambda: { url: location.href } } } } } } },
  };
  soon = async (ask, isThere) => {
    for (let tries = 1; ; tries += 1) {
      const answer = await ask();
      if (isThere(answer) || tries === 100) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };`;

const isPlain = (value: unknown): boolean =>
  Object.getPrototypeOf(value ?? "") === Object.prototype;

/** Rows of the table of methods in the reference: method → what it says of it. */
function documented(): Map<string, string> {
  const file = join(import.meta.dirname, "../../.github/reference/app-events-api.md");
  const rows = readFileSync(file, "utf8").matchAll(/^\| (`[^|]+) \| ([^|]+) \|$/gm);
  const methods = [...rows].flatMap(([, names = "", says = ""]) =>
    [...names.matchAll(/`api\.(\w+)/g)].map(([, method = ""]) => [method, says.trim()] as const),
  );
  return new Map(methods);
}

describe("the methods of the original's SDK", () => {
  const run = (page: Page, code: string) => page.evaluate(`(async () => (${code}))()`);

  it("work where the reference says so, and are absent where it says that they are missing", async () => {
    const { page, faults } = await open(SETUP.replace("BASE", stack.baseUrl));
    for (const [method, code, outcome] of CALLS) {
      const found = await run(page, code).catch((error: unknown) => String(error));
      if (Array.isArray(outcome) || isPlain(outcome))
        expect({ [method]: found }).toMatchObject({ [method]: outcome });
      else expect({ [method]: found }).toEqual({ [method]: outcome });
    }
    const table = documented();
    const called = CALLS.map(([method]) => method).toSorted();
    const working = [...table].filter(([, says]) => says === "works").map(([method]) => method);
    expect(working.toSorted()).toEqual(called);
    expect(await run(page, "Object.keys(api).sort()")).toEqual(called);
    const missing = [...table.values()].filter((says) => says !== "works");
    expect(missing.every((says) => /^missing: \w/.test(says))).toBe(true);
    expect(faults).toEqual([]);
    await page.close();
  });

  it("tell the status of a refusal as the original's errors do", async () => {
    const { page } = await open(SETUP.replace("BASE", stack.baseUrl));
    const code = "api.authenticateUser(name, 'x').catch(({ response }) => response.status)";
    expect(await run(page, code)).toBe(403);
    const signedUp = "api.set('accessToken', (await api.signupUser(name, 'of theirs')).token)";
    await run(page, signedUp);
    const unknown = "api.getAppComponents('none').catch(({ response }) => response.data.message)";
    expect(await run(page, unknown)).toBe("No app 'none'");
    expect(
      await run(
        page,
        `String(await Promise.resolve().then(() => new Appmixer().ui).catch(String))`,
      ),
    ).toContain("Widgets are not offered");
    await page.close();
  });
});
