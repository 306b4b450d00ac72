import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../src/config";
import { hopHeaders, hopsOf, isOwnAddress, MOST_HOPS } from "../../src/delivery/own-address";
import { ask, foundation, newUser, type SignedIn } from "../accounts/ask";
import { call, callV1 } from "../elements/build";
import { trigger } from "../flows/components";
import { step } from "../flows/build";
import { freshClient, V1 } from "../resources/build";
import { eventually, type Received, receiver } from "./build";
import { relayOf } from "../inbound/relay";

/** A chain of requests that goes round in a circle ends, whichever door of this platform it comes in by. */

beforeAll(foundation);
afterEach(() => vi.unstubAllGlobals());

/** A name of this deployment that it does not know: what is sent there comes back over the network. */
const SELF = "http://127.0.0.1:9/self";
const inside = ({ url, headers, body }: Received): Promise<Response> =>
  exports.default.fetch(url.replace(SELF, "http://tributary.example"), {
    method: "POST",
    headers: Object.fromEntries(headers),
    body,
  });
const circle = () => receiver((one) => (one.url.startsWith(SELF) ? inside(one) : new Response()));

/** What died of going round, once something did. */
const looped = (stream: ReturnType<typeof env.EVENT_STREAMS.getByName>) =>
  eventually(async () => {
    const views = await stream.notifications({ before: null, limit: 100, withEvents: false });
    const dead = views.filter(
      ({ notification: { state } }) => state.kind === "dead" && state.reason === "loop",
    );
    return dead.length > 0 && dead;
  });

const hopsSent = (received: readonly Received[], part: string) =>
  received.flatMap(({ url, headers }) => (url.includes(part) ? headers.get("tributary-hops") : []));
const CHAIN = Array.from({ length: MOST_HOPS }, (_, index) => String(index + 1));

/** A running flow of a user, and the stream of its runs. */
async function startedFor({ token, email }: SignedIn, flow: unknown) {
  const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
  const command = { token, body: { command: "start" } };
  expect((await ask("POST", `/flows/${flowId}/coordinator`, command)).status).toBe(200);
  const row = await env.DB.prepare("SELECT id FROM users WHERE email = ?")
    .bind(email)
    .first<{ id: number }>();
  return env.EVENT_STREAMS.getByName(`1/user:${row?.id}`);
}

describe("a chain that goes round in a circle ends, dead as loop, when it", () => {
  it("is a callback into an instance of ours, by a name that we don't know", async () => {
    const relay = relayOf(`relay-${crypto.randomUUID().slice(0, 8)}`);
    expect((await call("POST", "/elements", relay)).status).toBe(200);
    const made = await call("POST", "/instances", {
      element: { key: relay.key },
      configuration: { "event.vendor.type": "webhook" },
      name: "Round",
    });
    const { id, configuration } = made.body;
    const token = configuration["event.vendor.token"];
    const path = `/elements/api-v2/events/${relay.key}/${btoa(String(id))}?token=${token}`;
    const callback = { "event.notification.callback.url": SELF + path };
    expect((await call("PATCH", `/instances/${id}`, { configuration: callback })).status).toBe(200);
    const received = circle();
    const event = { objectType: "x", objectId: "1", eventType: "CREATED" };
    const body = { eventId: "0", message: { events: [event] } };
    expect((await ask("POST", path, { body })).status).toBe(200);
    const stream = env.EVENT_STREAMS.getByName(`1/instance:${id}`);
    const [dead] = await looped(stream);
    expect(hopsSent(received, path)).toEqual(CHAIN);
    const shown = await callV1("GET", `/deliveries/${dead?.id}`);
    expect(shown.body).toMatchObject({
      status: "dead",
      reason: "loop",
      attemptLog: [{ status: null, error: expect.stringContaining("circle") }],
    });
    // Operators are told.
    await eventually(async () => {
      const operations = env.EVENT_STREAMS.getByName("1/operations");
      const { events } = await operations.events({ after: 0, limit: 1_000 });
      return events.some(
        ({ objectType, data }) =>
          objectType === "delivery.dead" && data.includes('"loop"') && data.includes(`${dead?.id}`),
      );
    });
    // Sent again by hand it goes, as often as somebody asks for it.
    expect((await callV1("POST", `/deliveries/${dead?.id}/resend`)).status).toBe(202);
    await eventually(async () => hopsSent(received, path).length > MOST_HOPS);
  });

  it("is a flow that posts its own app event", async () => {
    const name = `again-${crypto.randomUUID()}`;
    const path = `/plugins/appmixer/utils/appevents/events/${name}`;
    const user = await newUser();
    const { token } = user;
    const headers = { authorization: `Bearer ${token}` };
    const flow = { T: trigger(name), P: step({ url: SELF + path, headers, body: { a: 1 } }) };
    const stream = await startedFor(user, flow);
    const received = circle();
    expect((await ask("POST", path, { token, body: {} })).status).toBe(200);
    expect(await looped(stream)).toHaveLength(1);
    expect(hopsSent(received, path)).toEqual(CHAIN);
  });

  it("is a flow that calls its own webhook, from a step below its first", async () => {
    const user = await newUser();
    const own = `http://127.0.0.1:9/first-${crypto.randomUUID()}`;
    const below = (sender: string, port: string, lambda: object) => ({
      ...step(),
      source: { in: { [sender]: [port] } },
      config: {
        transform: { in: { [sender]: { [port]: { type: "json2new", modifiers: {}, lambda } } } },
      },
    });
    const url = "{{{$.W.out.data.url}}}";
    const stream = await startedFor(user, {
      W: { type: "appmixer.utils.http.Webhook", source: {} },
      P: below("W", "out", { url: own }),
      Q: below("P", "response", { url, body: { url } }),
    });
    const received = circle();
    const { body } = await ask("GET", "/triggers/W/url", { token: user.token });
    const path = new URL(body.url).pathname;
    expect((await ask("POST", path, { body: { url: SELF + path } })).status).toBe(202);
    expect(await looped(stream)).toHaveLength(1);
    expect(hopsSent(received, path)).toEqual(CHAIN);
    expect(hopsSent(received, own)).toEqual(CHAIN);
  });

  it("is a hook whose webhook makes what it listens to", async () => {
    const client = await freshClient();
    const webhook = await client.make(`${V1}/webhooks`, {
      name: "w",
      spec: {
        url: `${SELF}${V1}/environments`,
        headers: { authorization: `Bearer key-of-organization-${client.organizationId}` },
      },
    });
    const { destinationId } = webhook.metadata;
    const transform = '{"name": "e-" & $substring(id, 0, 8)}';
    const changed = await client.call("PATCH", `/v1/destinations/${destinationId}`, { transform });
    expect(changed.status).toBe(200);
    await client.make(`${V1}/resourcehooks`, {
      name: "h",
      spec: {
        triggers: [{ group: "management", kind: "Environment", name: "*", type: ["created"] }],
        webhooks: ["w"],
      },
    });
    const received = circle();
    await client.make(`${V1}/environments`, { name: "first" });
    const stream = env.EVENT_STREAMS.getByName(`${client.organizationId}/scope:-`);
    expect(await looped(stream)).toHaveLength(1);
    expect(hopsSent(received, "/environments")).toEqual(CHAIN);
    const { body } = await client.call("GET", `${V1}/environments`);
    expect(body).toHaveLength(MOST_HOPS + 1);
  });
});

it("takes several names of the deployment from its settings, the first for others", () => {
  const names = " https://a.example.com/ , https://b.example.com";
  const config = readConfig({ ...env, TRIBUTARY_PUBLIC_URL: names });
  expect(config.publicUrl).toBe("https://a.example.com");
  expect(config.publicUrls).toEqual(["https://a.example.com", "https://b.example.com"]);
  for (const own of config.publicUrls)
    expect(isOwnAddress(`${own}/elements/api-v2/events/box/MQ==`, ...config.publicUrls)).toBe(true);
  expect(readConfig({ ...env, TRIBUTARY_PUBLIC_URL: "" }).publicUrl).toBeUndefined();
  expect(() => readConfig({ ...env, TRIBUTARY_PUBLIC_URL: "a.example.com" })).toThrow("PUBLIC_URL");
});

describe("a count of hops", () => {
  const KEY = "k".repeat(32);

  it.each<[string, Record<string, string>, number]>([
    ["none", {}, 0],
    ["ours", hopHeaders(2, KEY), 3],
    ["ours, beyond the most", hopHeaders(MOST_HOPS, KEY), MOST_HOPS + 1],
    ["another deployment's", hopHeaders(1, "other"), 2],
    ["another's, beyond the most", hopHeaders(90, "other"), MOST_HOPS],
    ["made up", { "tributary-hops": "999" }, MOST_HOPS],
    ["no number", { "tributary-hops": "-1" }, 0],
    ["too long", { "tributary-hops": "9".repeat(50) }, 0],
  ])("that is %s is read", (_, headers, hops) => {
    expect(hopsOf(new Headers(headers), KEY)).toBe(hops);
  });
});
