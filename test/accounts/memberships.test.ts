import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { type Browser, createAccounts, openBrowser, signIn } from "../console/build";
import { callV1 } from "../elements/build";
import { type Own, ownOrganization } from "../organization";

/** One member in several organizations: one sign-in, a role in each. */

beforeAll(createAccounts);

const PASSWORD = "password-of-a-guest";

async function invite(to: Own, email: string, role: string) {
  const { body } = await callV1("POST", "/members", to.authorization, { email, role });
  return { id: String(body.id), path: new URL(body.invitation).pathname };
}

/** A member of `first`, with another organization's invitation. */
async function guest(role = "editor") {
  const [first, second] = [await ownOrganization(), await ownOrganization()];
  const email = `${crypto.randomUUID()}@guests.example`;
  const { id, path } = await invite(first, email, role);
  const browser = openBrowser();
  await browser.post(path, { password: PASSWORD });
  return { first, second, email, id, browser };
}

/** A member of two organizations, looking at the first. */
async function both(roles: [string, string] = ["editor", "viewer"]) {
  const made = await guest(roles[0]);
  const { path } = await invite(made.second, made.email, roles[1]);
  await made.browser.post(path);
  await switchTo(made.browser, made.first);
  return made;
}

const switchTo = (browser: Browser, { id }: Own) =>
  browser.post(`/console/organizations/${id}/switch`);

const rolesIn = async ({ authorization }: Own): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await callV1("GET", "/members", authorization)).body.items.map(
      ({ id, role }: { id: string; role: string }) => [id, role],
    ),
  );

describe("a member who is invited to another organization", () => {
  it("joins as who they are, with the password they have, once", async () => {
    const { second, email, id, browser } = await guest();
    const invited = await invite(second, email, "viewer");
    expect(invited.id).toBe(id);
    // The link alone is no proof: neither somebody else nor a password of theirs gets in by it.
    const stranger = openBrowser();
    expect((await stranger.get(invited.path)).html).toContain("who signs in here already");
    await stranger.post(invited.path, { password: "password-of-a-stranger" });
    expect((await stranger.get("/console")).status).toBe(303);
    const otto = await signIn("otto@theirs.example");
    await otto.post(invited.path);
    expect(await rolesIn(second)).toMatchObject({ [id]: "viewer" });
    const items = (await callV1("GET", "/members", second.authorization)).body.items;
    expect(items.find((one: { id: string }) => one.id === id)).toMatchObject({ state: "invited" });

    expect((await browser.get(invited.path)).html).toContain('<button class="main">Join</button>');
    expect((await browser.post(invited.path)).status).toBe(303);
    const page = await browser.get("/console/organizations");
    expect(page.html.match(/\/switch"/g)).toHaveLength(1);
    expect((await browser.post(invited.path)).status).toBe(404);
    expect((await openBrowser().get(invited.path)).status).toBe(404);
  });

  it("is sent back to the invitation by the sign-in", async () => {
    const { second, email } = await guest();
    const { path } = await invite(second, email, "viewer");
    const browser = openBrowser();
    const form = await browser.get(`/console/sign-in?next=${encodeURIComponent(path)}`);
    expect(form.html).toContain(`value="${path}"`);
    const signed = await browser.post("/console/sign-in", {
      email,
      password: PASSWORD,
      next: path,
    });
    expect(signed.location).toBe(path);
    expect((await browser.post(path)).location).toBe("/console");
  });

  it("sets one password, however many invitations came before it", async () => {
    const [first, second] = [await ownOrganization(), await ownOrganization()];
    const email = `${crypto.randomUUID()}@guests.example`;
    const [one, two] = [
      await invite(first, email, "viewer"),
      await invite(second, email, "viewer"),
    ];
    const browser = openBrowser();
    expect((await browser.post(one.path, { password: PASSWORD })).status).toBe(303);
    await openBrowser().post(two.path, { password: "password-of-a-stranger" });
    const wrong = { email, password: "password-of-a-stranger" };
    expect((await openBrowser().post("/console/sign-in", wrong)).status).toBe(401);
    expect((await browser.post(two.path)).status).toBe(303);
  });

  it("has nothing told about it to the other organization", async () => {
    const { second, email } = await guest();
    const known = await callV1("POST", "/members", second.authorization, { email, role: "viewer" });
    const fresh = { email: `${crypto.randomUUID()}@guests.example`, role: "viewer" };
    const unknown = await callV1("POST", "/members", second.authorization, fresh);
    expect(Object.keys(known.body)).toEqual(Object.keys(unknown.body));
    expect(known.status).toBe(unknown.status);
  });
});

describe("a member of two organizations", () => {
  it("has the role of the one that the browser looks at, and each browser looks at its own", async () => {
    const { first, second, email, browser } = await both();
    const other = await signIn(email, PASSWORD);
    const probe = async (one: Browser) =>
      (await one.post("/console/destinations/nothing/test")).status;
    await switchTo(other, second);
    expect([await probe(browser), await probe(other)]).toEqual([404, 403]);
    await switchTo(browser, second);
    await switchTo(other, first);
    expect([await probe(browser), await probe(other)]).toEqual([403, 404]);
    expect((await browser.get("/console")).html).toContain("/console/organizations");
  });

  it("signs in to the one they were in last", async () => {
    const { second, email, browser } = await both();
    await switchTo(browser, second);
    const again = await signIn(email, PASSWORD);
    expect((await again.post("/console/destinations/nothing/test")).status).toBe(403);
  });

  it("can't switch to one they don't belong to, or are only invited to", async () => {
    const { second, email, browser } = await guest();
    expect((await switchTo(browser, second)).status).toBe(404);
    await invite(second, email, "owner");
    expect((await switchTo(browser, second)).status).toBe(404);
    expect((await browser.post("/console/organizations/nonsense/switch")).status).toBe(404);
  });

  it("loses one and keeps the other: what looks at it is signed out", async () => {
    const { first, second, id, email, browser } = await both();
    const other = await signIn(email, PASSWORD);
    await switchTo(other, second);
    await callV1("DELETE", `/members/${id}`, first.authorization);
    expect((await browser.get("/console")).status).toBe(303);
    expect((await other.get("/console")).status).toBe(200);
    expect((await switchTo(other, first)).status).toBe(404);
    await callV1("DELETE", `/members/${id}`, second.authorization);
    const rows = env.DB.prepare("SELECT count(*) AS n FROM members WHERE email = ?").bind(email);
    expect(await rows.first("n")).toBe(0);
  });

  it("signs in as they decided: neither organization takes the password or the app off", async () => {
    const { first, second, id, browser } = await both();
    for (const { authorization } of [first, second])
      expect((await callV1("DELETE", `/members/${id}/two-step`, authorization)).status).toBe(409);
    for (const { authorization } of [first, second])
      expect((await callV1("POST", `/members/${id}/password-reset`, authorization)).status).toBe(
        409,
      );
    await callV1("DELETE", `/members/${id}`, second.authorization);
    await switchTo(browser, first);
    const reset = await callV1("POST", `/members/${id}/password-reset`, first.authorization);
    expect(reset.status).toBe(201);
    // A link that was made before they joined another organization is good no more after that.
    const again = await invite(second, reset.body.email, "viewer");
    await browser.post(again.path);
    const { pathname } = new URL(reset.body.link);
    expect((await openBrowser().post(pathname, { password: "password-of-first" })).status).toBe(
      404,
    );
  });
});

it("memberships come of the members of an earlier version, with invitations, links and sessions", async () => {
  const own = (sql: string): string =>
    sql.replaceAll(
      /`(__old_)?(members|memberships|member_sessions|member_totp|member_recovery_codes|sessions|totp|recovery_codes)(_\w+)?`/g,
      "`$1was_$2$3`",
    );
  const migrations = [
    "_members.sql",
    "_member_sessions.sql",
    "_member_totp.sql",
    "_memberships.sql",
  ].map((end) => env.MIGRATIONS.find(({ name }) => name.endsWith(end))?.queries ?? []);
  const [first = [], sessions = [], totp = [], memberships = []] = migrations.map((queries) =>
    queries.map(own),
  );
  const member = "INSERT INTO was_members VALUES (?, 1, ?, 'editor', ?, ?, ?, 7, 5)";
  await env.DB.batch(
    [...first.filter((sql) => !sql.includes("SELECT")), ...sessions, ...totp].map((sql) =>
      env.DB.prepare(sql),
    ),
  );
  await env.DB.batch([
    env.DB.prepare(member).bind(4, "in@old.example", "p", null, null),
    env.DB.prepare(member).bind(5, "invited@old.example", null, "link-5", 9),
    env.DB.prepare(member).bind(6, "resetting@old.example", "p", "link-6", 9),
    env.DB.prepare("INSERT INTO was_member_totp VALUES (4, 'sealed', 3, 2, 1)"),
    env.DB.prepare("INSERT INTO was_member_recovery_codes VALUES (4, 'code')"),
    env.DB.prepare("INSERT INTO was_member_sessions VALUES ('s', 4, 't', 'a', 'u', 1, 2)"),
  ]);
  await env.DB.batch(memberships.map((sql) => env.DB.prepare(sql)));
  const all = async (sql: string) => (await env.DB.prepare(sql).raw()).map((row) => row.join(" "));
  expect(await all("SELECT id, email, password_hash, reset_hash FROM was_members")).toEqual([
    "4 in@old.example p ",
    "5 invited@old.example  ",
    "6 resetting@old.example p link-6",
  ]);
  expect(
    await all(
      "SELECT organization_id, member_id, role, joined_at, invitation_hash FROM was_memberships",
    ),
  ).toEqual(["1 4 editor 5 ", "1 5 editor  link-5", "1 6 editor 5 "]);
  expect(await all("SELECT id, member_id, organization_id FROM was_member_sessions")).toEqual([
    "s 4 1",
  ]);
  expect(await all("SELECT member_id, sealed_secret, last_step FROM was_member_totp")).toEqual([
    "4 sealed 3",
  ]);
  expect(await all("SELECT * FROM was_member_recovery_codes")).toEqual(["4 code"]);
  for (const table of ["sessions", "totp", "recovery_codes"].map((name) => `was_member_${name}`))
    await env.DB.prepare(`DROP TABLE ${table}`).run();
  for (const table of ["was_memberships", "was_members"])
    await env.DB.prepare(`DROP TABLE ${table}`).run();
});
