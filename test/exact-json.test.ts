import { env, exports } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { newUser } from "./accounts/ask";
import { create, VENDOR, withToken } from "./elements/build";
import { trigger, step } from "./flows/build";
import { FIRST, firstOrganization, MINE } from "./organization";
import { consume, keepDeliveries, streamOf } from "./polling/build";
import { V1 } from "./resources/build";

/** What goes in comes out, digit by digit, on every way through the platform. */

/** JSON values that a careless reader or writer changes. */
const VALUES = {
  "a whole number above 2^53": "9130350000000000001",
  "a negative one": "-9007199254740993",
  "a number no double is as large as": "1e400",
  "one no double is as small as": "-2.5E-400",
  "a long decimal": "3.14159265358979323846",
  "a price": "1.10",
  "a whole decimal": "10.00",
  "minus nought": "-0",
  "an exponent": "1E2",
  "half of a surrogate pair": '"\\ud83d"',
  "a nought character": '"a\\u0000b"',
  "a list of them": "[1.10,9130350000000000001,[-0,{}],1e400]",
  "a member named __proto__": '{"__proto__":{"n":1.50},"constructor":1e400}',
  "a member named toJSON": '{"toJSON":"x","n":2}',
} as const;

/** All of them in one object, as it stands in a text. */
const SAMPLE = `{${Object.values(VALUES)
  .map((value, index) => `"m${index}":${value}`)
  .join(",")}}`;

beforeAll(firstOrganization);
afterEach(() => vi.unstubAllGlobals());

/** Asks the Worker; the answer's text. */
async function text(
  method: string,
  path: string,
  authorization: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await exports.default.fetch(`https://tributary.example${path}`, {
    method,
    headers: { authorization, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const answer = await response.text();
  if (response.status > 299) throw new Error(`${response.status} ${answer}`);
  return answer;
}
const json = async (...request: Parameters<typeof text>) => JSON.parse(await text(...request));

/** The outside world: every request is kept and answered by `answer`. */
function outside(answer: (url: URL) => string = () => "{}"): { url: URL; body: string }[] {
  const sent: { url: URL; body: string }[] = [];
  vi.stubGlobal("fetch", async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    sent.push({ url, body: await request.text() });
    return new Response(answer(url), { headers: { "content-type": "application/json" } });
  });
  return sent;
}

/** Sends what a stream has queued; the bodies that arrived at `host`. */
async function delivered(
  queued: unknown[],
  sent: { url: URL; body: string }[],
  host: string,
): Promise<string[]> {
  await expect.poll(() => queued.length).toBeGreaterThan(0);
  await consume("tributary-deliveries", queued.splice(0));
  return sent.filter(({ url }) => url.host === host).map(({ body }) => body);
}

const hostOf = () => `${crypto.randomUUID()}.example`;
const V1_KEY = `Bearer ${FIRST.apiKey}`;

describe("exact JSON", () => {
  it("of a polled record, in the callback and in every list", async () => {
    const at = new Date().toISOString();
    const record = `{"id":9130350000000000001,"createdDate":"${at}","updatedDate":"${at}","deleted":false,"sample":${SAMPLE}}`;
    const host = hostOf();
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const callback = { "event.notification.callback.url": `https://${host}/` };
    const { id } = await create({ ...callback, "event.poller.since": since });
    const sent = outside((url) => (url.origin === VENDOR ? `{"data":[${record}]}` : ""));
    const queued = await keepDeliveries(streamOf({ id }));
    const dry = await text("POST", `/v1/instances/${id}/poll?dryRun=true`, V1_KEY, "{}");
    expect(dry).toContain(record);
    await text("POST", `/v1/instances/${id}/poll`, V1_KEY, "{}");
    const [body = ""] = await delivered(queued, sent, host);
    expect(body).toContain(`"accounts":[${record}]`);
    expect(body).toContain('"objectId":"9130350000000000001"');

    const events = await text("GET", `/v1/streams/instance:${id}/events`, V1_KEY);
    expect(events).toContain(record);
    const history = await json("GET", `/elements/api-v2/instances/${id}/events`, MINE);
    expect(history[0].providerData).toContain(record);
    const listed = await json("GET", `/v1/deliveries?source=instance:${id}`, V1_KEY);
    const one = await json("GET", `/v1/deliveries/${listed.items[0].id}`, V1_KEY);
    expect(one.request.body).toContain(record);
  });

  it.each([
    ["no transform", undefined],
    ["the identity", "$"],
    ["a transform that passes a part on", '{"kept": message.raw}'],
    ["a transform that copies and changes", "$ ~> |message|{'more': 1}|"],
  ])("of a webhook, through %s and a filter", async (_, transform) => {
    const host = hostOf();
    const { id } = await create(
      {
        "event.notification.callback.url": `https://${host}/`,
        "event.vendor.type": "webhook",
        "event.objects": "issues",
        "event.vendor.signature.key": "secret",
        "event.notification.filter": "data.issue.number = '9130350000000000001'",
        ...(transform === undefined ? {} : { "event.notification.transform": transform }),
        "github.owner": "o",
        "github.repository": "r",
        "github.token": "t",
      },
      { element: { key: "github" } },
    );
    const sent = outside();
    const queued = await keepDeliveries(streamOf({ id }));
    const body = `{"action":"opened","issue":{"number":9130350000000000001},"sample":${SAMPLE}}`;
    const signature = createHmac("sha256", "secret").update(body).digest("hex");
    await text("POST", `/elements/api-v2/events/github/${btoa(String(id))}`, "", body, {
      "x-hub-signature-256": `sha256=${signature}`,
      "x-github-event": "issues",
      "x-github-delivery": crypto.randomUUID(),
    });
    const [callback] = await delivered(queued, sent, host);
    expect(callback).toContain(body);
  });

  it("of an app event, in its history, its replay, and a flow's body, text, query and form", async () => {
    const { token } = await newUser();
    const bearer = `Bearer ${token}`;
    const host = hostOf();
    const url = `https://${host}/`;
    const form = { headers: { "content-type": "application/x-www-form-urlencoded" } };
    const flow = {
      T: trigger("changed"),
      A: step({ url, body: { whole: "{{{$.T.out.data}}}", one: ["{{{$.T.out.data.m5}}}"] } }),
      B: step({ url, body: "id={{{$.T.out.data.m0}}}&p={{{$.T.out.data.m5}}}" }),
      C: step(
        { url, body: { id: "{{{$.T.out.data.m0}}}", p: "{{{$.T.out.data.m5}}}" } },
        {},
        { type: "appmixer.utils.http.Get" },
      ),
      D: step({ url, ...form, body: { id: "{{{$.T.out.data.m2}}}", p: "{{{$.T.out.data.m5}}}" } }),
      E: step({ url, body: "{{{$.T.out.data.m0}}}" }),
    };
    const made = await json("POST", "/flows", bearer, JSON.stringify({ name: "F", flow }));
    await text("POST", `/flows/${made.flowId}/coordinator`, bearer, '{"command":"start"}');
    const { userId } = await json("GET", "/user", bearer);
    const stream = env.EVENT_STREAMS.getByName(`1/user:${userId ?? ""}`);
    const queued = await keepDeliveries(stream);
    const sent = outside();
    await text("POST", "/plugins/appmixer/utils/appevents/events/changed", bearer, SAMPLE);
    await expect
      .poll(async () => {
        await consume("tributary-deliveries", queued.splice(0));
        return sent.filter((one) => one.url.host === host).length;
      })
      .toBe(5);
    const bodies = sent.filter((one) => one.url.host === host).map((one) => one.body);
    expect(bodies).toContain(`{"whole":${SAMPLE},"one":[1.10]}`);
    expect(bodies).toContain("id=9130350000000000001&p=1.10");
    expect(bodies).toContain("id=1e400&p=1.10");
    expect(bodies).toContain("9130350000000000001");
    const queries = sent.map((one) => one.url.search);
    expect(queries).toContain("?id=9130350000000000001&p=1.10");

    const { items } = await json("GET", "/app-events", bearer);
    expect(await text("GET", `/app-events/${items[0].eventId}`, bearer)).toContain(
      `"data":${SAMPLE}`,
    );
    await text("POST", `/app-events/${items[0].eventId}/replay`, bearer, "{}");
    const again = await json("GET", "/app-events", bearer);
    expect(await text("GET", `/app-events/${again.items[0].eventId}`, bearer)).toContain(
      `"data":${SAMPLE}`,
    );
  });

  it.each(Object.entries(VALUES))("of an app event that is %s alone", async (_, value) => {
    const { token } = await newUser();
    const bearer = `Bearer ${token}`;
    await text("POST", "/plugins/appmixer/utils/appevents/events/alone", bearer, value);
    const { items } = await json("GET", "/app-events", bearer);
    expect(await text("GET", `/app-events/${items[0].eventId}`, bearer)).toContain(
      `"data":${value}}`,
    );
  });

  it("of a resource, written, read, patched, listed and told of", async () => {
    const name = `exact-${crypto.randomUUID()}`;
    const path = `${V1}/environments`;
    const sub = `"x-sample":${SAMPLE},"x-price":1.10`;
    const body = `{"name":"${name}","attributes":{},"spec":{},${sub}}`;
    await text("POST", path, V1_KEY, body);
    for (const member of [`"x-sample":${SAMPLE}`, '"x-price":1.10'])
      await text("PUT", `${path}/${name}/${/"([^"]+)"/.exec(member)?.[1]}`, V1_KEY, `{${member}}`);
    const shown = await text("GET", `${path}/${name}`, V1_KEY);
    expect(shown).toContain(`"x-sample":${SAMPLE}`);
    expect(shown).toContain('"x-price":1.10');
    expect(await text("GET", `${path}/${name}/x-price`, V1_KEY)).toBe('{"x-price":1.10}');
    const query = `query=name==${name}`;
    expect(await text("GET", `${path}?${query}`, V1_KEY)).toContain(SAMPLE);
    expect(await text("GET", `${path}?${query}&fields=name,x-price`, V1_KEY)).toContain(
      '"x-price":1.10',
    );
    const patched = await text(
      "PATCH",
      `${path}/${name}`,
      V1_KEY,
      `[{"op":"add","path":"/x-list","value":[1.10,{"n":1e400}]},
        {"op":"add","path":"/x-list/0","value":2.20},
        {"op":"replace","path":"/x-price","value":3.30}]`,
      { "content-type": "application/json-patch+json" },
    );
    expect(patched).toContain('"x-list":[2.20,1.10,{"n":1e400}]');
    expect(patched).toContain('"x-price":3.30');
    expect(patched).toContain(`"x-sample":${SAMPLE}`);
    const events = await text("GET", "/v1/streams/scope:-/events?limit=200", V1_KEY);
    expect(events).toContain('"x-list":[2.20,1.10,{"n":1e400}]');
  });

  it("of what a hub creates, updates, reads and lists", async () => {
    const record = `{"id":9130350000000000001,"price":1.10,"sample":${SAMPLE}}`;
    const instance = await create();
    const token = withToken(instance);
    const sent = outside((url) => (url.search === "" ? record : `{"data":[${record}]}`));
    const accounts = "/elements/api-v2/hubs/crm/accounts";
    for (const [method, path] of [
      ["POST", accounts],
      ["PATCH", `${accounts}/7`],
    ] as const) {
      expect(await text(method, path, token, record)).toBe(record);
      expect(sent.splice(0).map(({ body }) => body)).toEqual([record]);
    }
    expect(await text("GET", `${accounts}/7`, token)).toBe(record);
    expect(await text("GET", `${accounts}/7?fields=id,price`, token)).toBe(
      '{"id":9130350000000000001,"price":1.10}',
    );
    expect(await text("GET", accounts, token)).toBe(`[${record}]`);
  });
});
