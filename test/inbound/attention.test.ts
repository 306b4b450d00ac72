import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { callV1 } from "../elements/build";
import { emulate, platform, VENDOR } from "../platform";
import { boxEmulator } from "../vendors/box";
import { CLIENT, CODE } from "../vendors/grants";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const codes = (body: any): string[] => body.attention.map(({ code }: any) => code);

/** Box by the letter of its documents, pointed at the emulator; `answer` may replace what that says. */
async function connect(
  configuration: Record<string, unknown> = {},
  refuseHooks?: { status: number; message: string },
) {
  const box = boxEmulator();
  const refused = { ...refuseHooks };
  emulate((request) =>
    refused.status !== undefined && request.path === "/2.0/webhooks"
      ? {
          status: refused.status,
          body: { type: "error", status: refused.status, code: "x", message: refused.message },
        }
      : box.answer(request),
  );
  onTestFinished(() => void vi.unstubAllGlobals());
  const { status, body } = await on.call("POST", "/instances", {
    element: { key: "box" },
    providerData: { code: CODE },
    configuration: {
      "oauth.api.key": CLIENT.id,
      "oauth.api.secret": CLIENT.secret,
      "base.url": VENDOR,
      "oauth.base.url": VENDOR,
      "event.notification.enabled": true,
      "event.notification.callback.url": "https://app.example/hook",
      ...configuration,
    },
    name: `box-${crypto.randomUUID()}`,
  });
  expect(status, JSON.stringify(body)).toBe(200);
  const read = async () => (await on.call("GET", `/instances/${body.id}`)).body;
  const change = async (changes: object) =>
    (await on.call("PATCH", `/instances/${body.id}`, { configuration: changes })).body;
  return { id: body.id as number, made: body, read, change, refused, box };
}

describe("an instance's answer says what needs attention", () => {
  it("from its creation on, wherever it is shown, until it is mended", async () => {
    const { id, made, read, change } = await connect();
    const expected = ["no-webhook-made", "no-signature-key"];
    expect(made.valid).toBe(true);
    expect(codes(made)).toEqual(expected);
    expect(codes(await read())).toEqual(expected);
    const listed = await on.call("GET", `/elements/box/instances/${id}`);
    expect(codes(listed.body)).toEqual(expected);
    const state = await callV1("GET", `/instances/${id}`);
    expect(state.body).toMatchObject({
      id,
      connector: "box",
      valid: true,
      events: { enabled: true, modes: ["polling", "webhook"] },
    });
    expect(codes(state.body)).toEqual(expected);
    expect(JSON.stringify(state.body)).not.toContain(made.token);
    expect(codes(await change({ "event.vendor.signature.key": "k" }))).toEqual(["no-webhook-made"]);
    expect(codes(await change({ "events.list.ids": "file:7" }))).toEqual([]);
  });

  it("in the vendor's words, since the first failure, when it made no webhook", async () => {
    const { made, read, change, refused } = await connect(
      { "event.vendor.signature.key": "k", "events.list.ids": "file:7,folder:8" },
      { status: 403, message: "The request needs the scope manage_webhook" },
    );
    const [first, ...others] = made.attention;
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      code: "registration-failed",
      message: expect.stringContaining(
        "for 2 of what `events.list.ids` lists ('file:7': Box answered with status 403: The request needs the scope manage_webhook;",
      ),
      since: expect.stringMatching(/Z$/),
    });
    refused.message = "Still not";
    await change({ tags: "x" });
    expect((await read()).attention).toMatchObject([
      { since: first.since, message: expect.stringContaining("Still not") },
    ]);
    delete refused.status;
    expect(codes(await change({ "events.list.ids": "file:7,folder:8" }))).toEqual([]);
  });

  it("with what was refused, as long as the reason stands", async () => {
    const { id, made, read, change } = await connect({ "events.list.ids": "file:7" });
    const deliver = () =>
      on.deliver(`/events/box/${btoa(String(id))}`, "{}", { "box-signature-primary": "x" });
    expect((await read()).attention[0]).not.toHaveProperty("since");
    expect((await deliver()).status).toBe(401);
    expect((await read()).attention).toMatchObject([
      {
        code: "no-signature-key",
        message: expect.stringContaining("1 in the last day"),
        since: expect.any(String),
      },
    ]);
    await change({ "event.vendor.signature.key": "k" });
    await deliver();
    expect(codes(await read())).toEqual(["deliveries-refused"]);
    // A list asks no stream.
    const list = await on.call("GET", `/instances?searchText=${made.name}`);
    expect(codes(list.body.find((one: any) => one.id === id))).toEqual([]);
  });
});
