import { createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ask } from "../accounts/ask";
import { receiver, silence } from "../delivery/build";
import { address, faultsOf, newEndpoints } from "./endpoint";

/** How the calls of an endpoint are made: what it says of that, and what its receiver gets. */

const M = "********";
let on: Awaited<ReturnType<typeof newEndpoints>>;

beforeAll(async () => {
  on = await newEndpoints();
});
afterEach(() => vi.unstubAllGlobals());

describe("signature", () => {
  const HUB = { header: "X-Hub-Signature-256", prefix: "sha256=", encoding: "hex" };
  const hub = (secret: string, body: string): string =>
    `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

  it("is sent beside the Standard Webhooks headers, and shown as it was sent", async () => {
    const url = address();
    const got = receiver(
      () => new Response(),
      (one) => one.url === url,
    );
    const { id } = await on.made({ url, signature: { ...HUB, secret: "hush-hush" } });
    const { id: delivery } = (await on.send(id, "delivered"))[0];
    const [one] = got;
    expect(one?.headers.get("webhook-signature")).toMatch(/^v1,/);
    expect(one?.headers.get("x-hub-signature-256")).toBe(hub("hush-hush", one?.body ?? ""));
    const { body } = await ask("GET", `/v1/deliveries/${delivery}`, { headers: on.headers });
    expect(body.request.headers["x-hub-signature-256"]).toBe(hub("hush-hush", one?.body ?? ""));
  });

  it("is shown whole with its secret masked, kept by the mask, replaced as a whole, and taken away", async () => {
    const signature = { ...HUB, content: "${id}.${body}", idHeader: "x-id", secret: "hush-hush" };
    const one = await on.made({ signature });
    const shown = {
      ...signature,
      separator: null,
      algorithm: "sha256",
      keyFormat: "text",
      timestampHeader: null,
      secret: M,
    };
    expect(one["signature"]).toEqual(shown);
    const again = await on.changed(one.id, {
      signature: { ...one["signature"], encoding: "base64" },
    });
    expect(again["signature"]).toEqual({ ...shown, encoding: "base64" });
    expect(await on.kept(one.id)).not.toContain("hush");
    const url = address();
    const got = receiver(
      () => new Response(),
      (sent) => sent.url === url,
    );
    await on.changed(one.id, { url });
    const { id: delivery } = (await on.send(one.id, "delivered"))[0];
    const signed = createHmac("sha256", "hush-hush").update(`${delivery}.${got[0]?.body}`);
    expect(got[0]?.headers.get("x-hub-signature-256")).toBe(`sha256=${signed.digest("base64")}`);
    const less = await on.changed(one.id, { signature: { header: "x-own", encoding: "hex" } });
    expect(less["signature"]).toMatchObject({ prefix: "", idHeader: null, secret: null });
    expect((await on.changed(one.id, { signature: null }))["signature"]).toBeNull();
    const { body: list } = await on.call("GET", "?kind=endpoint");
    expect(list.items.find(({ id }: { id: string }) => id === one.id).signature).toBeNull();
  });

  it.each<[string, object, string[]]>([
    ["is no object", { signature: "hmac" }, ["signature"]],
    ["says not enough", { signature: {} }, ["signature.encoding", "signature.header"]],
    [
      "is in headers that are ours or the connection's",
      {
        signature: {
          ...HUB,
          header: "webhook-signature",
          idHeader: "Connection",
          timestampHeader: "webhook-timestamp",
        },
      },
      ["signature.header", "signature.idHeader", "signature.timestampHeader"],
    ],
    [
      "is in a header that something else is in",
      { headers: { "x-hub-signature-256": "1" }, signature: { ...HUB, idHeader: HUB.header } },
      ["signature.header", "signature.idHeader"],
    ],
    ["signs no body", { signature: { ...HUB, content: "${timestamp}" } }, ["signature.content"]],
    [
      "signs what isn't there",
      { signature: { ...HUB, content: "${url}${body}", prefix: "${body}" } },
      ["signature.content", "signature.prefix"],
    ],
    [
      "has a key that is none",
      { signature: { ...HUB, secret: "xyz", keyFormat: "hex" } },
      ["signature.secret"],
    ],
    ["has no key in hex", { signature: { ...HUB, keyFormat: "hex" } }, ["signature.keyFormat"]],
    ["keeps what isn't there", { signature: { ...HUB, secret: M } }, ["signature.secret"]],
  ])("is refused where it %s", async (_, wants, fields) => {
    const { status, body } = await on.post(wants);
    expect([status, faultsOf(body)]).toEqual([400, fields]);
  });

  it("is refused where headers that are stored, or change, have its name", async () => {
    const one = await on.made({ headers: { "x-own": "1" } });
    const signature = { ...HUB, header: "X-Own" };
    const { body } = await on.call("PATCH", `/${one.id}`, { signature });
    expect(body.error.field).toBe("signature.header");
    await on.changed(one.id, { signature, headers: {} });
    const twice = await on.call("PATCH", `/${one.id}`, { headers: { "x-own": "1" } });
    expect(twice.body.error.field).toBe("headers.X-Own");
  });
});

describe("timeoutMs", () => {
  it("is shown, changed, taken away, and ends a call of its time", async () => {
    const url = address();
    receiver(({ url: to }) => (to === url ? silence() : new Response()));
    const { id, timeoutMs } = await on.made({ url, timeoutMs: 1_000, retrySchedule: [0, 3_600] });
    expect(timeoutMs).toBe(1_000);
    const { notification } = (await on.send(id, "retrying"))[0];
    expect(notification.attempts).toMatchObject([
      { status: null, error: "No answer within 1000 ms" },
    ]);
    expect((await on.changed(id, { timeoutMs: 30_000 }))["timeoutMs"]).toBe(30_000);
    expect((await on.changed(id, { timeoutMs: null }))["timeoutMs"]).toBe(15_000);
  });

  it.each([999, 30_001, 1_500.5, "5 s"])("is never %s", async (timeoutMs) => {
    const { status, body } = await on.post({ timeoutMs });
    expect([status, body.error.field, body.error.message]).toEqual([
      400,
      "timeoutMs",
      "timeoutMs: Expected a whole number of milliseconds, 1000 to 30000",
    ]);
  });
});

describe("concurrency", () => {
  it("is shown, changed and taken away", async () => {
    const { id, concurrency } = await on.made({ concurrency: 3 });
    expect(concurrency).toBe(3);
    expect((await on.changed(id, { concurrency: 1 }))["concurrency"]).toBe(1);
    expect((await on.changed(id, { concurrency: null }))["concurrency"]).toBe(100);
  });

  it.each([0, 101, 1.5, "many"])("is never %s", async (concurrency) => {
    const { status, body } = await on.post({ concurrency });
    expect([status, body.error.field, body.error.message]).toEqual([
      400,
      "concurrency",
      "concurrency: Expected a whole number, 1 to 100",
    ]);
  });
});
