import { beforeAll, describe, expect, it } from "vitest";
import { ask, foundation, newUser, type SignedIn } from "../accounts/ask";
import { step, trigger } from "../flows/build";

beforeAll(foundation);

const EVENTS = "/plugins/appmixer/utils/appevents/events";
const TRIGGERS = "/plugins/appmixer/utils/appevents/triggers";

const fire = (user: SignedIn, event: string, body: unknown, headers: Record<string, string> = {}) =>
  ask("POST", `${EVENTS}/${event}`, { token: user.token, body, headers });

async function startFlow(user: SignedIn, event = "contact-created"): Promise<string> {
  const { token } = user;
  const flow = { T: trigger(event), P: step({ url: "http://127.0.0.1:9/cb" }) };
  const made = await ask("POST", "/flows", { token, body: { name: "F", flow } });
  const { flowId } = made.body;
  const body = { command: "start" };
  expect((await ask("POST", `/flows/${flowId}/coordinator`, { token, body })).status).toBe(200);
  return flowId;
}

describe("sending an app event", () => {
  it("answers without errors when nobody listens, and keeps the event", async () => {
    const user = await newUser();
    const sent = await fire(user, "nobody-listens", { a: 1 });
    expect(sent).toMatchObject({ status: 200 });
    expect(sent.body).toEqual({ triggers: [] });
    const eventId = sent.headers.get("x-event-id");
    const kept = await ask("GET", `/app-events/${eventId}`, { token: user.token });
    expect(kept.body).toMatchObject({
      eventId,
      event: "nobody-listens",
      matched: false,
      data: { a: 1 },
    });
  });

  it("tells each flow that it starts, with a new correlation id", async () => {
    const user = await newUser();
    const flows = [await startFlow(user), await startFlow(user)];
    const { body } = await fire(user, "contact-created", { email: "a@b" });
    expect(body.errors).toEqual([]);
    expect(body.triggers.map(({ flowId }: any) => flowId).toSorted()).toEqual(flows.toSorted());
    expect(new Set(body.triggers.map(({ correlationId }: any) => correlationId)).size).toBe(2);
    expect(body.triggers[0].createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it("reaches neither another user's flow of the same name, nor one that is stopped, nor another case", async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    await startFlow(bob);
    const stopped = await startFlow(ada);
    const token = ada.token;
    await ask("POST", `/flows/${stopped}/coordinator`, { token, body: { command: "stop" } });
    expect((await fire(ada, "contact-created", {})).body).toEqual({ triggers: [] });
    expect((await fire(bob, "Contact-Created", {})).body).toEqual({ triggers: [] });
  });

  it("limits itself to one flow of the user, and to none for a foreign id", async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const [one] = [await startFlow(ada), await startFlow(ada)];
    const foreign = await startFlow(bob);
    expect((await fire(ada, `contact-created?flowId=${one}`, {})).body.triggers).toHaveLength(1);
    expect((await fire(ada, `contact-created?flowId=${foreign}`, {})).body.triggers).toEqual([]);
  });

  it("decodes the name once, takes any JSON value, and an empty body as null", async () => {
    const user = await newUser();
    const seen = async (path: string, body?: unknown) => {
      const sent = await ask("POST", `${EVENTS}/${path}`, { token: user.token, body });
      const id = sent.headers.get("x-event-id");
      const { body: kept } = await ask("GET", `/app-events/${id}`, { token: user.token });
      return [kept.event, kept.data];
    };
    expect(await seen("a%2Fb%20c%2525", 5)).toEqual(["a/b c%25", 5]);
    expect(await seen("a/b")).toEqual(["a/b", null]);
    expect(await seen("%C3%A4", "text")).toEqual(["ä", "text"]);
    expect(await seen("x", false)).toEqual(["x", false]);
  });

  it.each<[string, number, string, Record<string, string>, string]>([
    ["a body that is no JSON", 400, "{", {}, "x"],
    [
      "another content type",
      415,
      "a=1",
      { "content-type": "application/x-www-form-urlencoded" },
      "x",
    ],
    ["more than 1 MiB", 413, JSON.stringify("x".repeat(1_048_576)), {}, "x"],
    ["brackets without end", 400, "[".repeat(100_000) + "]".repeat(100_000), {}, "x"],
    ["a name too long", 400, "1", {}, "n".repeat(257)],
    ["a name that is not encoded right", 400, "1", {}, "%E0%A4%A"],
    ["an idempotency key too long", 400, "1", { "idempotency-key": "k".repeat(256) }, "x"],
  ])("refuses %s with %i", async (_, status, body, headers, name) => {
    const user = await newUser();
    const { exports } = await import("cloudflare:workers");
    const response = await exports.default.fetch(`http://tributary.example${EVENTS}/${name}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${user.token}`,
        "content-type": "application/json",
        ...headers,
      },
      body,
    });
    expect(await response.json()).toMatchObject({ statusCode: status });
    expect(response.status).toBe(status);
  });

  it("answers a repeated key as the first time, at the same time too, and queues nothing", async () => {
    const user = await newUser();
    await startFlow(user);
    const key = { "idempotency-key": "order-1" };
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => fire(user, "contact-created", { n: 1 }, key)),
    );
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(new Set(answers.map(({ headers }) => headers.get("x-event-id"))).size).toBe(1);
    const replayed = answers.filter(
      ({ headers }) => headers.get("idempotency-replayed") === "true",
    );
    expect(replayed).toHaveLength(7);
    const history = await ask("GET", "/app-events", { token: user.token });
    expect(history.body.items).toHaveLength(1);
  });

  it("refuses a repeated key with another request, and knows keys by event and user", async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const key = { "idempotency-key": "k" };
    await fire(ada, "one", { n: 1 }, key);
    expect((await fire(ada, "one", { n: 2 }, key)).status).toBe(422);
    expect((await fire(ada, "one?x=1", { n: 1 }, key)).status).toBe(422);
    expect((await fire(ada, "two", { n: 2 }, key)).status).toBe(200);
    expect((await fire(bob, "one", { n: 2 }, key)).status).toBe(200);
  });
});

describe("history", () => {
  it("lists newest first, page by page, by event, flow and match", async () => {
    const user = await newUser();
    const { token } = user;
    const flowId = await startFlow(user, "heard");
    for (let n = 0; n < 5; n += 1) await fire(user, n % 2 === 0 ? "heard" : "unheard", { n });
    const list = async (query: string) =>
      (await ask("GET", `/app-events?${query}`, { token })).body;
    const first = await list("limit=2");
    const second = await list(`limit=2&cursor=${first.next}`);
    const third = await list(`limit=2&cursor=${second.next}`);
    const all = [...first.items, ...second.items, ...third.items].map(({ event }: any) => event);
    expect(all).toEqual(["heard", "unheard", "heard", "unheard", "heard"]);
    expect(third.next).toBeUndefined();
    expect((await list("event=heard")).items).toHaveLength(3);
    expect((await list("matched=false")).items).toHaveLength(2);
    expect((await list(`flowId=${flowId}`)).items).toHaveLength(3);
    expect((await ask("GET", "/app-events?matched=maybe", { token })).status).toBe(400);
  });

  it("replays the stored body to today's triggers as a new event", async () => {
    const user = await newUser();
    const sent = await fire(user, "later", { a: 1 });
    const eventId = sent.headers.get("x-event-id");
    await startFlow(user, "later");
    const again = await ask("POST", `/app-events/${eventId}/replay`, { token: user.token });
    expect(again.body.triggers).toHaveLength(1);
    const newId = again.headers.get("x-event-id");
    expect(newId).not.toBe(eventId);
    const kept = await ask("GET", `/app-events/${newId}`, { token: user.token });
    expect(kept.body).toMatchObject({ data: { a: 1 }, replayOf: eventId, matched: true });
  });

  it("shows nobody another user's events", async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const eventId = (await fire(ada, "secret", {})).headers.get("x-event-id");
    for (const [method, path] of [
      ["GET", `/app-events/${eventId}`],
      ["POST", `/app-events/${eventId}/replay`],
    ] as const)
      expect((await ask(method, path, { token: bob.token })).status).toBe(404);
  });
});

describe("triggers", () => {
  it("are registered for one's own running flows only, and deleted as often as you like", async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const flowId = await startFlow(ada);
    const body = { event: "renamed", componentId: "T", flowId };
    expect((await ask("POST", TRIGGERS, { token: bob.token, body })).status).toBe(404);
    const unknown = { ...body, componentId: "nope" };
    expect((await ask("POST", TRIGGERS, { token: ada.token, body: unknown })).status).toBe(404);
    const registered = await ask("POST", TRIGGERS, { token: ada.token, body });
    expect(registered).toMatchObject({ status: 200, body });
    expect((await fire(ada, "renamed", {})).body.triggers).toHaveLength(1);
    expect((await fire(ada, "contact-created", {})).body.triggers).toEqual([]);
    const remove = (user: SignedIn) => ask("DELETE", `${TRIGGERS}/T`, { token: user.token });
    expect(await remove(bob)).toMatchObject({ status: 200, body: {} });
    expect((await fire(ada, "renamed", {})).body.triggers).toHaveLength(1);
    await remove(ada);
    expect(await remove(ada)).toMatchObject({ status: 200, body: {} });
    expect((await fire(ada, "renamed", {})).body.triggers).toEqual([]);
  });
});

describe("variables", () => {
  it.each([{ flow: false }, { flow: null }, { components: false }, { components: { IDs: false } }])(
    "are those of the stored flow where a client sends %j",
    async (sent) => {
      const { token } = await newUser();
      const flow = { T: trigger("variables-false"), P: step() };
      const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
      const path = `/variables/${flowId}/fetch`;
      const plain = await ask("POST", path, { token, body: {} });
      const { status, body } = await ask("POST", path, { token, body: sent });
      expect({ status, body }).toEqual({ status: 200, body: plain.body });
    },
  );

  it("are told for the component and for a flow", async () => {
    const { token } = await newUser();
    const path = "/component/appmixer/utils/appevents/OnAppEvent?outPort=out";
    const eventDataExample = '{"email":"a@b"}';
    const options = await ask("POST", path, { token, body: { properties: { eventDataExample } } });
    expect(options.body).toMatchObject([
      { label: "Data", value: "data", schema: { type: "object" } },
    ]);
    const made = await ask("POST", "/flows", { token, body: { name: "F", flow: {} } });
    const T = { ...trigger(), config: { properties: { event: "e", eventDataExample } } };
    const body = { flow: { T, P: step() }, components: { IDs: ["P"] } };
    const fetched = await ask("POST", `/variables/${made.body.flowId}/fetch`, { token, body });
    expect(fetched.body.components.P.links.in.T.out.variables).toMatchObject({
      dynamic: [{ componentId: "T", label: "Data", port: "out", value: "{{{$.T.out.data}}}" }],
      flat: [{ path: "data" }, { path: "data.email", label: "email", type: "string" }],
    });
  });
});
