import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { commandOf, type Example, EXAMPLES } from "../../src/console/examples";
import { callV1, stubOutside } from "../elements/build";
import { memberOf, type Own, ownOrganization } from "../organization";
import { type Browser, createAccounts, signIn } from "./build";

const ORIGIN = "https://tributary.example";
const all = Object.entries<Example>(EXAMPLES);

let own: Own;
let owner: Browser;
let viewer: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  const [email, password] = [`viewer@${crypto.randomUUID()}.example`, "password-of-a-viewer"];
  await env.DB.batch([...memberOf(own.id, { email, password, role: "viewer" })]);
  owner = await signIn(own.email, own.password);
  viewer = await signIn(email, password);
});

const escaped = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");

const send = (path: string, authorization: string, body: unknown): Promise<Response> =>
  exports.default.fetch(`${ORIGIN}${path}`, {
    headers: { authorization, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });

describe("the examples of empty lists", () => {
  it.each<[string, Example]>([
    ["", EXAMPLES.instance],
    ["/instances", EXAMPLES.instance],
    ["/destinations", EXAMPLES.destination],
    ["/connectors", EXAMPLES.connector],
    ["/connectors/sandbox", EXAMPLES.instance],
    ["/events", EXAMPLES.event],
    ["/event-types?whose=own", EXAMPLES.eventType],
    ["/tenants", EXAMPLES.tenant],
    ["/apps", EXAMPLES.appUser],
    ["/resources", EXAMPLES.environment],
    ["/settings/usage", EXAMPLES.event],
    ["/settings/keys", EXAMPLES.usage],
  ])("stand on /console%s with this deployment's address", async (page, { path, demo }) => {
    const { html } = await owner.get(`/console${page}`);
    expect(html).toContain(escaped(`'${ORIGIN}${path}'`));
    const seen = await viewer.get(`/console${page}`);
    if (demo === undefined) return;
    expect(html).toContain(`>${demo.label}</button>`);
    expect(seen.html).toContain(escaped(`'${ORIGIN}${path}'`));
    expect(seen.html).not.toContain(`>${demo.label}</button>`);
  });

  it("are done by one click, which makes what the command makes", async () => {
    for (const [name, { demo }] of all) {
      if (demo === undefined) continue;
      const form = { organization: String(own.id), ...demo.fields };
      const { status, location } = await owner.post(demo.to, form);
      expect({ name, status }).toEqual({ name, status: 303 });
      expect((await owner.get(location ?? "")).status).toBe(200);
      expect((await viewer.post(demo.to, form)).status).toBe(403);
    }
    expect((await owner.get("/console/events")).html).toContain("invoice.paid");
  });

  it("are taken by the surfaces they are sent to", async () => {
    stubOutside(() => Response.json({}));
    const { authorization } = await ownOrganization();
    const scopes = ["read", "write"];
    const { body } = await callV1("POST", "/keys", authorization, { name: "All", scopes });
    const key = `Bearer ${body.key}`;
    const proofs = { key, secrets: authorization, "app user": "" };
    const answers: Record<string, string> = {};
    for (const [name, { path, as, body: sent }] of all) {
      const answer = await send(path, proofs[as], sent);
      const text = await answer.text();
      answers[name] = answer.ok ? "taken" : text;
      if (path === EXAMPLES.appUser.path) proofs["app user"] = `Bearer ${JSON.parse(text).token}`;
    }
    expect(answers).toEqual(Object.fromEntries(all.map(([name]) => [name, "taken"])));
  });

  it("are commands of a shell, with words in the place of what is secret", () =>
    expect(commandOf(EXAMPLES.usage, ORIGIN)).toBe(
      `curl -X 'GET' '${ORIGIN}/v1/usage' \\\n  -H 'Authorization: Bearer <api key>'`,
    ));
});
