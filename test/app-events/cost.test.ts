import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { ask, foundation, newUser } from "../accounts/ask";
import { step, trigger } from "../flows/build";

beforeAll(foundation);
afterEach(() => {
  vi.restoreAllMocks();
});

/** Rows of all tables that a run could touch. */
async function rowsOfD1(): Promise<unknown> {
  const tables = ["flows", "flow_triggers", "destinations", "unprocessed", "sign_in_failures"];
  const counted = await env.DB.batch(
    tables.map((table) => env.DB.prepare(`SELECT * FROM ${table}`)),
  );
  return counted.map(({ results }) => results);
}

it("costs at most two object rows an event at load, and writes no row of D1", async () => {
  let posts = 0;
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => {
    posts += 1;
    return new Response("ok");
  });
  const { token } = await newUser();
  const flow = {
    T: trigger("cost"),
    P: step({ url: "http://127.0.0.1:9/", body: "{{{$.T.out.data}}}" }),
  };
  const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
  await ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: "start" } });
  const path = "/plugins/appmixer/utils/appevents/events/cost";
  const fire = async (n: number) => {
    const sent = await ask("POST", path, { token, body: { n } });
    expect(sent.body.triggers).toHaveLength(1);
  };
  const { id } = (await ask("GET", "/user", { token })).body;
  const stream = env.EVENT_STREAMS.getByName(`1/user:${id}`);
  await fire(0);
  await expect.poll(() => posts).toBe(1);
  const [before, d1] = [await stream.meter(), await rowsOfD1()];
  const rounds = 10;
  const width = 50;
  for (let round = 0; round < rounds; round += 1)
    await Promise.all(Array.from({ length: width }, (_, n) => fire(round * width + n)));
  await expect.poll(() => posts, { timeout: 10_000 }).toBe(1 + rounds * width);
  const settled = async () =>
    (await stream.notifications({ before: null, limit: 600, withEvents: false })).every(
      ({ notification }) => notification.state.kind === "delivered",
    );
  await expect.poll(settled, { timeout: 10_000 }).toBe(true);
  const after = await stream.meter();
  const per = (count: number) => Number((count / (rounds * width)).toFixed(3));
  const figures = {
    rowsWritten: per(after.rowsWritten - before.rowsWritten),
    rowsRead: per(after.rowsRead - before.rowsRead),
    requests: per(after.requests - before.requests),
    messages: per(after.messages - before.messages),
  };
  console.log(JSON.stringify(figures));
  expect(figures.rowsWritten).toBeLessThanOrEqual(2);
  expect(await rowsOfD1()).toEqual(d1);
});

it("starts a hundred flows with one object request, all queued before the answer", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let posts = 0;
  vi.spyOn(globalThis, "fetch").mockImplementation(async () => {
    await promise;
    posts += 1;
    return new Response("ok");
  });
  const { token } = await newUser();
  const flow = { T: trigger("fan"), P: step({ url: "https://receiver.example/" }) };
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
      await ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: "start" } });
    }),
  );
  const { id } = (await ask("GET", "/user", { token })).body;
  const stream = env.EVENT_STREAMS.getByName(`1/user:${id}`);
  const before = await stream.meter();
  const path = "/plugins/appmixer/utils/appevents/events/fan";
  const sent = await ask("POST", path, { token, body: {} });
  const after = await stream.meter();
  expect(sent.body.triggers).toHaveLength(100);
  expect(after.requests - before.requests).toBe(1);
  const views = await stream.notifications({ before: null, limit: 200, withEvents: false });
  expect(views).toHaveLength(100);
  resolve();
  await expect.poll(() => posts, { timeout: 20_000 }).toBe(100);
}, 60_000);
