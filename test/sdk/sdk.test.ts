import { describe, expect, it, vi } from "vitest";
import { standardHeaders } from "../../src/delivery/signature";
import { CallbackError, createClient, TributaryError, verifyCallback } from "../../src/sdk/sdk";

type Answer = { status: number; body?: unknown; headers?: Record<string, string> };

/** A client whose requests are answered in this order; what it sent is kept. */
function clientOf(...answers: (Answer | Error)[]) {
  const sent: { url: string; init: RequestInit }[] = [];
  const client = createClient({
    baseUrl: "https://tributary.example/",
    accessToken: "token",
    fetch: async (url, init = {}) => {
      sent.push({ url: typeof url === "string" ? url : "", init });
      const answer = answers[Math.min(sent.length, answers.length) - 1];
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("none");
      return new Response(JSON.stringify(answer.body ?? {}), {
        status: answer.status,
        headers: answer.headers ?? {},
      });
    },
  });
  return { client, sent };
}

const headerOf = (init: RequestInit | undefined, name: string) =>
  new Headers(init?.headers as Record<string, string>).get(name);

describe("sendAppEvent", () => {
  it("encodes the event, sends a key and the token, and tells the event's id", async () => {
    const { client, sent } = clientOf({
      status: 200,
      body: { triggers: [] },
      headers: { "x-event-id": "e1" },
    });
    const answer = await client.api.sendAppEvent(
      "a/b c",
      { n: 1 },
      { flowId: "f", query: { q: 2 } },
    );
    expect(answer).toEqual({ triggers: [], eventId: "e1" });
    expect(sent[0]?.url).toBe(
      "https://tributary.example/plugins/appmixer/utils/appevents/events/a%2Fb%20c?q=2&flowId=f",
    );
    expect(headerOf(sent[0]?.init, "idempotency-key")).toHaveLength(36);
    expect(headerOf(sent[0]?.init, "authorization")).toBe("Bearer token");
    expect(sent[0]?.init.body).toBe('{"n":1}');
  });

  it("sends no body for undefined data", async () => {
    const { client, sent } = clientOf({ status: 200 });
    await client.sendAppEvent("ping");
    expect(sent[0]?.init.body).toBeUndefined();
  });

  it("tries again with the same key after network errors and 503, and returns errors", async () => {
    const errors = [{ message: "m", code: "TRIGGER_FAILURE" }];
    const { client, sent } = clientOf(
      new Error("offline"),
      { status: 503 },
      {
        status: 200,
        body: { triggers: [], errors },
      },
    );
    expect(await client.sendAppEvent("x", null)).toMatchObject({ errors });
    const keys = sent.map(({ init }) => headerOf(init, "idempotency-key"));
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(3);
  });

  it("throws what is not 2xx with status, code, message and data", async () => {
    const body = { statusCode: 422, message: "The Idempotency-Key was used before" };
    const { client } = clientOf({ status: 422, body });
    const error = await client.sendAppEvent("x", 1).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TributaryError);
    expect(error).toMatchObject({ status: 422, code: 422, message: body.message, data: body });
  });
});

describe("the client", () => {
  type Client = ReturnType<typeof createClient>;
  const draft = { name: "F", flow: {} };
  it.each<[string, (client: Client) => Promise<unknown>, string, string, unknown]>([
    ["flows.list", (c) => c.flows.list({ limit: 5 }), "GET", "/flows?limit=5", undefined],
    ["flows.get", (c) => c.flows.get("a/b"), "GET", "/flows/a%2Fb", undefined],
    ["flows.create", (c) => c.flows.create(draft), "POST", "/flows", draft],
    [
      "flows.update",
      (c) => c.flows.update("f", draft, { forceUpdate: true }),
      "PUT",
      "/flows/f?forceUpdate=true",
      draft,
    ],
    ["flows.remove", (c) => c.flows.remove("f"), "DELETE", "/flows/f", undefined],
    [
      "flows.start",
      (c) => c.flows.start("f"),
      "POST",
      "/flows/f/coordinator",
      { command: "start" },
    ],
    ["flows.stop", (c) => c.flows.stop("f"), "POST", "/flows/f/coordinator", { command: "stop" }],
    [
      "flows.clone",
      (c) => c.flows.clone("f", { isTemplateInstance: true }),
      "POST",
      "/flows/f/clone",
      { isTemplateInstance: true },
    ],
    ["logs", (c) => c.logs({ flowId: "f" }), "GET", "/logs?flowId=f", undefined],
    ["unprocessed.list", (c) => c.unprocessed.list(), "GET", "/unprocessed-messages", undefined],
    ["unprocessed.get", (c) => c.unprocessed.get("m"), "GET", "/unprocessed-messages/m", undefined],
    [
      "unprocessed.remove",
      (c) => c.unprocessed.remove("m"),
      "DELETE",
      "/unprocessed-messages/m",
      undefined,
    ],
    [
      "unprocessed.retry",
      (c) => c.unprocessed.retry("m"),
      "POST",
      "/unprocessed-messages/m/retry",
      undefined,
    ],
    [
      "signUp",
      (c) => c.signUp({ username: "u", password: "p" }),
      "POST",
      "/user",
      { username: "u", password: "p" },
    ],
    ["signIn", (c) => c.signIn("u", "p"), "POST", "/user/auth", { username: "u", password: "p" }],
  ])("%s asks as the reference says", async (_, act, method, path, body) => {
    const { client, sent } = clientOf({ status: 200, body: { token: "t" } });
    await act(client);
    const [{ url, init } = { url: "", init: {} }] = sent;
    expect([init.method, url]).toEqual([method, `https://tributary.example${path}`]);
    const text = init.body;
    expect(typeof text === "string" ? JSON.parse(text) : text).toEqual(body);
  });

  it("sends the token it was given last, and none when it was taken away", async () => {
    const { client, sent } = clientOf({ status: 200, body: [] });
    client.setAccessToken("other");
    await client.flows.list();
    client.setAccessToken(undefined);
    await client.flows.list();
    expect(sent.map(({ init }) => headerOf(init, "authorization"))).toEqual(["Bearer other", null]);
  });

  it("gives up after three retries, waits as long as it is told, and after a time without answer", async () => {
    vi.useFakeTimers();
    try {
      const limited = { status: 429, headers: { "retry-after": "7" } };
      const { client, sent } = clientOf(limited);
      const began = Date.now();
      const refused = client.sendAppEvent("x").catch((error: unknown) => error);
      await vi.runAllTimersAsync();
      expect(await refused).toMatchObject({ name: "TributaryError", status: 429 });
      expect(sent).toHaveLength(4);
      expect(Date.now() - began).toBe(21_000);
      const offline = clientOf(new Error("offline"));
      const failed = offline.client.sendAppEvent("x").catch((error: unknown) => error);
      await vi.runAllTimersAsync();
      expect(await failed).toMatchObject({ status: 0, code: 0, message: "offline" });
      expect(offline.sent).toHaveLength(4);
    } finally {
      vi.useRealTimers();
    }
    const silent = createClient({
      baseUrl: "https://tributary.example",
      timeoutMs: 20,
      fetch: (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => reject(new Error("timed out")));
        }),
    });
    await expect(silent.flows.create(draft)).rejects.toMatchObject({ status: 0 });
  });

  it("keeps the token of a sign-in, and does not repeat one that is refused", async () => {
    const { client, sent } = clientOf({ status: 200, body: { token: "t2" } }, { status: 403 });
    await client.signIn("ada", "password");
    await expect(client.signIn("ada", "wrong")).rejects.toMatchObject({ status: 403 });
    expect(sent).toHaveLength(2);
    expect(headerOf(sent[1]?.init, "authorization")).toBe("Bearer t2");
  });

  it("repeats a filter of several values", async () => {
    const { client, sent } = clientOf({ status: 200, body: [] });
    await client.flows.list({ filter: ["stage:running", "type:automation"], limit: 5 });
    expect(sent[0]?.url).toContain("filter=stage%3Arunning&filter=type%3Aautomation&limit=5");
  });
});

describe("verifyCallback", () => {
  const secret = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
  const other = `whsec_${btoa("fedcba9876543210fedcba9876543210")}`;
  const now = 1_800_000_000_000;
  const body = '{"test": 1}';
  const headers = standardHeaders("n_1", now, body, [{ algorithm: "v1", secret }]);

  it("trusts what delivery signed, as a request or as headers and text", async () => {
    const request = new Request("https://app.example", { method: "POST", headers, body });
    expect(await verifyCallback(request, secret, now)).toMatchObject({ id: "n_1", body });
    expect(await verifyCallback({ headers, body }, [other, secret], now)).toMatchObject({ body });
  });

  it("trusts old and new secrets while a key is rotated, on either side", async () => {
    const both = standardHeaders("n_1", now, body, [
      { algorithm: "v1", secret: other },
      { algorithm: "v1", secret },
    ]);
    expect(both["webhook-signature"]?.split(" ")).toHaveLength(2);
    const sent = { headers: both, body };
    for (const known of [secret, other, [secret], [secret, other], [other, secret]])
      expect(await verifyCallback(sent, known, now)).toMatchObject({ id: "n_1", body });
    const third = `whsec_${btoa("00112233445566778899aabbccddeeff")}`;
    for (const known of [third, [third], []])
      await expect(verifyCallback(sent, known, now)).rejects.toThrow("No signature fits");
    // One side is ahead: it signs with the new secret alone, or knows the old one alone.
    const early = standardHeaders("n_1", now, body, [{ algorithm: "v1", secret: other }]);
    expect(await verifyCallback({ headers: early, body }, [secret, other], now)).toMatchObject({
      body,
    });
    await expect(verifyCallback({ headers: early, body }, secret, now)).rejects.toThrow(
      CallbackError,
    );
  });

  it("knows the public vector of Standard Webhooks", async () => {
    const vector = {
      headers: {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "Webhook-Timestamp": "1614265330",
        "Webhook-Signature": "v1a,nonsense v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      },
      body: '{"test": 2432232314}',
    };
    const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    expect(await verifyCallback(vector, key, 1_614_265_330_000)).toMatchObject({
      body: vector.body,
    });
  });

  it.each<[string, Record<string, string>, string, string, number]>([
    ["another body", headers, '{"test": 2}', secret, now],
    ["another secret", headers, body, other, now],
    ["an old timestamp", headers, body, secret, now + 301_000],
    ["a future timestamp", headers, body, secret, now - 301_000],
    ["half a signature", { ...headers, "webhook-signature": "v1,g0hM" }, body, secret, now],
    ["no signature", { "webhook-id": "a", "webhook-timestamp": "1800000000" }, body, secret, now],
    ["an empty secret", headers, body, "", now],
    ["a timestamp that is none", { ...headers, "webhook-timestamp": "soon" }, body, secret, now],
  ])("does not trust %s", async (_, sent, text, key, at) => {
    await expect(verifyCallback({ headers: sent, body: text }, key, at)).rejects.toThrow(
      CallbackError,
    );
  });
});
