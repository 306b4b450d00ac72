import { describe, expect, it } from "vitest";
import { prepareStep } from "../../../src/flows/steps/prepare";
import { failureText } from "../../../src/flows/steps/failure";
import { descriptor, step, trigger } from "../build";

const message = {
  step: {
    format: "flow-step" as const,
    flowId: "f",
    componentId: "P",
    sender: { componentId: "T", port: "out" },
    correlationId: "run",
    startedAt: 5,
    input: "content" as const,
  },
  event: { id: "e", objectType: "app-event", objectId: "go", eventType: "SENT", date: 1 },
  data: { content: { method: "POST", data: { email: "a@b" } } },
};

const prepare = (lambda: Record<string, unknown>, modifiers = {}, componentId = "P") => {
  const flow = { id: "f", userId: 3, name: "Name", customFields: {} } as any;
  const running = { flow, descriptor: descriptor({ T: trigger(), P: step(lambda, modifiers) }) };
  const { step: ran } = message;
  const asked = { ...message, step: { ...ran, componentId } };
  return prepareStep({ id: "n", createdAt: 0 }, asked, running, {
    ring: [],
    publicUrl: "https://t.example",
  });
};

describe("the request of a step that is about to leave", () => {
  it("is made from what its trigger sent: an app event's payload lies under data", async () => {
    const url = "https://example.com/cb";
    const prepared = await prepare({ url, body: { to: "{{{$.T.out.data.email}}}" } });
    expect(prepared?.scope).toEqual({ T: { out: { data: { email: "a@b" } } } });
    expect(prepared?.made).toMatchObject({
      ok: true,
      request: { method: "POST", url, body: '{"to":"a@b"}' },
    });
  });

  it("is the same at every try, with its clock and its UUIDs", async () => {
    const lambda = { url: "https://example.com/{{{u}}}", body: "{{{g_now}}} {{{u}}}" };
    const u = { variable: "g_uuid4", functions: [] };
    const tries = [1, 2].map(() => prepare(lambda, { url: { u }, body: { u } }));
    const [first, second] = await Promise.all(tries);
    expect(first).toEqual(second);
    expect(first?.input["body"]).toMatch(/^1970-01-01T00:00:00.000Z [\da-f-]{36}$/);
    expect(String(first?.input["body"]).slice(25)).not.toBe(String(first?.input["url"]).slice(20));
  });

  it.each<[string, Record<string, unknown>, string, Record<string, unknown>]>([
    ["its mapping fails", { url: "{{{m}}}" }, "url: g_first: Expected a list", {}],
    ["its input is no request", { url: "nope" }, "url: 'nope' is not a URL", { url: "nope" }],
  ])("is none when %s: the fault is told with the input", async (_, lambda, fault, input) => {
    const first = { name: "g_first", params: [], hashParams: {} };
    const m = { variable: "$.T.out.data.email", functions: [first] };
    const prepared = await prepare(lambda, { url: { m } });
    expect(prepared).toMatchObject({ made: { ok: false, message: fault }, input });
  });

  it("is none when the flow has no such step", async () => {
    expect(await prepare({}, {}, "X")).toBeUndefined();
    expect(await prepare({}, {}, "T")).toBeUndefined();
  });
});

describe("why a step failed for good", () => {
  const dead = (reason: "exhausted" | "too-large") => ({
    seq: 1,
    n: 1,
    next: { kind: "dead" as const, at: 0, reason },
  });
  const answered = {
    kind: "answered" as const,
    status: 400,
    headers: new Headers(),
    bytes: new Uint8Array(),
    text: "no".repeat(400),
    truncated: false,
  };
  it("is its answer, shortened, or what kept it from having one", () => {
    expect(failureText(dead("exhausted"), answered, 10)).toBe(
      `The answer was 400: ${"no".repeat(250)}`,
    );
    expect(failureText(dead("too-large"), answered, 10)).toBe("The answer is larger than 10 bytes");
    const fault = "The body could not be read: lost";
    expect(failureText(dead("exhausted"), { ...answered, fault }, 10)).toBe(
      "The answer was 400. The body could not be read: lost",
    );
    expect(failureText(dead("exhausted"), undefined, 10)).toBe("The step failed");
  });
});
