import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Stack, startStack } from "./stack.ts";

let stack: Stack;
let receiver: Receiver;

beforeAll(async () => {
  [stack, receiver] = await Promise.all([startStack(), startReceiver()]);
});
afterAll(async () => {
  await stack.stop();
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

  it("starts two hundred flows before it is answered, each once, and none that is stopped", async () => {
    const ada = await newUser();
    const ids = [];
    for (let index = 0; index < 200; index += 1)
      ids.push(
        await ada.startFlow({
          T: trigger("many"),
          P: step("T", { url: `${receiver.url}/many/${index}`, body: "{{{$.T.out.data}}}" }),
        }),
      );
    await ada.call("POST", `/flows/${ids[0]}/coordinator`, { command: "stop" });
    const sent = await ada.fire("many", { n: 1 });
    expect(sent.body.triggers).toHaveLength(199);
    const many = () => receiver.deliveries.filter(({ path }) => path.startsWith("/many/"));
    await receiver.waitFor(() => many().length >= 199, 40_000);
    await sleep(500);
    expect(many()).toHaveLength(199);
    expect(new Set(many().map(({ path }) => path)).size).toBe(199);
    expect(at("/many/0")).toEqual([]);
    const eventId = sent.headers.get("x-event-id");
    const replayed = await ada.call("POST", `/app-events/${eventId}/replay`, { flowId: ids[1] });
    expect(replayed.body.triggers).toHaveLength(1);
    await receiver.waitFor(() => at("/many/1").length === 2);
    const history = await ada.call("GET", "/app-events?event=many");
    expect(history.body.items).toMatchObject([{ replayOf: eventId }, { eventId, matched: true }]);
  }, 120_000);
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
