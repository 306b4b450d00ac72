import { env } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ask, foundation, newUser } from "../accounts/ask";
import { type Browser, createAccounts, signIn } from "../console/build";
import { eventually, type Received, receiver } from "../delivery/build";
import { call, callV1, draft, MINE } from "../elements/build";
import { step } from "../flows/build";
import { commit, event, target } from "../stream/build";

/** What is shown of a delivery is what was sent, and what was answered. */

let browser: Browser;
beforeAll(async () => {
  await foundation();
  await createAccounts();
  browser = await signIn("anna@mine.example");
});
afterEach(() => vi.unstubAllGlobals());

const v1 = (method: string, path: string) => callV1(method, path, MINE);

/** Runs a flow with one step of this input, and answers the source of its deliveries. */
async function run(lambda: object, content: object): Promise<string> {
  const user = await newUser();
  const { token } = user;
  const transform = { in: { W: { out: { type: "json2new", modifiers: {}, lambda } } } };
  const flow = {
    W: { type: "appmixer.utils.http.Webhook", source: {} },
    P: { ...step(), source: { in: { W: ["out"] } }, config: { transform } },
  };
  const body = { name: "F", flow };
  const { flowId } = (await ask("POST", "/flows", { token, body })).body;
  await ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: "start" } });
  await ask("POST", `/flows/${flowId}/components/W`, { body: content });
  const row = await env.DB.prepare("SELECT id FROM users WHERE email = ?")
    .bind(user.email)
    .first<{ id: number }>();
  return `user:${row?.id}`;
}

async function settled(source: string): Promise<any> {
  const path = `/deliveries?source=${encodeURIComponent(source)}`;
  return eventually(async () => {
    const [item] = (await v1("GET", path)).body.items;
    return item?.attempts > 0 && (await v1("GET", `/deliveries/${item.id}`)).body;
  });
}

const headersOf = ({ headers }: Received) => Object.fromEntries(headers);
const ok = (): Response => new Response("ok");

describe("a flow's step", () => {
  it.each<[string, object, object]>([
    ["text", { body: "hello {{{$.W.out.data.who}}}" }, { encoding: "text" }],
    ["an object", { body: { to: "{{{$.W.out.data.who}}}", n: 1 } }, { encoding: "text" }],
    ["nothing", {}, { encoding: "text", body: "" }],
    [
      "bytes",
      { body: "AP8=", bodyBase64Encode: true },
      { encoding: "base64", body: "AP8=", truncated: false },
    ],
    ["much", { body: "x".repeat(20_000) }, { body: "x".repeat(16_384), truncated: true }],
  ])("that sends %s is shown with what it sent", async (_, input, expected) => {
    const url = `http://127.0.0.1:9/shown-${crypto.randomUUID()}`;
    const received = receiver(ok, (one) => one.url.startsWith(url));
    const given = { headers: { "X-Api-Key": "hidden-key", "X-Mark": "seen" } };
    const source = await run(
      { url: `${url}?token=hidden-token`, ...given, ...input },
      { who: "Ann" },
    );
    const { id, request } = await settled(source);
    const [sent] = received;
    if (sent === undefined) throw new Error("It was not sent");
    expect(request).toMatchObject({ method: "POST", url: `${url}?token=********`, ...expected });
    if (request.encoding === "text" && !request.truncated) expect(request.body).toBe(sent.body);
    const shown = headersOf(sent);
    for (const name of ["x-mark", "webhook-id", "webhook-timestamp", "webhook-signature"])
      expect([name, request.headers[name]]).toEqual([name, shown[name]]);
    expect(request.headers["x-api-key"]).toBe("********");
    const { html } = await browser.get(`/console/deliveries/${id}`);
    expect(html).toContain(shown["webhook-signature"]?.replaceAll("=", "="));
    expect(html).not.toMatch(/hidden-|componentId/);
    expect(JSON.stringify(request)).not.toMatch(/hidden-|componentId/);
  });

  it("shows the request of its last try alone, and none before its first", async () => {
    const url = `http://127.0.0.1:9/shown-${crypto.randomUUID()}`;
    receiver(() => new Response("no", { status: 404 }));
    const source = await run({ url, body: "once" }, {});
    const { id } = await settled(source);
    const path = `/deliveries/${id}`;
    await v1("POST", `${path}/resend`);
    const one = await eventually(async () => {
      const { body } = await v1("GET", path);
      return body.attempts === 2 && body;
    });
    expect(one.request.body).toBe("once");
    const stream = env.EVENT_STREAMS.getByName(`1/${source}`);
    const attempts = (await stream.notification(1))?.notification.attempts ?? [];
    expect(attempts.map(({ request }) => request !== undefined)).toEqual([false, true]);
  });
});

it("a subject's deletion takes what a step sent along", async () => {
  const url = `http://127.0.0.1:9/shown-${crypto.randomUUID()}`;
  receiver(ok);
  const source = await run({ url, body: "about Jane" }, {});
  const { id, request } = await settled(source);
  expect(request.body).toBe("about Jane");
  const stream = `/streams/${encodeURIComponent(source)}`;
  const [{ objectType, objectId }] = (await v1("GET", `${stream}/events`)).body.items;
  const named = [objectType, objectId].map(encodeURIComponent).join("/");
  expect((await v1("DELETE", `${stream}/objects/${named}`)).status).toBe(200);
  expect((await v1("GET", `/deliveries/${id}`)).body.request).toBeNull();
});

describe("a callback", () => {
  const deliver = async (change: object, answer: () => Response) => {
    const url = `http://127.0.0.1:9/shown-${crypto.randomUUID()}`;
    const received = receiver(answer, (one) => one.url === url);
    const settings = { "event.notification.callback.url": url, ...change };
    const { id } = (await call("POST", "/instances", draft(settings))).body;
    const to = target({ destinationId: `instance-${id}`, most: 1 });
    await env.EVENT_STREAMS.getByName(`1/instance:${id}`).commit(
      commit({ targets: [to], events: [event(`${id}-shown`)] }),
    );
    return { id, received, delivery: await settled(`instance:${id}`) };
  };

  it.each<[string, object]>([
    ["as it is", {}],
    ["transformed", { "event.notification.transform": "{ 'only': 'this' }" }],
    ["with a key of its own", { "event.notification.signature.key": "legacy" }],
  ])("%s is shown with the body and the signatures that were sent", async (_, change) => {
    const { id, received, delivery } = await deliver(change, ok);
    const [sent] = received;
    if (sent === undefined) throw new Error("It was not sent");
    const { body, headers } = delivery.request;
    expect(body).toBe(sent.body);
    const masked = new Map(Object.entries(headersOf(sent)));
    masked.set("tributary-hops-signature", "********");
    expect(new Map(Object.entries(headers))).toEqual(masked);
    const secret = (await v1("GET", `/instances/${id}/signing-secret`)).body.secret;
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
    const signature = createHmac("sha256", key).update(signed).digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
  });

  it("is shown with 16 KB of its answer and all headers, secrets masked", async () => {
    const { id, delivery } = await deliver(
      {},
      () =>
        new Response(`${"a".repeat(16_383)}bc`, {
          headers: { "X-Trace": "t-1", "Set-Cookie": "sid=secret", "X-Api-Token": "secret" },
        }),
    );
    const [attempt] = delivery.attemptLog;
    expect(attempt.responseBody).toBe(`${"a".repeat(16_383)}b`);
    expect(attempt).toMatchObject({ status: 200, truncated: true });
    expect(attempt.responseHeaders).toMatchObject({
      "x-trace": "t-1",
      "set-cookie": "********",
      "x-api-token": "********",
    });
    const { html } = await browser.get(`/console/deliveries/${id}101`);
    expect(html).toContain("x-trace: t-1");
  });
});
