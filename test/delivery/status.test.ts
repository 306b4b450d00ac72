import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { commit, event, freshStream, target } from "../stream/build";
import { timersEndWithin } from "../soon";
import { destination, eventually } from "./build";

/** The status line decides; what is wrong with the body after it is only shown. */

afterEach(() => {
  vi.unstubAllGlobals();
});

const text = (part: string) => new TextEncoder().encode(part);
const stream = (start: (controller: ReadableStreamDefaultController) => void) =>
  new ReadableStream<Uint8Array>({ start });

const bodies: [string, () => ReadableStream<Uint8Array>, string][] = [
  ["stalls", () => stream(() => undefined), "The body did not end within 15000 ms"],
  [
    "stalls in the middle",
    () => stream((controller) => controller.enqueue(text("half"))),
    "The body did not end within 15000 ms",
  ],
  [
    "comes a byte a second",
    () =>
      stream((controller) => {
        const timer = setInterval(() => controller.enqueue(text("x")), 1_000);
        onTestFinished(() => clearInterval(timer));
      }),
    "The body did not end within 15000 ms",
  ],
  [
    "breaks off",
    () =>
      new ReadableStream({
        pull(controller) {
          controller.error(new Error("Network connection lost"));
        },
      }),
    "The body could not be read: Network connection lost",
  ],
  [
    "is not gzip though it says so",
    () =>
      new Response("plain").body?.pipeThrough(new DecompressionStream("gzip")) ?? stream(() => {}),
    "The body could not be read: ",
  ],
];

/** A response as the network gives it: its body fails when the request is aborted. */
function broken(body: ReadableStream<Uint8Array>, status: number, signal: AbortSignal): Response {
  const reader = body.getReader();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  aborted.catch(() => undefined);
  const passed = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await Promise.race([reader.read(), aborted]);
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  return new Response(passed, { status });
}

describe("a callback whose answer's body is not whole", () => {
  const statuses: [number, string][] = [
    [200, "delivered"],
    [202, "delivered"],
    [410, "dead"],
    [400, "retrying"],
    [503, "retrying"],
  ];
  const all = statuses.flatMap(([status, kind]) =>
    bodies.map(([what, body, error]) => ({ status, kind, what, body, error })),
  );
  it.each(all)("is $kind when a $status $what", async ({ status, kind, body, error }) => {
    timersEndWithin(200);
    const { id, url } = await destination();
    let posts = 0;
    vi.stubGlobal("fetch", async (input: URL, init: RequestInit & { signal: AbortSignal }) => {
      if (String(input) === url) posts += 1;
      return broken(body(), status, init.signal);
    });
    const source = freshStream();
    await source.commit(
      commit({ events: [event("one")], targets: [target({ destinationId: id, most: 1 })] }),
    );
    const { attempts, state } = await eventually(async () => {
      const notification = (await source.notification(1))?.notification;
      return notification?.attempts.length === 1 && notification;
    });
    expect(state.kind).toBe(kind);
    expect(attempts).toMatchObject([{ status, error: expect.stringContaining(error) }]);
    expect(posts).toBe(1);
  });
});
