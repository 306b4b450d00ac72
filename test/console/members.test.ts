import { beforeAll, describe, expect, it } from "vitest";
import { callV1 } from "../elements/build";
import { type Own, ownOrganization } from "../organization";
import { type Browser, createAccounts, openBrowser, signIn } from "./build";

const PASSWORD = "password-of-a-guest";

let own: Own;
let owner: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  owner = await signIn(own.email, own.password);
});

const fields = (more: Record<string, string> = {}) => ({ organization: String(own.id), ...more });
const fresh = (): string => `${crypto.randomUUID()}@guests.example`;
const linkIn = (html: string): string =>
  new URL(/<pre[^>]*>\s*(https:[^<\s]+)\s*<\/pre>/.exec(html)?.[1] ?? "https://none.example/")
    .pathname;

async function invite(role: string) {
  const email = fresh();
  const { html } = await owner.post("/console/members", fields({ email, role }));
  return { email, path: linkIn(html) };
}

async function join(role: string) {
  const { email, path } = await invite(role);
  const browser = openBrowser();
  await browser.post(path, { password: PASSWORD });
  const { items } = (await callV1("GET", "/members", own.authorization)).body;
  const id: string = items.find((one: { email: string }) => one.email === email).id;
  return { email, browser, id };
}

const act = (id: string, what: string, more?: Record<string, string>) =>
  owner.post(`/console/members/${id}/${what}`, fields(more));

async function noticed(answer: Promise<{ location: string | null }>): Promise<string> {
  const { location } = await answer;
  const { html } = await owner.get(location ?? "");
  return /<p class="notice \w+" role="status">([^<]*)/.exec(html)?.[1] ?? "";
}

describe("the page of members", () => {
  it("shows everybody who there is, as what, and whether they have joined", async () => {
    const { email } = await invite("editor");
    const viewer = await join("viewer");
    const { html } = await viewer.browser.get("/console/members");
    for (const text of [own.email, email, viewer.email, "invited", "active", "editor", "· you"])
      expect(html).toContain(text);
    expect(html).not.toContain('<form method="post" action="/console/members');
    expect(html).not.toContain("/console/invitations/");
    expect((await owner.get("/console/members")).html).toContain('action="/console/members"');
  });

  it("makes an invitation whose link is shown once, and is good once", async () => {
    const { path } = await invite("viewer");
    expect((await owner.get("/console/members")).html).not.toContain(path);
    expect((await openBrowser().post(path, { password: PASSWORD })).status).toBe(303);
    expect((await openBrowser().get(path)).status).toBe(404);
  });

  it.each([
    ["no address", "viewer", 400],
    ["a@guests.example", "king", 400],
  ])("refuses to invite %s as %s", async (email, role, status) => {
    const answer = await owner.post("/console/members", fields({ email, role }));
    expect(answer.status).toBe(status);
    expect(answer.html).toContain('role="alert"');
  });

  it("refuses to invite a member again, and keeps what was typed", async () => {
    const answer = await owner.post(
      "/console/members",
      fields({ email: own.email, role: "viewer" }),
    );
    expect(answer.status).toBe(409);
    expect(answer.html).toContain(`value="${own.email}"`);
  });

  it("changes roles, ends sessions, makes links and removes, at once", async () => {
    const { id, email, browser } = await join("viewer");
    expect(await noticed(act(id, "role", { role: "editor" }))).toBe(`${email} is editor now.`);
    expect((await browser.post("/console/destinations/nothing/test")).status).toBe(404);
    expect(await noticed(act(id, "end-sessions"))).toBe(`Sessions of ${email} that were ended: 1`);
    expect((await browser.get("/console")).status).toBe(303);
    const path = linkIn((await act(id, "link")).html);
    expect((await openBrowser().get(path)).html).toContain("Set another password");
    expect(await noticed(act(id, "remove"))).toBe(`${email} is no member any more.`);
    expect((await openBrowser().get(path)).status).toBe(404);
    expect((await act(id, "remove")).status).toBe(404);
  });

  it("leaves an owner, and hands ownership over", async () => {
    const { items } = (await callV1("GET", "/members", own.authorization)).body;
    const self: string = items.find((one: { email: string }) => one.email === own.email).id;
    expect(await noticed(act(self, "remove"))).toContain("without an owner");
    expect(await noticed(act(self, "role", { role: "viewer" }))).toContain("without an owner");
    const heir = await join("viewer");
    expect(await noticed(act(heir.id, "transfer"))).toBe(
      `${heir.email} is owner now, and you are editor.`,
    );
    expect((await act(heir.id, "remove")).status).toBe(403);
    const back = `/console/members/${self}/transfer`;
    expect((await heir.browser.post(back, fields())).status).toBe(303);
  });

  it("takes no form that was shown of another organization", async () => {
    const { id } = await join("viewer");
    const wrong = { organization: "1", role: "owner" };
    expect((await owner.post(`/console/members/${id}/role`, wrong)).status).toBe(409);
    expect((await owner.post("/console/members", { ...wrong, email: fresh() })).status).toBe(409);
    expect((await owner.post(`/console/members/${id}/remove`, {})).status).toBe(409);
  });
});
