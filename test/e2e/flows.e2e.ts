import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { startSandbox } from "../vendors/sandbox.ts";
import { cases } from "../cases.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

/** Two hundred are started by `app-events/cost.test.ts`, and by the long run. */
const FLOWS = cases(60, 200);

let stack: Platform;
let receiver: Receiver;

beforeAll(async () => {
  [stack, receiver] = await Promise.all([sharedStack(), startReceiver()]);
});
afterAll(async () => {
  await receiver.close();
});

let users = 0;

/** A virtual user and what it may do. */
async function newUser() {
  const username = `virtual-${(users += 1)}@yourapp.com`;
  const call = async (method: string, path: string, body?: unknown, token?: string) => {
    const response = await fetch(stack.baseUrl + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(text),
      headers: response.headers,
    };
  };
  const signedUp = await call("POST", "/user", { username, password: "a-good-password" });
  const { token } = signedUp.body;
  return {
    token,
    call: (method: string, path: string, body?: unknown) => call(method, path, body, token),
    async startFlow(flow: unknown, change: Record<string, unknown> = {}): Promise<string> {
      const made = await call("POST", "/flows", { name: "A flow", flow, ...change }, token);
      const { flowId } = made.body;
      const started = await call(
        "POST",
        `/flows/${flowId}/coordinator`,
        { command: "start" },
        token,
      );
      expect(started, JSON.stringify(started.body)).toMatchObject({ status: 200 });
      return flowId;
    },
    fire: (event: string, data: unknown, query = "") =>
      call("POST", `/plugins/appmixer/utils/appevents/events/${event}${query}`, data, token),
  };
}

const trigger = (event: string) => ({
  type: "appmixer.utils.appevents.OnAppEvent",
  source: {},
  config: { properties: { event } },
});

/** An HTTP step below `from`, its fields mapped as given. */
const step = (
  from: string,
  lambda: Record<string, unknown>,
  change: Record<string, unknown> = {},
) => ({
  type: "appmixer.utils.http.Post",
  source: { in: { [from]: [from === "T" ? "out" : "response"] } },
  config: {
    transform: {
      in: { [from]: { [from === "T" ? "out" : "response"]: { type: "json2new", lambda } } },
    },
  },
  ...change,
});

const at = (path: string) => receiver.deliveries.filter((one) => one.path === path);

describe("an app event", () => {
  it("reaches the running flow of its user alone, mapped", async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const flow = (path: string) => ({
      T: trigger("contact-created"),
      P: step("T", {
        url: `${receiver.url}${path}`,
        body: {
          email: "{{{$.T.out.data.email}}}",
          name: "{{{$.T.out.data.fname}}} {{{$.T.out.data.lname}}}",
        },
      }),
    });
    const flowId = await ada.startFlow(flow("/ada"));
    await bob.startFlow(flow("/bob"));
    const sent = await ada.fire("contact-created", {
      email: "david@example.com",
      fname: "David",
      lname: "Doe",
    });
    expect(sent).toMatchObject({
      status: 200,
      body: { errors: [], triggers: [{ componentId: "T", flowId, event: "contact-created" }] },
    });
    await receiver.waitFor(() => at("/ada").length === 1);
    expect(at("/ada")[0]?.body).toEqual({ email: "david@example.com", name: "David Doe" });
    expect(at("/ada")[0]?.headers["webhook-signature"]).toMatch(/^v1,/);
    expect(at("/bob")).toEqual([]);
  });

  it(`starts ${FLOWS} flows before it is answered, each once, and none that is stopped`, async () => {
    const ada = await newUser();
    const ids = [];
    for (let index = 0; index < FLOWS; index += 1)
      ids.push(
        await ada.startFlow({
          T: trigger("many"),
          P: step("T", { url: `${receiver.url}/many/${index}`, body: "{{{$.T.out.data}}}" }),
        }),
      );
    await ada.call("POST", `/flows/${ids[0]}/coordinator`, { command: "stop" });
    const sent = await ada.fire("many", { n: 1 });
    expect(sent.body.triggers).toHaveLength(FLOWS - 1);
    const many = () => receiver.deliveries.filter(({ path }) => path.startsWith("/many/"));
    await receiver.waitFor(() => many().length >= FLOWS - 1);
    await sleep(500);
    expect(many()).toHaveLength(FLOWS - 1);
    expect(new Set(many().map(({ path }) => path)).size).toBe(FLOWS - 1);
    expect(at("/many/0")).toEqual([]);
    const eventId = sent.headers.get("x-event-id");
    const replayed = await ada.call("POST", `/app-events/${eventId}/replay`, { flowId: ids[1] });
    expect(replayed.body.triggers).toHaveLength(1);
    await receiver.waitFor(() => at("/many/1").length === 2);
    const history = await ada.call("GET", "/app-events?event=many");
    expect(history.body.items).toMatchObject([{ replayOf: eventId }, { eventId, matched: true }]);
  });
});

describe("a run", () => {
  it("goes on with the answer of a step, in branches, and reaches back to the event", async () => {
    const ada = await newUser();
    receiver.respond = ({ path }) =>
      path === "/first" ? { status: 201, body: { id: 42, list: [{ id: "a" }] } } : { status: 200 };
    await ada.startFlow({
      T: trigger("chain"),
      P: step("T", { url: `${receiver.url}/first`, body: "{{{$.T.out.data}}}" }),
      Q: step("P", {
        url: `${receiver.url}/second/{{{$.P.response.body.id}}}`,
        body: { status: "{{{$.P.response.statusCode}}}", from: "{{{$.T.out.data.who}}}" },
      }),
      R: step("P", {
        url: `${receiver.url}/third`,
        headers: { "X-Item": "{{{$.P.response.body.list[0].id}}}" },
        body: "plain {{{$.P.response.body.list.0.id}}} text",
      }),
    });
    await ada.fire("chain", { who: "ada" });
    await receiver.waitFor(() => at("/second/42").length === 1 && at("/third").length === 1);
    expect(at("/second/42")[0]?.body).toEqual({ status: 201, from: "ada" });
    expect(at("/third")[0]?.text).toBe("plain a text");
    expect(at("/third")[0]?.headers["x-item"]).toBe("a");
    await sleep(300);
    expect(at("/first")).toHaveLength(1);
  });
});

describe("a step that fails", () => {
  const failing = (path: string, errorHandling?: Record<string, unknown>) => ({
    T: trigger(`fails${path}`),
    P: step("T", { url: `${receiver.url}${path}`, body: "{{{$.T.out.data}}}" }, { errorHandling }),
    Q: step("P", { url: `${receiver.url}${path}/after`, body: "{{{$.P.response.body}}}" }),
  });
  const answering = (failures: Record<string, number>) => {
    receiver.respond = ({ path }) => ({ status: failures[path] ?? 200, body: { from: path } });
  };

  it("waits among the unprocessed messages, and goes on from there when it is sent again", async () => {
    const ada = await newUser();
    const bob = await newUser();
    answering({ "/lost": 422 });
    const flowId = await ada.startFlow(failing("/lost"));
    await ada.fire("fails%2Flost", { n: 1 });
    const list = async () => (await ada.call("GET", `/unprocessed-messages?flowId=${flowId}`)).body;
    await expect.poll(list).toHaveLength(1);
    const [message] = await list();
    expect(message).toMatchObject({
      flowId,
      componentId: "P",
      err: expect.stringContaining("422"),
      messages: {
        in: [
          {
            content: { data: { n: 1 } },
            properties: { sender: { componentId: "T", outputPort: "out" } },
          },
        ],
      },
    });
    expect(at("/lost")).toHaveLength(1);
    const path = `/unprocessed-messages/${message.messageId}`;
    expect((await bob.call("GET", path)).status).toBe(404);
    expect((await bob.call("POST", `${path}/retry`)).status).toBe(404);
    answering({});
    expect(await ada.call("POST", `${path}/retry`)).toMatchObject({ status: 200, body: {} });
    await receiver.waitFor(() => at("/lost/after").length === 1);
    expect(at("/lost")).toHaveLength(2);
    expect(at("/lost")[0]?.webhookId).toBe(at("/lost")[1]?.webhookId);
    expect(await list()).toEqual([]);
    const logs = await ada.call(
      "GET",
      `/logs?flowId=${flowId}&query=componentId:Q AND portType:out`,
    );
    expect(logs.body.hits).toMatchObject([{ componentId: "Q", senderId: "P", severity: "info" }]);
    const counted = await ada.call("POST", "/logs", {
      aggs: { by: { terms: { field: "componentId" } } },
    });
    expect(counted.body.buckets).toContainEqual({ key: "P", doc_count: 2 });
  });

  it("is resumed without running again what succeeded before it", async () => {
    const ada = await newUser();
    answering({ "/resume/after": 410 });
    await ada.startFlow(failing("/resume"));
    await ada.fire("fails%2Fresume", { n: 1 });
    const list = async () => (await ada.call("GET", "/unprocessed-messages")).body;
    await expect.poll(list).toMatchObject([{ componentId: "Q" }]);
    answering({});
    const [message] = await list();
    // The older of the two ways to ask for it.
    await ada.call("POST", `/unprocessed-messages/${message.messageId}`);
    await receiver.waitFor(() => at("/resume/after").length === 2);
    await sleep(200);
    expect(at("/resume")).toHaveLength(1);
    expect(await list()).toEqual([]);
  });

  it("hands its error to the error port", async () => {
    const ada = await newUser();
    answering({ "/port": 404 });
    const { T, P } = failing("/port", { onError: "errorPort" });
    const E = {
      type: "appmixer.utils.http.Post",
      source: { in: { P: ["error"] } },
      config: {
        transform: {
          in: {
            P: {
              error: {
                lambda: {
                  url: `${receiver.url}/port/error`,
                  body: { why: "{{{$.P.error.error.message}}}", n: "{{{$.P.error.input.body.n}}}" },
                },
              },
            },
          },
        },
      },
    };
    await ada.startFlow({ T, P, E });
    await ada.fire("fails%2Fport", { n: 7 });
    await receiver.waitFor(() => at("/port/error").length === 1);
    expect(at("/port/error")[0]?.body).toEqual({ why: expect.stringContaining("404"), n: 7 });
    expect((await ada.call("GET", "/unprocessed-messages")).body).toEqual([]);
  });

  it("stops its flow when told to", async () => {
    const ada = await newUser();
    answering({ "/stop": 400 });
    const flowId = await ada.startFlow(failing("/stop", { onError: "stopFlow" }));
    await ada.fire("fails%2Fstop", {});
    const stage = async () => (await ada.call("GET", `/flows/${flowId}`)).body.stage;
    await expect.poll(stage).toBe("stopped");
    expect((await ada.fire("fails%2Fstop", {})).body).toEqual({ triggers: [] });
  });

  it("never calls a private address, nor sends what can't be made", async () => {
    const ada = await newUser();
    answering({});
    await ada.startFlow({
      T: trigger("hostile"),
      P: step("T", { url: "{{{$.T.out.data.url}}}", headers: "{{{$.T.out.data.headers}}}" }),
    });
    for (const data of [
      { url: "http://169.254.169.254/latest/meta-data" },
      { url: "http://[::ffff:10.0.0.1]/" },
      { url: "file:///etc/passwd" },
      { url: `${receiver.url}/hostile`, headers: "{" },
      { url: `${receiver.url}/hostile`, headers: { "webhook-signature": "v1,forged" } },
      {},
    ])
      await ada.fire("hostile", data);
    const errors = async () =>
      (await ada.call("GET", "/unprocessed-messages")).body.map(({ err }: any) => err).toSorted();
    await expect.poll(errors).toHaveLength(6);
    expect(at("/hostile")).toEqual([]);
    expect((await errors()).join()).toContain("is not public");
  });
});

describe("other triggers", () => {
  it("a component webhook starts a run with method, data and query, credentials left out", async () => {
    const ada = await newUser();
    receiver.respond = () => ({ status: 200 });
    const flowId = await ada.startFlow({
      T: { type: "appmixer.utils.http.Webhook", source: {} },
      P: step("T", { url: `${receiver.url}/hook`, body: "{{{$.T.out}}}" }),
    });
    const response = await fetch(`${stack.baseUrl}/flows/${flowId}/components/T?a=1`, {
      method: "PUT",
      headers: { "content-type": "application/json", authorization: "Bearer x", cookie: "y=z" },
      body: '{"n":1}',
    });
    expect(response.status).toBe(202);
    await receiver.waitFor(() => at("/hook").length === 1);
    const got = at("/hook")[0]?.body;
    expect(got).toMatchObject({ method: "PUT", data: { n: 1 }, query: { a: "1" } });
    expect(Object.keys(got.headers)).not.toContain("authorization");
    expect(Object.keys(got.headers)).not.toContain("cookie");
  });

  it("an instance's connector event starts a run an event object, of its owner's flows alone", async () => {
    const sandbox = await startSandbox();
    try {
      const created = await stack.call("POST", "/elements/api-v2/instances", {
        element: { key: "sandbox" },
        configuration: {
          "sandbox.api.key": sandbox.apiKey,
          "base.url": sandbox.url,
          "event.notification.enabled": "true",
          "event.vendor.type": "polling",
          "event.poller.refresh_interval": "1",
        },
        tags: ["flows"],
        name: "Flows",
      });
      expect(created, JSON.stringify(created.body)).toMatchObject({ status: 200 });
      const instanceId = String(created.body.id);
      const flow = (path: string) => ({
        T: {
          type: "tributary.events.instances.OnEvent",
          config: {
            properties: { instanceId, objectTypes: ["accounts"], eventTypes: ["CREATED"] },
          },
        },
        P: step("T", {
          url: `${receiver.url}${path}`,
          body: { id: "{{{$.T.out.objectId}}}", record: "{{{$.T.out.data}}}" },
        }),
      });
      const { email, password } = stack.local;
      const signed = await fetch(`${stack.baseUrl}/user/auth`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email, password }),
      });
      const { token } = (await signed.json()) as { token: string };
      const admin = async (method: string, path: string, body: unknown) =>
        (
          await fetch(stack.baseUrl + path, {
            method,
            headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
            body: JSON.stringify(body),
          })
        ).json() as Promise<any>;
      const { flowId } = await admin("POST", "/flows", { name: "Mine", flow: flow("/vendor") });
      await admin("POST", `/flows/${flowId}/coordinator`, { command: "start" });
      await (await newUser()).startFlow(flow("/stranger"));
      await stack.call("POST", `/v1/instances/${instanceId}/poll`);
      for (let n = 0; n < 3; n += 1) sandbox.create("accounts", { name: `Account ${n}` });
      await stack.call("POST", `/v1/instances/${instanceId}/poll`);
      await receiver.waitFor(() => at("/vendor").length === 3);
      expect(new Set(at("/vendor").map(({ body }) => body.id)).size).toBe(3);
      expect(at("/vendor")[0]?.body.record).toMatchObject({ name: expect.any(String) });
      expect(at("/stranger")).toEqual([]);
    } finally {
      await sandbox.close();
    }
  });
});
