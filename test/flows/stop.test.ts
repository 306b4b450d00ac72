import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ask, foundation, newUser, type SignedIn } from "../accounts/ask";
import { receiver } from "../delivery/build";
import { step, trigger } from "./build";
import { otherIsolate } from "./isolate";

beforeAll(foundation);
afterEach(() => {
  vi.unstubAllGlobals();
});

const EVENTS = "/plugins/appmixer/utils/appevents/events";

async function started(user: SignedIn, flow: object): Promise<string> {
  const { token } = user;
  const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
  const body = { command: "start" };
  expect((await ask("POST", `/flows/${flowId}/coordinator`, { token, body })).status).toBe(200);
  return flowId;
}

const command = (name: "start" | "stop") => ({ body: { command: name } });

describe("a flow that was stopped", () => {
  it("is not started by anything that comes after the answer, in any isolate", async () => {
    const url = `http://127.0.0.1:9/run-${crypto.randomUUID()}`;
    const posts = receiver(
      () => new Response("ok"),
      (one) => one.url === url,
    );
    const { token, ...user } = await newUser();
    const isolates = [ask, await otherIsolate(), await otherIsolate()];
    const flowId = await started({ token, ...user }, { T: trigger("go"), P: step({ url }) });
    const fire = (call: typeof ask) => call("POST", `${EVENTS}/go`, { token, body: { n: 1 } });
    const sent = await Promise.all(isolates.map(fire));
    expect(sent.map(({ body }) => body.triggers.length)).toEqual([1, 1, 1]);
    const eventId = sent[0]?.headers.get("x-event-id");
    await expect.poll(() => posts.length).toBe(3);
    for (const [round, stopper] of isolates.entries()) {
      const ways = (call: typeof ask) => [
        fire(call),
        call("POST", `/app-events/${eventId}/replay`, { token, body: {} }),
        call("POST", `${EVENTS}/go?flowId=${flowId}`, { token, body: {} }),
      ];
      const path = `/flows/${flowId}/coordinator`;
      expect((await stopper("POST", path, { token, ...command("stop") })).status).toBe(200);
      const answers = await Promise.all([0, 1, 2].flatMap(() => isolates.flatMap(ways)));
      expect(answers.map(({ body }) => body)).toEqual(answers.map(() => ({ triggers: [] })));
      const hook = await ask("POST", `/flows/${flowId}/components/T`, { token, body: {} });
      expect(hook.status).toBe(404);
      expect((await stopper("POST", path, { token, ...command("start") })).status).toBe(200);
      const again = await Promise.all(isolates.map(fire));
      expect(again.map(({ body }) => body.triggers.length)).toEqual([1, 1, 1]);
      await expect.poll(() => posts.length).toBe(3 * (round + 2));
    }
  });

  it("is not continued: what waits in the queue, and what a step under way would set off, is not sent", async () => {
    const gate = Promise.withResolvers<void>();
    const own = `http://127.0.0.1:9/${crypto.randomUUID()}`;
    const posts = receiver(
      async () => {
        await gate.promise;
        return Response.json({});
      },
      ({ url }) => url.startsWith(own),
    );
    const user = await newUser();
    const { token } = user;
    const below = {
      type: "appmixer.utils.http.Get",
      source: { in: { P: ["response"] } },
      config: {
        transform: { in: { P: { response: { lambda: { url: `${own}/second` } } } } },
      },
    };
    const P = step({ url: `${own}/first` });
    const flowId = await started(user, { T: trigger("queued"), P, Q: below });
    const sent = await Promise.all(
      Array.from({ length: 40 }, () => ask("POST", `${EVENTS}/queued`, { token, body: {} })),
    );
    expect(sent.every(({ body }) => body.triggers.length === 1)).toBe(true);
    await expect.poll(() => posts.length).toBeGreaterThan(0);
    const path = `/flows/${flowId}/coordinator`;
    await ask("POST", path, { token, ...command("stop") });
    const underWay = posts.length;
    expect(underWay).toBeLessThan(40);
    // Started anew at once: what began under the earlier start stays where it is.
    await ask("POST", path, { token, ...command("start") });
    gate.resolve();
    const { id } = (await ask("GET", "/user", { token })).body;
    const stream = env.EVENT_STREAMS.getByName(`1/user:${id}`);
    const states = async () =>
      (await stream.notifications({ before: null, limit: 100, withEvents: false })).map(
        ({ notification: { state } }) => (state.kind === "dead" ? state.reason : state.kind),
      );
    await expect
      .poll(async () => (await states()).toSorted())
      .toEqual([
        ...Array.from({ length: underWay }, () => "delivered"),
        ...Array.from({ length: 40 - underWay }, () => "destination-disabled"),
      ]);
    expect(posts.map(({ url }) => url)).toEqual(
      Array.from({ length: underWay }, () => `${own}/first`),
    );
    expect((await ask("GET", "/unprocessed-messages", { token })).body).toEqual([]);
  });

  it("stays off when its template is updated, or its owner saves it, at the same time", async () => {
    const user = await newUser();
    const { token } = user;
    const flow = { T: trigger("race"), P: step({ url: "http://127.0.0.1:9/race-cb" }) };
    for (let round = 0; round < 8; round += 1) {
      const id = await started(user, flow);
      const body = { name: `renamed ${round}` };
      const [saved, stopped] = await Promise.all([
        ask("PUT", `/flows/${id}?forceUpdate=true`, { token, body }),
        ask("POST", `/flows/${id}/coordinator`, { token, ...command("stop") }),
      ]);
      expect([saved.status, stopped.status]).toEqual([200, 200]);
      expect((await ask("GET", `/flows/${id}`, { token })).body).toMatchObject({
        stage: "stopped",
        ...body,
      });
    }
    const sent = await ask("POST", `${EVENTS}/race`, { token, body: {} });
    expect(sent.body).toEqual({ triggers: [] });
  });
});
