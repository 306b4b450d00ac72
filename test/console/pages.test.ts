import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { fromNow } from "../../src/console/parts";
import { eventually, receiver } from "../delivery/build";
import { commit, event, target } from "../stream/build";
import { call, callV1, create } from "../elements/build";
import { type Own, ownOrganization } from "../organization";
import { type Browser, createAccounts, createEmptyOrganization, signIn } from "./build";

/** Where there is nothing but what is made here. */
let own: Own;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
});
afterEach(() => vi.unstubAllGlobals());

const CALLBACK = "http://127.0.0.1:9/console-hook";

/** An instance with one notification that came to rest, in the words of the console. */
async function notified(
  answer: () => Response,
  kind: "delivered" | "dead",
  change: { name?: string; event?: Parameters<typeof event>[1] } = {},
): Promise<{ id: number; delivery: string }> {
  receiver(answer);
  const { id } = await create(
    { "event.notification.callback.url": CALLBACK },
    change.name === undefined ? {} : { name: change.name },
    own.authorization,
  );
  const stream = env.EVENT_STREAMS.getByName(`${own.id}/instance:${id}`);
  await stream.commit(
    commit({
      targets: [target({ destinationId: `instance-${id}`, most: 1 })],
      events: [event(`${id}-a`, change.event)],
    }),
  );
  await eventually(async () => {
    const [view] = await stream.notifications({ before: null, limit: 1, withEvents: false });
    return view?.notification.state.kind === kind;
  });
  return { id, delivery: `${id}101` };
}

const ok = (): Response => new Response("thank you");

async function follow(browser: Browser, path: string, fields?: Record<string, string>) {
  const { status, location } = await browser.post(path, fields);
  expect(status).toBe(303);
  return browser.get(location ?? "");
}

describe("pages", () => {
  it("of an organization without anything say what to do next", async () => {
    await createEmptyOrganization();
    const browser = await signIn("nora@empty.example");
    for (const path of ["/console", "/console/instances", "/console/destinations"]) {
      const { status, html } = await browser.get(path);
      expect({ path, status }).toEqual({ path, status: 200 });
      expect(html).toContain("https://tributary.example/");
    }
  });

  it("show a delivered notification from its instance down to its tries", async () => {
    const { id, delivery } = await notified(ok, "delivered", { name: "CRM of Ada" });
    const browser = await signIn(own.email, own.password);
    const instance = (await browser.get(`/console/instances/${id}`)).html;
    expect(instance).toContain(`accounts object-${id}-a`);
    expect(instance).toContain(">delivered<");
    expect(instance).toContain(`href="/console/deliveries/${delivery}"`);
    const one = (await browser.get(`/console/deliveries/${delivery}`)).html;
    expect(one).toContain("thank you");
    expect(one).toContain(CALLBACK);
    expect(one).toContain(`{\n  &quot;id&quot;: &quot;${id}-a&quot;\n}`);
    expect((await browser.get("/console/instances")).html).toContain("CRM of Ada");
  });

  it("mask secrets", async () => {
    const { id, delivery } = await notified(ok, "delivered");
    const browser = await signIn(own.email, own.password);
    const secret = (await callV1("GET", `/instances/${id}/signing-secret`, own.authorization)).body
      .secret;
    for (const path of [`instances/${id}`, `deliveries/${delivery}`, "destinations"]) {
      const { html } = await browser.get(`/console/${path}`);
      expect(html).not.toContain("vendor-secret");
      expect(html).not.toContain(secret);
    }
    expect((await browser.get(`/console/instances/${id}`)).html).toContain("********");
  });

  it("show hostile names, events and answers as the text they are", async () => {
    const evil = `"><script>alert(1)</script>`;
    const { id, delivery } = await notified(() => new Response(evil), "delivered", {
      event: { objectId: evil, data: JSON.stringify({ note: evil }) },
    });
    await env.DB.prepare("UPDATE instances SET name = ? WHERE id = ?").bind(evil, id).run();
    const browser = await signIn(own.email, own.password);
    for (const path of ["/instances", `/instances/${id}`, `/deliveries/${delivery}`]) {
      const { html } = await browser.get(`/console${path}`);
      expect({ path, shown: html.includes("&lt;script&gt;alert(1)") }).toEqual({
        path,
        shown: true,
      });
      expect(html).not.toContain("<script>alert");
    }
  });

  it("of another organization's things are as unknown as of none", async () => {
    const { id, delivery } = await notified(ok, "delivered", { name: "CRM of Ada" });
    const otto = await signIn("otto@theirs.example");
    for (const path of [
      `/console/instances/${id}`,
      "/console/instances/999999",
      "/console/instances/nonsense",
      `/console/deliveries/${delivery}`,
      "/console/deliveries/nonsense",
      "/console/nothing",
    ])
      expect({ path, status: (await otto.get(path)).status }).toEqual({ path, status: 404 });
    for (const path of [
      `/console/instances/${id}/poll`,
      `/console/instances/${id}/disable`,
      `/console/instances/${id}/enable`,
      `/console/deliveries/${delivery}/resend`,
      `/console/destinations/instance-${id}/test`,
      `/console/destinations/instance-${id}/recover`,
    ])
      expect({ path, status: (await otto.post(path)).status }).toEqual({ path, status: 404 });
    for (const path of ["", "/instances", "/destinations"])
      expect((await otto.get(`/console${path}`)).html).not.toContain("CRM of Ada");
    const { body } = await call("GET", `/instances/${id}`, undefined, own.authorization);
    expect(body.disabled).toBe(false);
  });
});

describe("buttons", () => {
  it("disable an instance and enable it again, written down in the audit log", async () => {
    const { id } = await create();
    const browser = await signIn("anna@mine.example");
    const off = await follow(browser, `/console/instances/${id}/disable`);
    expect(off.html).toContain("Disabled: nothing is polled");
    expect(off.html).toContain(">disabled<");
    expect((await call("GET", `/instances/${id}`)).body.disabled).toBe(true);
    expect((await browser.get(`/console/instances/${id}`)).html).not.toContain("nothing is polled");
    expect((await browser.post(`/console/instances/${id}/poll`)).status).toBe(409);
    await follow(browser, `/console/instances/${id}/enable`);
    expect((await call("GET", `/instances/${id}`)).body.disabled).toBe(false);
    const { items } = (await callV1("GET", "/audit?action=instance.enable")).body;
    expect(items.find(({ target }: any) => target === String(id))).toMatchObject({
      actor: "member:1",
      route: "POST /console/instances/:id/enable",
    });
  });

  it("poll now, and say what the vendor said", async () => {
    const { id } = await create();
    const browser = await signIn("anna@mine.example");
    receiver(() => Response.json({ data: [] }));
    const well = await follow(browser, `/console/instances/${id}/poll`);
    expect(well.html).toContain("Polled: 0 changes.");
    receiver(() => new Response("down for <b>maintenance</b>", { status: 500 }));
    const ill = await follow(browser, `/console/instances/${id}/poll`);
    expect(ill.html).toContain("The vendor refused accounts:");
    expect(ill.html).toContain(">failing<");
  });

  it("send a dead notification again, and recover what died", async () => {
    const abort = { "webhook-delivery": "abort-message" };
    const dead = () => new Response("no", { status: 400, headers: abort });
    const { id, delivery } = await notified(dead, "dead");
    const browser = await signIn(own.email, own.password);
    expect((await browser.get(`/console/deliveries/${delivery}`)).html).toContain(">dead<");
    expect((await browser.get("/console/destinations")).html).toContain(
      `action="/console/destinations/instance-${id}/recover"`,
    );
    const recovering = await follow(browser, `/console/destinations/instance-${id}/recover`, {
      hours: "1",
    });
    expect(recovering.html).toContain("1 notification is being delivered again.");
    receiver(ok);
    await follow(browser, `/console/deliveries/${delivery}/resend`);
    await eventually(async () =>
      (await browser.get(`/console/deliveries/${delivery}`)).html.includes(">delivered<"),
    );
  });

  it("test a destination", async () => {
    const received = receiver(ok);
    const { id } = await create({ "event.notification.callback.url": CALLBACK });
    const browser = await signIn("anna@mine.example");
    const { html } = await follow(browser, `/console/destinations/instance-${id}/test`);
    expect(html).toMatch(/The test was answered with 200 in \d+ ms\./);
    expect(received.some(({ body }) => body.includes('"type":"test"'))).toBe(true);
  });
});

describe("instants", () => {
  it.each([
    [0, "just now"],
    [-59_000, "59 s ago"],
    [-3_600_000, "1 h ago"],
    [120_000, "in 2 min"],
    [-200_000_000, "2 d ago"],
  ])("are told from now: %i ms is %s", (distance, words) =>
    expect(fromNow(1e12 + distance, 1e12)).toBe(words),
  );
});
