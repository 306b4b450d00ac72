import { beforeAll, describe, expect, it } from "vitest";
import { API_KEY, ask, foundation, newUser } from "../accounts/ask";
import { step, trigger } from "../flows/build";
import { type Client, freshClient, takeCallbacks, V1 } from "./build";

const posts = takeCallbacks();
let client: Client;

beforeAll(async () => {
  await foundation();
  client = await freshClient();
});

/** A webhook that hears of what is made in an Environment of its own, its destination, and what it got. */
async function listening(name: string, spec: object = {}) {
  const url = `http://127.0.0.1:9/${client.organizationId}/${name}`;
  const { metadata } = await client.make(`${V1}/webhooks`, { name, spec: { url, ...spec } });
  await client.make(`${V1}/environments`, { name });
  const scope = { kind: "Environment", name };
  const triggers = [{ group: "*", kind: "*", name: "*", type: ["created"], scope }];
  const hook = { name: `hook-${name}`, spec: { triggers, webhooks: [name] } };
  await client.make(`${V1}/resourcehooks`, hook);
  const create = (more: string, title: string) =>
    client.make(`${V1}/environments/${name}/apiservices`, { name: `${name}-${more}`, title });
  const path = `/v1/destinations/${metadata.destinationId}`;
  const patch = (change: object) => client.call("PATCH", path, change);
  const shown = async () => (await client.call("GET", path)).body;
  return { url, create, patch, shown, got: () => posts.filter((post) => post.url === url) };
}

describe("what operators say of a webhook's destination", () => {
  it("filters its changes, from then on", async () => {
    const { create, patch, got } = await listening("filtered");
    const filter = "data.payload.title = 'yes' and eventType = 'ResourceCreated'";
    expect((await patch({ filter })).status).toBe(200);
    await create("a", "no");
    await create("b", "yes");
    await create("c", "no");
    await create("d", "yes");
    await expect.poll(got).toHaveLength(2);
    expect(got().map(({ text }) => JSON.parse(text).payload.name)).toEqual([
      "filtered-b",
      "filtered-d",
    ]);
    const path = "/v1/streams/scope:management/Environment/filtered/events?objectType=APIService";
    const { items } = (await client.call("GET", path)).body;
    expect(items.map((item: any) => item.filtered)).toEqual([true, undefined, true, undefined]);
    await patch({ filter: null });
    await create("e", "no");
    await expect.poll(got).toHaveLength(3);
  });

  it("stays when its Webhook is changed, beside what that says", async () => {
    const { create, patch, shown, got, url } = await listening("kept", {
      headers: { "X-Own": "own", "X-Both": "own" },
    });
    const said = {
      rate: 50,
      ordering: "object",
      retrySchedule: [0, 7],
      transform: "{ 'name': payload.name }",
    };
    const headers = { "x-both": "operator", "X-Team": "blue" };
    expect((await patch({ ...said, headers })).body).toMatchObject(said);
    const changed = { url, headers: { "X-Own": "changed", "X-Both": "own" } };
    const put = await client.call("PUT", `${V1}/webhooks/kept`, {
      name: "kept",
      spec: changed,
    });
    expect(put.status).toBe(200);
    expect(await shown()).toMatchObject(said);
    await create("a", "t");
    await expect.poll(got).toHaveLength(1);
    const [post] = got();
    expect(post?.text).toBe('{"name":"kept-a"}');
    expect(["x-own", "x-both", "x-team"].map((name) => post?.headers.get(name))).toEqual([
      "changed",
      "operator",
      "blue",
    ]);
    await patch({ headers: {} });
    await create("b", "t");
    await expect.poll(got).toHaveLength(2);
    expect(["x-both", "x-team"].map((name) => got()[1]?.headers.get(name))).toEqual(["own", null]);
  });

  it("leaves the secret where its Webhook puts it", async () => {
    await client.make(`${V1}/secrets`, { name: "s", spec: { data: { k: "v3ry" } } });
    const location = { in: "query", name: "key" };
    const { create, patch } = await listening("secret", {
      auth: { secret: { name: "s", key: "k" }, location },
    });
    await patch({ headers: { "X-Team": "blue" } });
    await create("a", "t");
    const got = () => posts.filter(({ url }) => url.endsWith("/secret?key=v3ry"));
    await expect.poll(got).toHaveLength(1);
    expect(got()[0]?.headers.get("x-team")).toBe("blue");
  });
});

describe("what operators say of a flow's step", () => {
  it("is refused where the flow says it, and stays over a restart where it does not", async () => {
    const { token } = await newUser();
    const flow = { T: trigger("policy"), P: step({ url: "http://127.0.0.1:9/policy" }) };
    const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
    const command = (name: string) =>
      ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: name } });
    await command("start");
    const patch = (body: object) =>
      ask("PATCH", `/v1/destinations/flow-${flowId}-P`, { token: API_KEY, body });
    for (const [field, value] of Object.entries({
      filter: "true",
      transform: "{}",
      headers: { "X-A": "b" },
      ordering: "object",
      deadHead: "block",
      retrySchedule: [0, 5],
    })) {
      const { status, body } = await patch({ [field]: value, rate: 1 });
      expect({ status, field: body.error.field }).toEqual({ status: 400, field });
    }
    expect((await patch({ rate: 7 })).body.rate).toBe(7);
    await command("stop");
    await command("start");
    expect((await patch({ enabled: true })).body.rate).toBe(7);
  });
});
