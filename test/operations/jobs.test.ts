import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { createAccounts, signIn } from "../console/build";
import { callV1, create } from "../elements/build";
import { type Own, ownOrganization } from "../organization";

let own: Own;
let source: string;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  const { id } = await create(
    { "event.notification.callback.url": "http://127.0.0.1:9/jobs-hook" },
    { name: "CRM of Ida" },
    own.authorization,
  );
  source = `instance:${id}`;
  const range = { from: "2020-01-01T00:00:00Z", to: "2099-01-01T00:00:00Z" };
  await callV1("POST", `/streams/${source}/replay`, own.authorization, range);
  const [one, other] = [`${own.id}/${source}`, `${own.id}/instance:999999`];
  const job = env.DB.prepare(
    "INSERT INTO jobs (id, organization_id, kind, parts, total, error, created_at) VALUES (?, ?, 'recover', ?, 7, ?, 5)",
  );
  const parts = (isDone: boolean) =>
    JSON.stringify({
      [one]: { processed: 2, done: true },
      [other]: { processed: 1, done: isDone },
    });
  const user = env.DB.prepare(
    "INSERT INTO users (organization_id, email, secret_hash, password_hash, created_at, deleting_at) VALUES (?, ?, ?, '', 1, 5)",
  );
  const email = (n: number): string => `gone-${n}@${own.id}.example`;
  await env.DB.batch([
    job.bind(`job_a_${own.id}`, own.id, parts(false), null),
    job.bind(`job_b_${own.id}`, own.id, parts(true), "It failed <script>alert(1)</script>"),
    job.bind(`job_c_${own.id}`, own.id, parts(true), null),
    ...[1, 2].map((n) => user.bind(own.id, email(n), email(n))),
  ]);
});

const list = async (query = "", authorization = own.authorization) =>
  (await callV1("GET", `/jobs${query}`, authorization)).body;

it("lists jobs and erasures, the latest first, each once however they are paged, and finds each by its id", async () => {
  const { items, next } = await list();
  expect(next).toBeNull();
  expect(items.map(({ kind, status, processed }: any) => [kind, status, processed])).toEqual([
    ["replay", expect.stringMatching(/running|done/), 0],
    ["recover", "done", 3],
    ["recover", "failed", 3],
    ["recover", "running", 3],
    ["erasure", "running", null],
    ["erasure", "running", null],
  ]);
  expect(items[0]).toMatchObject({ source, createdBy: expect.stringMatching(/^user:\d+$/) });
  expect(items[3]).toMatchObject({ source: null, total: 7, createdBy: null });
  const ids = items.map(({ id }: any) => id);
  const paged: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: any = await list(`?limit=1&cursor=${cursor}`);
    paged.push(...page.items.map(({ id }: any) => id));
    cursor = page.next;
  }
  expect(paged).toEqual(ids);
  for (const id of ids)
    expect((await callV1("GET", `/jobs/${id}`, own.authorization)).body.id).toBe(id);
});

it("shows a limited key, and another organization, what they reach", async () => {
  const limited = { name: "k", scopes: ["read"], limits: { sources: [source] } };
  const { key } = (await callV1("POST", "/keys", own.authorization, limited)).body;
  const { items } = await list("", `Bearer ${key}`);
  expect(items.map(({ kind }: any) => kind)).toEqual(["replay"]);
  const other = await ownOrganization();
  expect((await list("", other.authorization)).items).toEqual([]);
  for (const { id } of (await list()).items.slice(1)) {
    expect((await callV1("GET", `/jobs/${id}`, `Bearer ${key}`)).status).toBe(404);
    expect((await callV1("GET", `/jobs/${id}`, other.authorization)).status).toBe(404);
  }
});

it("has a page that names what runs, how far it is and who began it", async () => {
  const { html } = await (await signIn(own.email, own.password)).get("/console/settings/jobs");
  const text = html.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
  for (const words of ["CRM of Ida", "3 of 7", "failed", "not counted", "see the audit log"])
    expect(text).toContain(words);
  expect(html).not.toContain("<script>alert");
  const empty = await ownOrganization();
  const { html: none } = await (
    await signIn(empty.email, empty.password)
  ).get("/console/settings/jobs");
  expect(none).toContain("No job yet");
});
