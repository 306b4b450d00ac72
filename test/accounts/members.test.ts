import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { endOf, IDLE_MS, LIFE_MS } from "../../src/accounts/members/session";
import {
  beginSession,
  findSession,
  listSessions,
  prepareSessionExpiry,
} from "../../src/accounts/members/sessions.store";
import { findMember } from "../../src/accounts/members/store";
import { hashPassword } from "../../src/accounts/secret";
import { createAccounts, openBrowser, signIn } from "../console/build";
import { callV1, THEIRS } from "../elements/build";
import { FIRST, memberOf } from "../organization";
import { ask, newUser } from "./ask";

beforeAll(createAccounts);

const invite = (email: string, role: string, authorization?: string) =>
  callV1("POST", "/members", authorization, { email, role });

let guests = 0;
const freshEmail = (): string => `guest-${(guests += 1)}-${crypto.randomUUID()}@mine.example`;

/** A member who accepted, and their browser. */
async function join(role: string, authorization?: string) {
  const email = freshEmail();
  const { body } = await invite(email, role, authorization);
  const browser = openBrowser();
  const { pathname } = new URL(body.invitation);
  await browser.post(pathname, { password: "password-of-a-guest" });
  return { id: body.id, email, browser, pathname };
}

describe("members and users", () => {
  it("are two: who signs up on the app surface never sees the console", async () => {
    const { email, password, token } = await newUser();
    const browser = openBrowser();
    expect((await browser.post("/console/sign-in", { email, password })).status).toBe(401);
    expect(browser.cookies.size).toBe(0);
    const headers = { authorization: `Bearer ${token}` };
    for (const path of ["/console", "/console/instances", "/console/destinations"])
      expect((await openBrowser().get(path)).status).toBe(303);
    const page = await ask("GET", "/v1/members", { headers });
    expect(page.status).toBe(401);
  });

  it("share nothing but their credentials where the first of both was made together", async () => {
    await signIn("anna@mine.example");
    const { email, password } = FIRST;
    const signed = await ask("POST", "/user/auth", { body: { email, password } });
    expect(signed.status).toBe(200);
    const member = await join("owner");
    const asUser = { email: member.email, password: "password-of-a-guest" };
    expect((await ask("POST", "/user/auth", { body: asUser })).status).toBe(403);
  });

  it("signs nobody up as a user over a member, nor the other way round", async () => {
    const { email } = await join("viewer");
    const body = { email, password: "another-password" };
    expect((await ask("POST", "/user", { body })).status).toBe(200);
    expect((await openBrowser().post("/console/sign-in", body)).status).toBe(401);
  });
});

describe("the roles of members", () => {
  it("are the owner's to give and take, and count at once", async () => {
    const { id, email, browser } = await join("viewer");
    expect((await browser.get("/console")).status).toBe(200);
    const here = "/console/destinations/nothing/test";
    expect((await browser.post(here)).status).toBe(403);
    expect(await callV1("PATCH", `/members/${id}`, undefined, { role: "editor" })).toMatchObject({
      status: 200,
      body: { id, email, role: "editor", lastSeenAt: expect.stringMatching(/Z$/) },
    });
    expect((await browser.post(here)).status).toBe(404);
    expect((await callV1("DELETE", `/members/${id}`)).status).toBe(200);
    expect((await browser.get("/console")).status).toBe(303);
  });

  it("let viewers read, without buttons, and change nothing, whatever they send", async () => {
    const made = await ask("POST", "/elements/api-v2/instances", {
      headers: {
        authorization: `User ${FIRST.userSecret}, Organization ${FIRST.organizationSecret}`,
      },
      body: {
        element: { key: "sandbox" },
        name: "Seen",
        configuration: { "sandbox.api.key": "k" },
      },
    });
    const { id } = made.body;
    const [viewer, editor] = [
      await signIn("vera@mine.example"),
      await signIn("edith@mine.example"),
    ];
    const [seen, offered] = [
      await viewer.get(`/console/instances/${id}`),
      await editor.get(`/console/instances/${id}`),
    ];
    expect(seen.html).toContain("Seen");
    expect(seen.html).not.toContain(`/console/instances/${id}/disable`);
    expect(offered.html).toContain(`/console/instances/${id}/disable`);
    const refused = await viewer.post(`/console/instances/${id}/disable`);
    expect(refused.status).toBe(403);
    expect(refused.html).toContain("A viewer may look at everything here, and change nothing");
    expect((await editor.post(`/console/instances/${id}/disable`)).status).toBe(303);
  });

  it("leave an owner who can sign in, always", async () => {
    const owners = await callV1("GET", "/members", THEIRS);
    expect(owners.body.items).toMatchObject([{ id: "2", role: "owner" }]);
    await invite(freshEmail(), "owner", THEIRS);
    expect((await callV1("PATCH", "/members/2", THEIRS, { role: "editor" })).status).toBe(409);
    expect((await callV1("DELETE", "/members/2", THEIRS)).status).toBe(409);
    const second = await join("owner", THEIRS);
    const both = await Promise.all([
      callV1("DELETE", "/members/2", THEIRS),
      callV1("DELETE", `/members/${second.id}`, THEIRS),
    ]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    await env.DB.prepare("DELETE FROM memberships WHERE organization_id = 2").run();
    await createAccounts();
  });

  it.each([
    ["PATCH", "1"],
    ["DELETE", "1"],
    ["DELETE", "999999"],
    ["DELETE", "nonsense"],
  ])("are unknown to another organization: %s %s", async (method, id) => {
    const body = method === "PATCH" ? { role: "viewer" } : undefined;
    expect((await callV1(method, `/members/${id}`, THEIRS, body)).status).toBe(404);
  });
});

describe("the sessions of a member", () => {
  it("are listed and ended for an administrator, one or all, at once", async () => {
    const { id, email, browser } = await join("editor");
    const second = await signIn(email, "password-of-a-guest");
    const { status, body } = await callV1("GET", `/members/${id}/sessions`);
    expect(status).toBe(200);
    const instant = expect.stringMatching(/^2.*Z$/);
    expect(body).toEqual({
      items: [1, 2].map(() => ({
        id: expect.any(String),
        address: expect.stringMatching(/^2001:db8:[0-9a-f:]+::1$/),
        userAgent: "",
        createdAt: instant,
        seenAt: instant,
        endsAt: instant,
      })),
      next: null,
    });
    const latest = body.items[0].id;
    const one = `/members/${id}/sessions/${latest}`;
    expect(await callV1("DELETE", one)).toMatchObject({ status: 200, body: { id: latest } });
    expect((await callV1("DELETE", one)).status).toBe(404);
    expect((await second.get("/console")).status).toBe(303);
    expect((await browser.get("/console")).status).toBe(200);
    const all = await callV1("DELETE", `/members/${id}/sessions`);
    expect(all.body.items).toHaveLength(1);
    expect((await browser.get("/console")).status).toBe(303);
  });

  it("are unknown to another organization, and go with the member", async () => {
    const { id, browser } = await join("editor");
    for (const method of ["GET", "DELETE"])
      expect((await callV1(method, `/members/${id}/sessions`, THEIRS)).status).toBe(404);
    expect((await browser.get("/console")).status).toBe(200);
    await callV1("DELETE", `/members/${id}`);
    expect((await browser.get("/console")).status).toBe(303);
    const rows = env.DB.prepare("SELECT count(*) AS n FROM member_sessions WHERE member_id = ?");
    expect(await rows.bind(id).first("n")).toBe(0);
  });

  it("don't begin with a password that was changed while it was checked", async () => {
    const { id } = await join("viewer");
    const before = { id: Number(id), organizationId: 1, passwordHash: "as it was" };
    const token = await beginSession(env.DB, before, { address: "", userAgent: "" }, Date.now());
    expect(await findSession(env.DB, token, Date.now())).toBeUndefined();
  });

  it("write down that they are seen once in five minutes at most, and are tidied away when over", async () => {
    const { id, email } = await join("viewer");
    const member = await findMember(env.DB, { email });
    if (member === undefined) throw new Error("The guest did not join");
    const begin = Date.now();
    const token = await beginSession(env.DB, member, { address: "", userAgent: "" }, begin);
    const seenAt = async (now: number) => {
      await findSession(env.DB, token, now);
      const rows = await listSessions(env.DB, Number(id), now);
      return Math.max(...rows.map((row) => row.seenAt));
    };
    expect(await seenAt(begin + 299_999)).toBe(begin);
    expect(await seenAt(begin + 300_000)).toBe(begin + 300_000);
    await prepareSessionExpiry(env.DB, begin + 300_000 + IDLE_MS, 1000).run();
    const rows = env.DB.prepare("SELECT count(*) AS n FROM member_sessions WHERE member_id = ?");
    expect(await rows.bind(id).first("n")).toBe(0);
  });

  it.each([
    ["unused", 0, 0, IDLE_MS],
    ["in use", 0, IDLE_MS - 1, 2 * IDLE_MS - 1],
    ["as long as may be", 0, LIFE_MS - 1, LIFE_MS],
  ])("end, %s, as the rule says", (_, createdAt, seenAt, end) =>
    expect(endOf({ createdAt, seenAt })).toBe(end),
  );
});

describe("an invitation", () => {
  it("is good once, for whoever has the link, and told once", async () => {
    const email = freshEmail();
    const { status, body } = await invite(email, "editor");
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        id: expect.any(String),
        email,
        role: "editor",
        state: "invited",
        lastSeenAt: null,
        invitation: expect.stringMatching(
          /^https:\/\/tributary\.example\/console\/invitations\/[\w-]{43}$/,
        ),
      },
    });
    const { pathname } = new URL(body.invitation);
    const browser = openBrowser();
    expect((await browser.get(pathname)).html).toContain(email);
    for (const [password, needs] of [
      ["short", "at least 8 characters"],
      ["Password1", "a password that is not among the 10,000 commonest"],
    ] as const) {
      const refused = await browser.post(pathname, { password });
      expect(refused.status).toBe(400);
      expect(refused.html).toContain(`Choose another password: expected ${needs}.`);
    }
    expect(await browser.post(pathname, { password: "long enough" })).toMatchObject({
      status: 303,
      location: "/console",
    });
    expect((await browser.get("/console")).status).toBe(200);
    expect((await openBrowser().get(pathname)).status).toBe(404);
    expect((await openBrowser().post(pathname, { password: "long enough" })).status).toBe(404);
    const signedIn = await openBrowser().post("/console/sign-in", {
      email,
      password: "long enough",
    });
    expect(signedIn.status).toBe(303);
    expect(JSON.stringify((await callV1("GET", "/members")).body)).not.toContain("invitation");
  });

  it("admits nobody before it is accepted, after it is over, or once it was taken back", async () => {
    const email = freshEmail();
    const { body } = await invite(email, "owner");
    const { pathname } = new URL(body.invitation);
    for (const password of ["", "password"])
      expect((await openBrowser().post("/console/sign-in", { email, password })).status).toBe(401);
    await env.DB.prepare("UPDATE memberships SET invitation_expires_at = 1 WHERE member_id = ?")
      .bind(body.id)
      .run();
    expect((await openBrowser().post(pathname, { password: "long enough" })).status).toBe(404);
    await callV1("DELETE", `/members/${body.id}`);
    expect((await invite(email, "viewer")).status).toBe(201);
    expect((await openBrowser().get(pathname)).status).toBe(404);
  });

  it.each([
    [{ email: "no address", role: "viewer" }, 400, "email"],
    [{ email: "a@mine.example", role: "admin" }, 400, "role"],
    [{ email: "a@mine.example", role: "viewer", password: "x" }, 400, undefined],
    [{ email: FIRST.email, role: "viewer" }, 409, "email"],
  ])("of %j is refused with %i", async (body, status, field) => {
    const answer = await callV1("POST", "/members", undefined, body);
    expect(answer.status).toBe(status);
    if (field !== undefined) expect(answer.body.error.field).toBe(field);
  });
});

describe("a link to set another password", () => {
  it("is made for administrators, good once, and signs the member out everywhere else", async () => {
    const { id, email, browser } = await join("viewer");
    const made = await callV1("POST", `/members/${id}/password-reset`);
    expect(made).toMatchObject({ status: 201, body: { id, email } });
    const replaced = new URL(made.body.link).pathname;
    const again = await callV1("POST", `/members/${id}/password-reset`);
    const { pathname } = new URL(again.body.link);
    expect((await openBrowser().get(replaced)).status).toBe(404);
    // Until it is used, everything goes on as before.
    expect((await browser.get("/console")).status).toBe(200);
    const fresh = openBrowser();
    const form = await fresh.get(pathname);
    expect(form.html).toContain("Set another password");
    expect(form.html).not.toContain("Join");
    expect((await fresh.post(pathname, { password: "quite another one" })).status).toBe(303);
    expect((await fresh.get("/console")).status).toBe(200);
    expect((await browser.get("/console")).status).toBe(303);
    expect((await openBrowser().get(pathname)).status).toBe(404);
    const signedIn = async (password: string) =>
      (await openBrowser().post("/console/sign-in", { email, password })).status;
    expect(await signedIn("password-of-a-guest")).toBe(401);
    expect(await signedIn("quite another one")).toBe(303);
  });

  it("renews an invitation that is over, and is nobody else's to make", async () => {
    const { body } = await invite(freshEmail(), "viewer");
    expect((await callV1("POST", `/members/${body.id}/password-reset`, THEIRS)).status).toBe(404);
    await env.DB.prepare("UPDATE memberships SET invitation_expires_at = 1 WHERE member_id = ?")
      .bind(body.id)
      .run();
    const { link } = (await callV1("POST", `/members/${body.id}/password-reset`)).body;
    const form = await openBrowser().get(new URL(link).pathname);
    expect(form.html).toContain("Join");
  });
});

describe("the e-mail address of a member", () => {
  it("is compared without blanks around it and in lower case", async () => {
    const own = crypto.randomUUID();
    const { status, body } = await invite(` Guest-${own}@Mine.Example `, "viewer");
    expect({ status, email: body.email }).toEqual({
      status: 201,
      email: `guest-${own}@mine.example`,
    });
    await openBrowser().post(new URL(body.invitation).pathname, { password: "long enough" });
    await signIn(` GUEST-${own}@mine.example`, "long enough");
    expect((await invite(`GUEST-${own}@mine.example`, "viewer")).status).toBe(409);
  });

  it("locks nobody out who is there from before that", async () => {
    const own = crypto.randomUUID();
    const [first, second] = [`Anna@${own}.example`, `anna@${own}.example`];
    await env.DB.batch([
      ...memberOf(1, { email: first, password: "password-of-first", role: "viewer" }),
      ...memberOf(1, { email: second, password: "password-of-second", role: "viewer" }),
    ]);
    await signIn(first, "password-of-first");
    await signIn(second, "password-of-second");
    await signIn(first.toUpperCase(), "password-of-first");
    expect((await invite(first.toUpperCase(), "viewer")).status).toBe(409);
  });
});

it("the first admin of a database from before members becomes the owner, and signs in as before", async () => {
  const migration = env.MIGRATIONS.find(({ name }) => name.endsWith("_members.sql"));
  const old = (sql: string): string => sql.replaceAll(/`(users|members)(\w*)`/g, "`old_$1$2`");
  const hash = hashPassword("as before", new Uint8Array(16));
  const row = "INSERT INTO old_users VALUES (?, ?, ?, ?, ?, 5)";
  await env.DB.batch([
    env.DB.prepare(
      "CREATE TABLE old_users (id INTEGER, organization_id INTEGER, email TEXT, role TEXT, password_hash TEXT, created_at INTEGER)",
    ),
    env.DB.prepare(row).bind(1, 1, "first@old.example", "admin", hash),
    env.DB.prepare(row).bind(2, 1, "user@old.example", "user", hash),
    env.DB.prepare(row).bind(3, 1, "second@old.example", "admin", hash),
    ...(migration?.queries ?? []).map((query) => env.DB.prepare(old(query))),
  ]);
  const { results } = await env.DB.prepare("SELECT * FROM old_members").all();
  expect(results).toEqual([
    {
      id: 1,
      organization_id: 1,
      email: "first@old.example",
      role: "owner",
      password_hash: hash,
      invitation_hash: null,
      invitation_expires_at: null,
      last_seen_at: null,
      created_at: 5,
    },
  ]);
  await env.DB.batch([
    env.DB.prepare("DROP TABLE old_users"),
    env.DB.prepare("DROP TABLE old_members"),
  ]);
});
