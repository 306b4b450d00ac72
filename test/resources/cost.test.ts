import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { listStatements, type Statement } from "../../src/resources/list";
import { kindNamed } from "../../src/resources/kinds/registry";
import { type Client, countQuestions, freshClient, takeCallbacks, usedBy, V1 } from "./build";

/** What lists of fifty thousand and a thousand hooks cost, in rows. */

takeCallbacks();

let client: Client;
const content = JSON.stringify({
  attributes: {},
  tags: ["t"],
  finalizers: [],
  spec: {},
  sub: {},
  references: [],
  deletedReferences: [],
});

const fill = (count: number, kind: string, scope: string, name: string, body: string) =>
  env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?2 - 1)
     INSERT INTO resources SELECT ?1, '${kind}', ${scope}, ${name}, 'id' || i, 't' || i, 0, NULL, 1000 + i,
       i, '1', i, '1', ?3 FROM n`,
  )
    .bind(client.organizationId, count, body)
    .run();

beforeAll(async () => {
  client = await freshClient();
  await fill(50, "Environment", "''", "'e' || i", content);
  // Fifty environments of a thousand services each.
  await fill(50_000, "APIService", "'Environment/e' || (i % 50)", "'s' || i", content);
});

const read = async ({ sql, values }: Statement) => {
  const { results, meta } = await env.DB.prepare(sql)
    .bind(...values)
    .all();
  return { rows: results.length, read: meta.rows_read };
};

const list = (scope: string, query: Record<string, string>, pageSize = 1000) =>
  listStatements(
    client.organizationId,
    kindNamed("APIService"),
    scope === "all" ? "all" : { kind: "Environment", name: scope },
    query,
    { page: 1, pageSize },
  );

describe("a list of 1,000 out of 50,000", () => {
  it.each([
    ["a scope", "e7", {}],
    ["the name of a scope", "all", { query: "metadata.scope.name==e7" }],
    [
      "the name of a scope, sorted",
      "all",
      { query: "metadata.scope.name==e7", sort: "title,DESC" },
    ],
    ["a scope and a tag", "e7", { query: "tags==t" }],
    ["the beginning of a name", "all", { query: "name==s12*;metadata.scope.kind==Environment" }],
  ])("by %s reads no more than twice what it returns", async (_title, scope, query) => {
    const { rows, count } = list(scope, query);
    const page = await read(rows);
    const counted = await read(count);
    const matching = await env.DB.prepare(count.sql)
      .bind(...count.values)
      .first<number>("total");
    expect(matching).toBeGreaterThanOrEqual(1000);
    // A name that is sought in all scopes is sought in each of the fifty-one; sorting reads a row once more.
    const seeks =
      "query" in query && scope === "all" && query.query.startsWith("name") ? 51 * 3 : 1;
    expect(page.read).toBeLessThanOrEqual(2 * (matching ?? 0) + seeks);
    expect(counted.read).toBeLessThanOrEqual(2 * (matching ?? 0) + seeks);
  });

  it("reads a page, not the kind, when nothing is filtered", async () => {
    const page = await read(list("all", {}, 20).rows);
    expect(page.rows).toBe(21);
    expect(page.read).toBeLessThanOrEqual(42);
    const sorted = await read(list("e7", { sort: "name,ASC" }, 20).rows);
    expect(sorted.read).toBeLessThanOrEqual(42);
  });
});

describe("a thousand hooks", () => {
  it("are matched by what the isolate knows: one row tells that nobody changed one", async () => {
    const hook = (kind: string) =>
      JSON.stringify({
        ...JSON.parse(content),
        spec: {
          triggers: [{ group: "management", kind, name: "*", type: ["created"] }],
          webhooks: ["w"],
        },
      });
    await fill(1000, "ResourceHook", "''", "'h' || i", hook("Environment"));
    // The hooks were made beside the API: the Webhook is what makes the isolate read them.
    await client.make(`${V1}/webhooks`, { name: "w", spec: { url: "http://127.0.0.1:9/cost" } });
    const create = (name: string) => usedBy(() => client.make(`${V1}/environments`, { name }));
    const read = (batches: { read: number }[]) =>
      batches.reduce((sum, batch) => sum + batch.read, 0);
    const first = await create("hooked");
    expect(read(first)).toBeGreaterThan(1000);
    const again = await create("hooked-again");
    // The count of hooks' writes, the place in the log and its checks.
    expect(read(again)).toBeLessThanOrEqual(8);
    expect(again.reduce((sum, { written }) => sum + written, 0)).toBeLessThanOrEqual(4);
    const { results } = await env.DB.prepare(
      "SELECT targets FROM resource_changes WHERE organization_id = ? ORDER BY seq DESC LIMIT 2",
    )
      .bind(client.organizationId)
      .all<{ targets: string }>();
    for (const { targets } of results) expect(JSON.parse(targets)).toHaveLength(1);
  });
});

describe("a change", () => {
  it("asks the database twice: for what is there, and to write it", async () => {
    const path = `${V1}/environments/asked/apiservices`;
    await client.make(`${V1}/environments`, { name: "asked" });
    // A scope's stream is written down with its first change.
    await client.make(path, { name: "first" });
    expect(await countQuestions(() => client.make(path, { name: "s" }))).toBe(2);
    const put = () => client.call("PUT", `${path}/s`, { name: "s", title: "t" });
    expect(await countQuestions(put)).toBe(2);
    const sub = () => client.call("PUT", `${path}/s/x-lint`, { "x-lint": 1 });
    expect(await countQuestions(sub)).toBe(2);
  });
});
