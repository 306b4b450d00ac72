import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ask, newUser, type SignedIn } from "../accounts/ask";
import { countD1 } from "../d1-rows";
import { eventually, receiver } from "../delivery/build";
import { callV1 } from "../elements/build";
import { step, trigger } from "../flows/build";
import { type Browser, createAccounts, createEmptyOrganization, signIn } from "./build";

/** Users of apps and their flows in the console: by forms, as a browser without scripts sends them. */

let browser: Browser;
let user: SignedIn;
let userId: string;
beforeAll(async () => {
  await createAccounts();
  browser = await signIn("edith@mine.example");
  user = await newUser();
  userId = (await ask("GET", "/user", { token: user.token })).body.id;
});
afterEach(() => vi.unstubAllGlobals());

const URL_OF_APP = `http://127.0.0.1:9/${crypto.randomUUID()}`;
const APPS = "/console/apps";

/** A form of the console, and the page it leads to. */
async function follow(path: string, fields?: Record<string, string>) {
  const sent = await browser.post(path, fields);
  expect(sent.status).toBe(303);
  return { ...(await browser.get(sent.location ?? "")), path: sent.location ?? "" };
}

const makeFlow = async (flow: object, change: object = {}): Promise<string> => {
  const body = { name: "F", flow, ...change };
  return (await ask("POST", "/flows", { token: user.token, body })).body.flowId;
};
const stored = async (id: string) => (await ask("GET", `/flows/${id}`, { token: user.token })).body;

describe("a user of an app", () => {
  it("is found by a part of the name, and nobody else is", async () => {
    const { html } = await browser.get(`${APPS}?search=${user.email.slice(0, -6).toUpperCase()}`);
    expect(html).toContain(`${APPS}/users/${userId}"`);
    expect(html.match(/apps\/users\/\d+"/g)).toHaveLength(1);
    expect((await browser.get(`${APPS}?search=nobody-at-all`)).html).toContain(
      "Nobody is called that",
    );
  });

  it("of an organization without any is made by a curl that the page shows", async () => {
    await createEmptyOrganization();
    const nora = await signIn("nora@empty.example");
    const { html } = await nora.get(APPS);
    expect(html).toContain("https://tributary.example/user");
    expect((await nora.get(`${APPS}/templates`)).html).toContain("No template yet");
  });

  it("gets a flow, whose event is fired, run, retried and taken off the list", async () => {
    const received = receiver(() => new Response("no", { status: 422 }));
    const made = await follow(`${APPS}/users/${userId}/flows`, {
      name: "Tell my app",
      event: "paid",
      url: URL_OF_APP,
      eventDataExample: '{"total": 3, "buyer": {"email": "ada@example.com"}}',
    });
    expect(made.html).toContain("Tell my app");
    expect(made.html).toContain("<svg");
    const flow = made.path;
    const quiet = await follow(`${APPS}/users/${userId}/events`, { event: "paid", data: "{}" });
    expect(quiet.html).toContain("no flow that runs listens to it");
    expect((await follow(`${flow}/start`)).html).toContain(">running<");
    const fired = { event: "paid", data: '{"total":4}', flow: flow.split("/").at(-1) ?? "" };
    expect((await follow(`${APPS}/users/${userId}/events`, fired)).html).toContain("started 1 run");
    const failed = await eventually(async () => {
      const { html } = await browser.get(flow);
      // The entry is there before the run is known to be dead; only then is it sent again.
      return html.includes(">dead<") && /unprocessed-messages\/([^/"]+)"/.exec(html)?.[1];
    });
    expect(received.some(({ body }) => body === '{"total":4}')).toBe(true);
    const message = `${APPS}/unprocessed-messages/${failed}`;
    expect((await browser.get(message)).html).toContain("&quot;total&quot;: 4");
    receiver(() => new Response("ok"));
    expect((await follow(`${message}/retry`)).html).toContain("On its way again");
    await eventually(async () => (await browser.get(flow)).html.includes(">delivered<"));
    expect((await browser.get(`${APPS}/users/${userId}`)).html).toContain(">delivered<");
    expect((await follow(`${flow}/stop`)).html).toContain(">stopped<");
    const { items } = (await callV1("GET", "/audit?action=flow.command")).body;
    expect(items[0]).toMatchObject({
      actor: expect.stringMatching(/^member:/),
      target: flow.split("/").at(-1),
      before: { stage: "running" },
      after: { stage: "stopped" },
    });
  });

  it("who is switched off can't be acted for, and is switched on again", async () => {
    const other = await newUser();
    const { id } = (await ask("GET", "/user", { token: other.token })).body;
    expect((await follow(`${APPS}/users/${id}/disable`)).html).toContain("switched off");
    expect((await browser.post(`${APPS}/users/${id}/events`, { event: "x" })).status).toBe(409);
    expect((await follow(`${APPS}/users/${id}/enable`)).html).toContain(">active<");
  });
});

describe("a flow", () => {
  it("is edited by the forms of its steps and as JSON, and keeps the credentials that are masked", async () => {
    const headers = { authorization: "Bearer top-secret-of-ada" };
    const id = await makeFlow({ T: trigger("paid"), P: step({ url: URL_OF_APP, headers }) });
    const edit = `${APPS}/flows/${id}/edit`;
    const { html } = await browser.get(edit);
    expect(html).not.toContain("top-secret");
    expect(html).toContain("{{{$.T.out.data}}}");
    const masked =
      /name="headers"[^>]*>\n?([^<]*)</.exec(html)?.[1]?.replaceAll("&quot;", '"') ?? "";
    expect(masked).toContain("********");
    const fields = {
      component: "P",
      label: "Tell",
      method: "Put",
      url: `${URL_OF_APP}/2`,
      headers: masked,
      body: "{{{$.T.out.data}}}",
      onError: "stopFlow",
      maxRetries: "2",
    };
    expect((await follow(`${APPS}/flows/${id}/step`, fields)).html).toContain("Saved.");
    expect((await stored(id)).flow.P).toMatchObject({
      label: "Tell",
      type: "appmixer.utils.http.Put",
    });
    const row = await env.DB.prepare("SELECT flow FROM flows WHERE id = ?")
      .bind(id)
      .first<{ flow: string }>();
    expect(row?.flow).toContain("~sealed.");
    const { flow } = await stored(id);
    const whole = { name: "Renamed", description: "d", flow: JSON.stringify(flow) };
    await follow(`${APPS}/flows/${id}/save`, whole);
    expect(await stored(id)).toMatchObject({ name: "Renamed", description: "d", flow });
    await follow(`${APPS}/flows/${id}/add-step`, { after: "P", url: URL_OF_APP });
    expect(Object.keys((await stored(id)).flow)).toEqual(["T", "P", "step-1"]);
    await follow(`${APPS}/flows/${id}/remove-step`, { component: "P" });
    expect(Object.keys((await stored(id)).flow)).toEqual(["T", "step-1"]);
  });

  it("that is refused says all that is wrong at once, and keeps what was typed", async () => {
    const id = await makeFlow({ T: trigger("paid"), P: step() });
    const { status, html } = await browser.post(`${APPS}/flows/${id}/save`, {
      name: "",
      flow: '{"T": ',
    });
    expect(status).toBe(400);
    expect(html).toContain("Expected a name");
    expect(html).toContain("It is not valid JSON");
    expect(html).toContain("{&quot;T&quot;: ");
    const two = { T: { type: "no", x: 1 }, P: { type: "nor" } };
    const both = await browser.post(`${APPS}/flows/${id}/save`, {
      name: "N",
      flow: JSON.stringify(two),
    });
    expect(both.html).toContain("T · type");
    expect(both.html).toContain("P · type");
    expect((await stored(id)).name).toBe("F");
    const retries = await browser.post(`${APPS}/flows/${id}/step`, {
      component: "P",
      method: "Post",
      url: "https://typed.example",
      maxRetries: "99",
      onError: "no",
    });
    expect(retries.status).toBe(400);
    expect(retries.html).toContain("https://typed.example");
    expect(retries.html).toContain("maxRetries");
    expect(retries.html).toContain("onError");
  });

  it("that runs is changed only when that is meant", async () => {
    const id = await makeFlow({ T: trigger("paid"), P: step() });
    await follow(`${APPS}/flows/${id}/start`);
    const fields = { component: "T", event: "refunded" };
    const refused = await browser.post(`${APPS}/flows/${id}/step`, fields);
    expect(refused.html).toContain("tick “change it while it runs”");
    await follow(`${APPS}/flows/${id}/step`, { ...fields, force: "yes" });
    expect((await stored(id)).flow.T.config.properties.event).toBe("refunded");
  });

  it("that can't start says why on its page", async () => {
    const id = await makeFlow({ T: trigger("paid"), P: step({ url: "" }) });
    expect((await browser.get(`${APPS}/flows/${id}`)).html).toContain("Before it can start");
    const { status, html } = await browser.post(`${APPS}/flows/${id}/start`);
    expect(status).toBe(409);
    expect(html).toContain("Expected a URL");
  });

  it("with a webhook shows its address to those who may change, and calls that started no run", async () => {
    const hook = {
      type: "appmixer.utils.http.Webhook",
      source: {},
      config: {
        properties: {
          signature: {
            header: "x-hub-signature-256",
            encoding: "hex",
            prefix: "sha256=",
            secret: "s".repeat(20),
          },
        },
      },
    };
    const id = await makeFlow({ T: hook, P: step() });
    await follow(`${APPS}/flows/${id}/start`);
    await ask("POST", `/flows/${id}/components/T`, { body: {} });
    const { html } = await browser.get(`${APPS}/flows/${id}`);
    expect(html).toContain(`https://tributary.example/flows/${id}/components/T`);
    expect(html).toContain("Calls that started no run");
    const vera = await signIn("vera@mine.example");
    const seen = (await vera.get(`${APPS}/flows/${id}`)).html;
    expect(seen).not.toContain("/components/T");
    expect(seen).not.toContain('<button class="main">');
  });

  it("becomes a template, which is shared, activated and updated for all", async () => {
    const id = await makeFlow({ T: trigger("paid"), P: step() }, { name: "Kit" });
    const draft = await follow(`${APPS}/flows/${id}/draft`);
    const draftId = draft.path.split("/").at(-1) ?? "";
    const template = await follow(`${APPS}/drafts/${draftId}/publish`);
    const templateId = template.path.split("/").at(-1) ?? "";
    expect((await browser.get(`${APPS}/templates`)).html).toContain(`flows/${templateId}"`);
    const ada = await newUser();
    const activate = `${APPS}/integrations/${templateId}/activate`;
    const unseen = await browser.post(activate, { user: ada.email });
    expect(unseen.html).toContain("they don&#39;t see it");
    const nobody = await browser.post(`${APPS}/flows/${templateId}/share`, {
      kind: "email",
      read: "yes",
    });
    expect(nobody.html).toContain("Expected email, domain or scope");
    await follow(`${APPS}/flows/${templateId}/share`, { kind: "scope", read: "yes" });
    const instance = await follow(activate, { user: ada.email });
    const listed = (await browser.get(template.path)).html;
    expect(listed).toContain(ada.email);
    expect(listed).toContain(`href="${instance.path}"`);
    const changed = {
      name: "Kit",
      flow: JSON.stringify((await stored(templateId)).flow).replace("paid", "settled"),
    };
    await follow(`${APPS}/flows/${templateId}/save`, changed);
    const updated = await follow(`${APPS}/integrations/${templateId}/update-all`, {});
    expect(updated.html).toContain(">completed<");
    expect((await browser.get(`${instance.path}/edit`)).html).toContain("settled");
    const share = JSON.stringify({ scope: "user", permissions: ["read"] });
    await follow(`${APPS}/flows/${templateId}/unshare`, { share });
    expect((await stored(templateId)).sharedWith).toEqual([]);
    await follow(`${APPS}/flows/${templateId}/delete`);
    expect((await browser.get(template.path)).status).toBe(404);
  });
});

describe("pages of apps", () => {
  it("show hostile names, fields, errors and events as the text they are", async () => {
    const evil = `"><script>alert(1)</script>`;
    receiver(() => new Response(evil, { status: 422 }));
    const flow = {
      T: { ...trigger(evil), label: evil },
      P: step(
        { url: `${URL_OF_APP}?${evil}`, body: evil, headers: { "x-evil": evil } },
        {},
        { label: evil },
      ),
    };
    const share = { email: evil, permissions: ["read"] };
    const id = await makeFlow(flow, { name: evil, description: evil, sharedWith: [share] });
    const copy = await makeFlow(flow, { name: evil, type: "integration-template" });
    await env.DB.prepare(
      "UPDATE flows SET flow = json_set(flow, '$.T.config.properties.eventDataExample', ?) WHERE id = ?",
    )
      .bind(JSON.stringify({ [evil]: evil }), id)
      .run();
    await follow(`${APPS}/flows/${id}/start`);
    await ask("POST", `/plugins/appmixer/utils/appevents/events/${encodeURIComponent(evil)}`, {
      token: user.token,
      body: { note: evil },
    });
    const message = await eventually(async () => {
      const { body } = await ask("GET", `/unprocessed-messages?flowId=${id}`, {
        token: user.token,
      });
      return body[0]?.messageId as string | undefined;
    });
    const search = new URLSearchParams({ search: evil });
    const paths = [
      `?${String(search)}`,
      "/templates",
      `/users/${userId}`,
      `/flows/${id}`,
      `/flows/${id}/edit`,
      `/flows/${copy}`,
      `/unprocessed-messages/${message}`,
    ];
    for (const path of paths) {
      const { html } = await browser.get(`${APPS}${path}`);
      expect({ path, shown: html.includes("&lt;script&gt;alert(1)") }).toEqual({
        path,
        shown: true,
      });
      expect(html).not.toContain("<script>alert");
    }
    const typed = { name: evil, flow: `{"${"x"}": ${evil}` };
    expect((await browser.post(`${APPS}/flows/${id}/save`, typed)).html).not.toContain(
      "<script>alert",
    );
    const event = { event: "x", data: evil };
    const refused = await browser.post(`${APPS}/users/${userId}/events`, event);
    expect(refused.status).toBe(400);
    expect(refused.html).not.toContain("<script>alert");
  });

  it("ask D1 at most three things each", async () => {
    const id = await makeFlow({ T: trigger("counted"), P: step() });
    for (const path of [
      "",
      "/templates",
      `/users/${userId}`,
      `/flows/${id}`,
      `/flows/${id}/edit`,
    ]) {
      await browser.get(`${APPS}${path}`);
      const counted = countD1();
      await browser.get(`${APPS}${path}`);
      counted.end();
      // Who is signed in, and whether the organization is there, is asked for every page.
      const asked = counted.queries.filter((query) => !/"(member_sessions|members)"/.test(query));
      expect({ path, asked: asked.length <= 3 ? "few" : asked }).toEqual({ path, asked: "few" });
    }
  });
});
