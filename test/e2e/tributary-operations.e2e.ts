import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Command, commandFor } from "./command.ts";
import { sharedStack } from "./shared.ts";
import { callAs, type Local, type Platform } from "./stack.ts";

/** Tenants and destinations from files: the command line as for every other kind, in an organization of its own. */

let command: Command;
let own: Local;

beforeAll(async () => {
  command = commandFor(() => ({ url: own.baseUrl, token: own.apiKey }));
  const stack: Platform = await sharedStack();
  const { body } = await stack.call("POST", "/v1/organizations", {
    name: "Files",
    email: `${crypto.randomUUID()}@files.example`,
    password: "a-good-password",
  });
  own = { ...stack.local, ...body };
});
afterAll(() => command?.remove());

const tributary: Command["run"] = (...args) => command.run(...args);
const v1 = async (method: string, path: string, body?: unknown) =>
  (await callAs(own, method, `/v1${path}`, body)).body;

const ACME = `"Destination/billing" in the scope "Tenant/acme"`;

/** Destinations first: in an order that only works when it is changed. */
const DOCUMENTS = `
kind: Destination
name: billing
metadata: {scope: {kind: Tenant, name: acme}}
spec:
  url: https://app.example/hook?token=secret-of-the-url
  description: To billing
  eventTypes: [invoice.*]
  headers: {x-api-key: secret-of-the-header, x-team: billing}
  auth: {type: basic, username: acme, password: secret-of-the-auth}
  signature: {header: x-signature, encoding: hex, secret: secret-of-the-signature}
  rate: 5
---
kind: Destination
name: billing
spec: {url: https://app.example/all}
---
kind: Tenant
name: acme
title: Acme
spec: {metadata: {plan: pro}, retentionDays: 3}
`;

describe("tributary", () => {
  it("applies tenants and destinations, and again in silence", async () => {
    const path = command.file("all.yaml", DOCUMENTS);
    expect(await tributary(["apply", "-f", path])).toEqual({
      code: 0,
      out: "",
      err: [
        `✔ "Tenant/acme" has successfully been created.`,
        `✔ ${ACME} has successfully been created.`,
        `✔ "Destination/billing" has successfully been created.`,
        "",
      ].join("\n"),
    });
    const again = await tributary(["apply", "-f", path]);
    expect([again.code, again.err.match(/is unchanged/g)?.length]).toEqual([0, 3]);
    expect((await tributary(["diff", "-f", path])).out).toBe("");
    expect(await v1("GET", "/tenants/acme")).toMatchObject({
      name: "Acme",
      metadata: { plan: "pro" },
      retentionDays: 3,
    });
    const { items } = await v1("GET", "/destinations?name=billing&tenant=acme");
    expect(items).toMatchObject([{ tenant: "acme", eventTypes: ["invoice.*"], rate: 5 }]);
  });

  it("takes back what it shows, secrets masked, and keeps them", async () => {
    const { out } = await tributary(["get", "destinations,tenants", "-o", "yaml"]);
    expect(out).not.toContain("secret-of");
    expect(out.match(/^kind: /gm)).toHaveLength(3);
    const path = command.file("shown.yaml", out);
    const same = await tributary(["apply", "-f", path]);
    expect([same.code, same.err.match(/is unchanged/g)?.length]).toEqual([0, 3]);
    const changed = command.file("changed.yaml", out.replace("x-team: billing", "x-team: sales"));
    const diff = await tributary(["diff", "-f", changed]);
    expect(diff.out).toBe(
      `~ ${ACME}\n  - spec.headers.x-team: "billing"\n  + spec.headers.x-team: "sales"\n`,
    );
    const applied = await tributary(["apply", "-f", changed, "-o", "json"]);
    expect(applied.err).toContain(`✔ ${ACME} has successfully been updated.`);
    expect(JSON.parse(applied.out)).toHaveLength(3);
    // What is stored behind the masks is what the first file said.
    const first = DOCUMENTS.replace("x-team: billing", "x-team: sales");
    const back = await tributary(["apply", "-f", "-"], first);
    expect(back.err.match(/is unchanged/g)).toHaveLength(3);
    const other = await tributary(["apply", "-f", "-"], first.replace("of-the-header", "new"));
    expect(other.err).toContain(`✔ ${ACME} has successfully been updated.`);
  });

  it("leaves what a document doesn't say, and shows tables, one by its scope, and what a kind is", async () => {
    const some = "kind: Destination\nname: billing\nspec: {filter: 'true'}\n";
    const scoped = some.replace("spec", "metadata: {scope: {kind: Tenant, name: acme}}\nspec");
    const { err } = await tributary(["apply", "-f", "-"], scoped);
    expect(err).toContain("has successfully been updated");
    const { items } = await v1("GET", "/destinations?name=billing&tenant=acme");
    expect(items).toMatchObject([{ rate: 5, filter: "true", description: "To billing" }]);
    await v1("POST", `/destinations/${items[0].id}/disable`);
    const table = await tributary(["get", "dest"]);
    expect(table.out).toMatch(/^NAME +URL +STATE +TENANT +RESOURCE KIND\n/);
    expect(table.out).toMatch(/billing +https:.* +paused by owner +acme +Destination/);
    const one = await tributary(["get", "dest", "billing", "-s", "Tenant/acme", "-o", "json"]);
    expect(JSON.parse(one.out)).toMatchObject({ name: "billing", spec: { enabled: false } });
    expect((await tributary(["get", "dest", "nobody"])).code).toBe(1);
    const explained = await tributary(["explain", "destination"]);
    expect(explained.out).toMatch(/scope: +no scope, Tenant/);
    expect(explained.out).toContain("  url: string (required)");
  });

  it("names file, document, line and field of what is wrong, and applies the rest", async () => {
    const path = command.file(
      "wrong.yaml",
      `kind: Destination
name: lost
metadata:
  scope: {kind: Tenant, name: nobody}
spec: {url: https://app.example/x}
---
kind: Destination
name: bad
title: Bad
---
kind: Destination
name: worse
spec:
  url: ftp://no
  rate: -1
  nonsense: 1
---
kind: Destination
spec: {url: https://app.example/x}
---
kind: Destination
name: right
spec: {url: https://app.example/x}
`,
    );
    const { code, err } = await tributary(["apply", "-f", path]);
    expect(code).toBe(1);
    for (const text of [
      `✖ "Destination/lost" Validation error: No tenant 'nobody'\n  at ${path}, document 1, line 4, metadata.scope.name`,
      `A Destination has no 'title'\n  at ${path}, document 2, line 9, title`,
      `document 3, line 14, spec.url`,
      `document 3, line 15, spec.rate`,
      `document 3, line 16, spec.nonsense`,
      `Expected a name\n  at ${path}, document 4, line 18, name`,
      '✔ "Destination/right" has successfully been created.',
    ])
      expect(err).toContain(text);
    const query = await tributary(["get", "tenants", "-q", "name==acme"]);
    expect([query.code, query.err]).toEqual([1, expect.stringContaining("Expected no query")]);
  });

  it("serves a key of one tenant, in what is that tenant's", async () => {
    const asked = { name: "one", scopes: ["read", "write"], limits: { tenants: ["acme"] } };
    const TRIBUTARY_TOKEN = (await v1("POST", "/keys", asked)).key;
    const text = (scope: string) =>
      `kind: Destination\nname: own\nmetadata: {scope: {kind: Tenant, name: ${scope}}}\nspec: {url: "https://app.example/own"}\n`;
    const apply = (scope: string) =>
      tributary(["apply", "-f", "-"], text(scope), { TRIBUTARY_TOKEN });
    expect((await apply("acme")).err).toContain("has successfully been created");
    expect((await apply("acme")).err).toContain("is unchanged");
    const other = await apply("another");
    expect([other.code, other.err]).toEqual([1, expect.stringContaining("No tenant 'another'")]);
    const deleted = await tributary(["delete", "dest", "own", "-s", "Tenant/acme", "-y"]);
    expect(deleted.code).toBe(0);
  });

  it("deletes what a file has, destinations before their tenant", async () => {
    const path = command.file("gone.yaml", DOCUMENTS);
    const held = await tributary(["delete", "tenant", "acme", "-y"]);
    expect([held.code, held.err]).toEqual([1, expect.stringContaining("Conflict error")]);
    expect(await tributary(["delete", "-f", path, "--wait"])).toEqual({
      code: 0,
      out: "",
      err: [
        `✔ "Destination/billing" has successfully been deleted.`,
        `✔ ${ACME} has successfully been deleted.`,
        `✔ "Tenant/acme" has successfully been deleted.`,
        "",
      ].join("\n"),
    });
    const gone = await tributary(["delete", "dest", "billing", "-y"]);
    expect([gone.code, gone.err]).toEqual([1, expect.stringContaining("Not found error")]);
  });
});
