import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hubspotHeaders } from "../vendors/hubspot.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Sandbox, startSandbox } from "../vendors/sandbox.ts";
import { poll } from "./polled.ts";
import { type Stack, startStack } from "./stack.ts";
import { type Made, RECEIVER_PORT, SANDBOX_PORT, unpack } from "./state-05114f6/unpack.ts";

let made: Made;
let stack: Stack;
let sandbox: Sandbox;
let receiver: Receiver;

beforeAll(async () => {
  sandbox = await startSandbox({ port: SANDBOX_PORT });
  receiver = await startReceiver({ port: RECEIVER_PORT });
  stack = await startStack({ prepare: (folder) => void (made = unpack(folder)) });
  for (const record of made.records) sandbox.create("accounts", record);
});
afterAll(async () => {
  await stack?.stop();
  await Promise.all([sandbox?.close(), receiver?.close()]);
});

const at = (path: string) => receiver.deliveries.filter((one) => one.path === path);
const objectIds = (path: string): string[] =>
  at(path).flatMap(({ body }) => body.message.events.map((event: any) => event.objectId));

async function send(method: string, path: string, authorization: string, body?: unknown) {
  const response = await fetch(stack.baseUrl + path, {
    method,
    redirect: "manual",
    headers: { authorization, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}
const byKey = (method: string, path: string, body?: unknown) =>
  send(method, path, `Bearer ${made.apiKey}`, body);

/** Signs the user in whose flows these are. */
async function signInAda() {
  const { username, password } = made;
  const { status, body } = await send("POST", "/user/auth", "", { username, password });
  expect(status).toBe(200);
  return (method: string, path: string, content?: unknown) =>
    send(method, path, `Bearer ${body.token}`, content);
}

const statusOf = async (id: string) =>
  (await stack.call("GET", `/v1/deliveries/${id}`)).body.status;

describe("promise: a state of the version before goes on", () => {
  it("lets its people and its keys in", async () => {
    const instances = await stack.call("GET", "/elements/api-v2/instances");
    expect(new Set(instances.body.map(({ id }: { id: number }) => id))).toEqual(
      new Set(Object.values(made.ids)),
    );
    const keys = await byKey("GET", "/v1/keys");
    expect(keys.body.items.map(({ name }: { name: string }) => name)).toContain("kept");
    const { email, password } = stack.local;
    const page = await fetch(`${stack.baseUrl}/console/sign-in`, {
      method: "POST",
      redirect: "manual",
      headers: { origin: stack.baseUrl },
      body: new URLSearchParams({ email, password }),
    });
    expect(page.status).toBe(303);
    const cookie = page.headers
      .getSetCookie()
      .map((text) => text.split(";")[0])
      .join("; ");
    const console = await fetch(`${stack.baseUrl}/console/instances`, { headers: { cookie } });
    expect(await console.text()).toContain("polled");
    await signInAda();
  });

  it("sends again what was under way and what waited for its next try, each under its own id", async () => {
    const ids = {
      hanging: made.webhookIds["hanging"]?.[0],
      retrying: made.webhookIds["retrying"]?.[0],
    };
    for (const [name, id = ""] of Object.entries(ids)) {
      await receiver.waitFor(() => at(`/${name}`).length > 0);
      expect(at(`/${name}`).map(({ webhookId }) => webhookId)).toEqual([id]);
      expect(objectIds(`/${name}`)).toEqual(made.records.map(({ id: record }) => record));
      await expect.poll(() => statusOf(id)).toBe("delivered");
    }
  });

  it("polls on from where it was: what was told is not told again, what is new is", async () => {
    const { id } = sandbox.create("accounts", { name: "Somerville" });
    const signing = await stack.call("GET", `/v1/instances/${made.ids.polled}/signing-secret`);
    receiver.setSecret(signing.body.secret);
    expect(await poll(stack, made.ids.polled)).toMatchObject({ created: 1, updated: 0 });
    await receiver.waitFor(() => at("/polled").length > 0);
    expect(objectIds("/polled")).toEqual([id]);
    expect(at("/polled")[0]?.standardVerified).toBe(true);
    receiver.setSecret(undefined);
    expect(await poll(stack, made.ids.polled)).toMatchObject({ created: 0, updated: 0 });
    const source = `/v1/streams/instance:${made.ids.polled}`;
    const { body } = await byKey("GET", `${source}/consumers/reader/events`);
    // Its position was after the first event.
    expect(body.items.map(({ objectId }: any) => objectId)).toEqual([
      ...made.records.slice(1).map((record) => record.id),
      id,
    ]);
  });

  it("lists its dead letters, and recovers them", async () => {
    const [id = ""] = made.webhookIds["dead"] ?? [];
    const { body } = await byKey("GET", "/v1/deliveries?status=dead");
    expect(body.items).toContainEqual(
      expect.objectContaining({ id, status: "dead", reason: "aborted" }),
    );
    const path = `/v1/destinations/instance-${made.ids.dead}/recover`;
    const since = new Date(Date.now() - 86_400_000).toISOString();
    expect((await byKey("POST", path, { since })).status).toBe(202);
    await receiver.waitFor(() => at("/dead").length > 0);
    expect(at("/dead").map(({ webhookId }) => webhookId)).toEqual([id]);
    await expect.poll(() => statusOf(id)).toBe("delivered");
  });

  it("shows its history, notification by notification", async () => {
    const { body } = await stack.call(
      "GET",
      `/elements/api-v2/instances/${made.ids.polled}/events`,
    );
    const told = body.flatMap(({ notifiedData }: any) =>
      notifiedData.map((one: any) => one.objectId),
    );
    for (const { id } of made.records) expect(told).toContain(id);
    const [id = ""] = made.webhookIds["polled"] ?? [];
    const delivery = await byKey("GET", `/v1/deliveries/${id}`);
    expect(delivery.body).toMatchObject({
      status: "delivered",
      attemptLog: [{ n: 1, status: 200 }],
    });
    for (const { name } of made.records) expect(delivery.body.request.body).toContain(name);
  });

  it("takes what a vendor signs with the secret it sealed", async () => {
    const url = `${stack.baseUrl}/elements/api-v2/events/hubspot`;
    const item = { eventId: 9, subscriptionId: 2, portalId: 62_515, occurredAt: Date.now() };
    const text = JSON.stringify([
      { ...item, subscriptionType: "contact.creation", objectId: 1802 },
    ]);
    const headers = hubspotHeaders(text, { secret: "client-secret", url, at: Date.now() });
    expect((await fetch(url, { method: "POST", body: text, headers })).status).toBe(200);
    await receiver.waitFor(() => at("/hubspot").length > 0);
    expect(objectIds("/hubspot")).toEqual(["1802"]);
  });

  it("runs its flows: at an event, by their schedule, and from where a step had failed", async () => {
    const ada = await signInAda();
    const sent = await ada("POST", "/plugins/appmixer/utils/appevents/events/order-placed", {
      n: 7,
    });
    expect(sent.body.triggers).toMatchObject([{ flowId: made.flows.running }]);
    await receiver.waitFor(() => at("/second").length > 0);
    expect(at("/first").map(({ body }) => body)).toEqual([{ n: 7 }]);
    const history = await ada("GET", "/app-events?event=order-placed");
    expect(history.body.items).toHaveLength(3);
    const unprocessed = async () => (await ada("GET", "/unprocessed-messages")).body;
    const [message] = await unprocessed();
    expect(message).toMatchObject({ flowId: made.flows.failing, componentId: "P" });
    expect(message.err).toContain("422");
    await ada("POST", `/unprocessed-messages/${message.messageId}/retry`);
    await receiver.waitFor(() => at("/lost").length > 0);
    expect(at("/lost")[0]).toMatchObject({
      webhookId: made.webhookIds["lost"]?.[0],
      body: { n: 3 },
    });
    await expect.poll(unprocessed).toEqual([]);
    for (let minute = 0; minute < 2; minute += 1) await stack.tick();
    await receiver.waitFor(() => at("/time").length > 0);
  });

  it("lists its resources, tells a change to the hook with its secret, and counts on in the log", async () => {
    const music = "/apis/management/v1/environments/azure/apiservices/music";
    const known = await byKey("GET", music);
    expect(known.body).toMatchObject({ title: "Musical instruments" });
    const changed = { title: "Strings", spec: { description: "Violins" } };
    expect((await byKey("PUT", music, changed)).status).toBe(200);
    await receiver.waitFor(() => at("/resources").length > 0);
    expect(at("/resources")[0]?.headers["authorization"]).toBe("open sesame");
    expect(at("/resources")[0]?.body).toMatchObject({
      type: "ResourceUpdated",
      payload: { name: "music", title: "Strings" },
    });
    const log =
      "/events/management/v1/watchtopics/all?sort=sequenceID,ASC&query=sequenceID>0&pageSize=100";
    const { body } = await byKey("GET", log);
    expect(body.map(({ type, payload }: any) => [type, payload.name])).toEqual([
      ["ResourceCreated", "music"],
      ["ResourceUpdated", "music"],
    ]);
  });
});
