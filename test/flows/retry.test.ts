import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { ask, foundation, newUser } from "../accounts/ask";
import { receiver } from "../delivery/build";
import { consume, keepDeliveries } from "../polling/build";
import { step, trigger } from "./build";

beforeAll(foundation);
afterEach(() => vi.unstubAllGlobals());

/** The streams, of which each does `first` before it settles. */
const settlingAfter = (first: () => Promise<void>): Env["EVENT_STREAMS"] =>
  new Proxy(env.EVENT_STREAMS, {
    get: (streams, key) =>
      key !== "getByName"
        ? Reflect.get(streams, key)
        : (name: string) =>
            new Proxy(streams.getByName(name), {
              get: (stub, method) =>
                method !== "settle"
                  ? Reflect.get(stub, method)
                  : async (...given: Parameters<typeof stub.settle>) => {
                      await first();
                      return stub.settle(...given);
                    },
            }),
  });

it("a message that is retried as soon as it is listed goes again, though its step is settled only then", async () => {
  const url = `http://127.0.0.1:9/${crypto.randomUUID()}`;
  let status = 422;
  const posts = receiver(
    () => new Response("no", { status }),
    (one) => one.url === url,
  );
  const user = await newUser();
  const { token } = user;
  const flow = { T: trigger("go"), P: step({ url }) };
  const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
  await ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: "start" } });
  const row = await env.DB.prepare("SELECT user_id AS id FROM flows WHERE id = ?")
    .bind(flowId)
    .first<{ id: number }>();
  const stream = env.EVENT_STREAMS.getByName(`1/user:${row?.id}`);
  const bodies = await keepDeliveries(stream);
  const event = "/plugins/appmixer/utils/appevents/events/go";
  await ask("POST", event, { token, body: {} });
  await expect.poll(() => bodies).toHaveLength(1);

  const list = async () => (await ask("GET", "/unprocessed-messages", { token })).body;
  let retries = 0;
  const retry = async () => {
    for (const { messageId } of await list()) {
      retries += 1;
      const path = `/unprocessed-messages/${messageId}/retry`;
      expect((await ask("POST", path, { token })).status).toBe(200);
    }
  };
  await consume("tributary-deliveries", bodies.splice(0), { EVENT_STREAMS: settlingAfter(retry) });
  expect([posts.length, retries, await list()]).toEqual([1, 1, []]);
  // It fails once more: it is listed again.
  await expect.poll(() => bodies).toHaveLength(1);
  await consume("tributary-deliveries", bodies.splice(0));
  expect([posts.length, (await list()).length]).toEqual([2, 1]);
  status = 200;
  await retry();
  await expect.poll(() => bodies).toHaveLength(1);
  await consume("tributary-deliveries", bodies.splice(0));
  const [view] = await stream.notifications({ before: null, limit: 1, withEvents: false });
  expect([posts.length, view?.notification.state.kind, await list()]).toEqual([3, "delivered", []]);
});
