import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { endpointName } from "../../src/delivery/endpoint-name";
import type { NotificationView } from "../../src/stream/history";
import type { EventStream } from "../../src/stream/stream.object";
import { ask, foundation, newUser, type SignedIn } from "../accounts/ask";
import { stepDestinationId } from "../../src/flows/ids";
import { step } from "../flows/build";
import { eventually, receiver } from "./build";

/** Steps of flows go the way of all callbacks: through their endpoint. */

beforeAll(foundation);
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

type Stream = DurableObjectStub<EventStream>;
type Running = {
  user: SignedIn;
  stream: Stream;
  /** The destination of the step `P`. */
  stepId: string;
  run: (body?: unknown) => Promise<void>;
};

const ok = (): Response => new Response("ok");
const broken = (): Response => new Response("no", { status: 500 });

/** A running flow with one step that calls `url`, and maybe one below that reads its answer; `run` starts it once. */
async function flow(url: string, isRead = false): Promise<Running> {
  const user = await newUser();
  const { token } = user;
  const below = { source: { in: { W: ["out"] } } };
  const post = step();
  const transform = { in: { W: { out: { type: "json2new", modifiers: {}, lambda: { url } } } } };
  const readBelow = {
    transform: { in: { P: { response: { type: "json2new", modifiers: {}, lambda: { url } } } } },
  };
  const body = {
    name: "F",
    flow: {
      W: { type: "appmixer.utils.http.Webhook", source: {} },
      P: { ...post, ...below, config: { transform } },
      ...(isRead
        ? { Q: { ...step(), source: { in: { P: ["response"] } }, config: readBelow } }
        : {}),
    },
  };
  const { flowId } = (await ask("POST", "/flows", { token, body })).body;
  const started = await ask("POST", `/flows/${flowId}/coordinator`, {
    token,
    body: { command: "start" },
  });
  expect(started).toMatchObject({ status: 200 });
  const row = await env.DB.prepare("SELECT id FROM users WHERE email = ?")
    .bind(user.email)
    .first<{ id: number }>();
  const stream = env.EVENT_STREAMS.getByName(`1/user:${row?.id}`);
  return {
    user,
    stream,
    stepId: stepDestinationId(flowId, "P"),
    run: async (content = {}) => {
      const called = await ask("POST", `/flows/${flowId}/components/W`, { body: content });
      expect(called.status).toBe(202);
    },
  };
}

const steps = (stream: Stream): Promise<NotificationView[]> =>
  stream.notifications({ before: null, limit: 100, withEvents: false });
const kindOf = async (stream: Stream, seq: number): Promise<string | undefined> =>
  (await stream.notification(seq))?.notification.state.kind;
const becomes = (stream: Stream, seq: number, kind: string): Promise<true> =>
  eventually(async () => (await kindOf(stream, seq)) === kind && true);

/** The clock goes on from later. One that stood still would make two messages of one notification look like one. */
function goOn(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms, shouldAdvanceTime: true });
}

/** `content`: what each run is started with, if the step renders its address from it. */
async function opened(url: string, { run, stream, stepId }: Running, content?: () => unknown) {
  const rendering = content === undefined ? undefined : stepId;
  const endpoint = env.ENDPOINTS.getByName(endpointName(1, url, rendering));
  // At once: a retry of the first must not open the circuit before the last was tried.
  await Promise.all(Array.from({ length: 10 }, () => run(content?.())));
  await eventually(async () => {
    const views = await steps(stream);
    return views.filter(({ notification }) => notification.tries > 0).length >= 10 && true;
  });
  await eventually(async () => (await endpoint.view()).state === "open" && true);
  return endpoint;
}

describe("steps of flows", () => {
  it("wait while their endpoint's circuit is open, cost no call, and come back when it is well", async () => {
    const url = `http://127.0.0.1:9/step-${crypto.randomUUID()}`;
    let answer = broken;
    const received = receiver((one) => (one.url === url ? answer() : ok()));
    const calls = () => received.filter((one) => one.url === url).length;
    const running = await flow(url);
    const endpoint = await opened(url, running);
    const before = calls();
    await running.run();
    await becomes(running.stream, 11, "parked");
    expect(calls()).toBe(before);
    answer = ok;
    goOn(61_000);
    await runDurableObjectAlarm(endpoint);
    await eventually(async () => (await endpoint.view()).state === "closed" && true);
    await runDurableObjectAlarm(endpoint);
    await becomes(running.stream, 11, "delivered");
    expect((await running.stream.notification(11))?.notification.tries).toBe(1);
  });

  it("that render their addresses have one endpoint per origin, whatever the paths: one that is down keeps none of the others waiting", async () => {
    const own = crypto.randomUUID();
    const isDown = ({ url }: { url: string }) => url.includes(`127.0.0.1:9/${own}`);
    let answer = broken;
    const received = receiver((one) => (isDown(one) ? answer() : ok()));
    const calls = () => received.filter((one) => one.url.includes(own)).length;
    const running = await flow(`http://{{{$.W.out.data.host}}}/${own}/{{{$.W.out.data.id}}}`);
    const down = () => ({ host: "127.0.0.1:9", id: crypto.randomUUID() });
    const endpoint = await opened("http://127.0.0.1:9/any", running, down);
    const before = calls();
    const { nextProbeAt } = await endpoint.view();
    await running.run(down());
    await eventually(async () => {
      const state = (await running.stream.notification(11))?.notification.state;
      return state?.kind === "pending" && state.at >= (nextProbeAt ?? 0) && true;
    });
    expect(calls()).toBe(before);
    await running.run({ host: "localhost:9", id: "up" });
    await becomes(running.stream, 12, "delivered");
    answer = ok;
    goOn(61_000);
    await runDurableObjectAlarm(running.stream);
    await becomes(running.stream, 11, "delivered");
    const noted = await env.DB.prepare(
      "SELECT count(*) AS n FROM objects WHERE kind = 'endpoint' AND name LIKE ?",
    )
      .bind(`1/%${running.stepId}`)
      .first<{ n: number }>();
    expect(noted?.n).toBe(1);
  });

  it("tell operators of a circuit that opens and of a step that dies, and count nothing that was put off as a try", async () => {
    const url = `http://127.0.0.1:9/step-${crypto.randomUUID()}`;
    receiver((one) => (one.url === url ? new Response("no", { status: 404 }) : ok()));
    const running = await flow(url);
    await opened(url, running);
    await running.run();
    await becomes(running.stream, 11, "parked");
    expect((await running.stream.notification(11))?.notification.attempts).toEqual([]);
    await becomes(running.stream, 1, "dead");
    const told = await eventually(async () => {
      const operations = env.EVENT_STREAMS.getByName("1/operations");
      const { events } = await operations.events({ after: 0, limit: 200 });
      const types = events
        .filter(({ data }) => data.includes("flow-"))
        .map(({ eventType }) => eventType);
      return types.includes("circuit.opened") && types;
    });
    expect(told).toContain("delivery.dead");
    const { token } = running.user;
    const { body } = await ask("GET", "/unprocessed-messages", { token });
    expect(body).toHaveLength(10);
  });
});

describe("a step whose 2xx breaks off in its body", () => {
  it.each([
    [false, "delivered"],
    [true, "retrying"],
  ])("and whose body is read below: %s, is %s", async (isRead, kind) => {
    const running = await flow(`http://127.0.0.1:9/${crypto.randomUUID()}`, isRead);
    receiver(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.error(new Error("Connection lost"));
            },
          }),
        ),
    );
    await running.run();
    await becomes(running.stream, 1, kind);
    const view = await running.stream.notification(1);
    expect(view?.notification.attempts).toMatchObject([
      { status: 200, error: "The body could not be read: Connection lost" },
    ]);
  });
});
