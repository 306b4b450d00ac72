import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, inject, it, vi } from "vitest";
import { writeCounts } from "../../src/metering/counter.io";
import { ask, foundation, newUser } from "../accounts/ask";
import { countD1 } from "../d1-rows";
import { step, trigger } from "../flows/build";
import { otherIsolate } from "../flows/isolate";

beforeAll(foundation);
afterEach(() => {
  vi.restoreAllMocks();
});

const FLOWS = inject("isLong") ? 200 : 60;

/** Rows that name a flow, of all tables that a run could touch. */
async function rowsOfD1(flowId: string): Promise<unknown> {
  const tables = ["flows", "flow_triggers", "destinations", "unprocessed"];
  const counted = await env.DB.batch(
    tables.map((table) => env.DB.prepare(`SELECT * FROM ${table}`)),
  );
  return counted.map(({ results }) =>
    results.filter((row) => JSON.stringify(row).includes(flowId)),
  );
}

it("costs at most two object rows an event at load, and neither reads nor writes a row of D1", async () => {
  let posts = 0;
  const url = `http://127.0.0.1:9/${crypto.randomUUID()}`;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    if (new Request(input).url === url) posts += 1;
    return new Response("ok");
  });
  const { token } = await newUser();
  const flow = {
    T: trigger("cost"),
    P: step({ url, body: "{{{$.T.out.data}}}" }),
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
  const [before, d1] = [await stream.meter(), await rowsOfD1(flowId)];
  // What others counted in this runtime is written before it is measured.
  await writeCounts(env.DB, Date.now());
  const counted = countD1();
  const rounds = 10;
  const width = 50;
  for (let round = 0; round < rounds; round += 1)
    await Promise.all(Array.from({ length: width }, (_, n) => fire(round * width + n)));
  await expect.poll(() => posts).toBe(1 + rounds * width);
  const settled = async () =>
    (await stream.notifications({ before: null, limit: 600, withEvents: false })).every(
      ({ notification }) => notification.state.kind === "delivered",
    );
  await expect.poll(settled).toBe(true);
  const after = await stream.meter();
  const per = (count: number) => Number((count / (rounds * width)).toFixed(3));
  const figures = {
    rowsWritten: per(after.rowsWritten - before.rowsWritten),
    rowsRead: per(after.rowsRead - before.rowsRead),
    requests: per(after.requests - before.requests),
    messages: per(after.messages - before.messages),
    d1RowsRead: per(counted.read),
  };
  console.log(JSON.stringify(figures));
  expect(figures.rowsWritten).toBeLessThanOrEqual(2);
  expect(figures.d1RowsRead).toBeLessThanOrEqual(0.05);
  // Usage is counted in D1, a few rows a minute whatever comes.
  expect(counted.written).toBeLessThan(10);
  expect(await rowsOfD1(flowId)).toEqual(d1);
  // That looked at rows, which were counted.
  expect(counted.read).toBeGreaterThan(0);
});

it("starts all flows of an event within two object requests, all queued before the answer", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let posts = 0;
  const url = `https://receiver.example/${crypto.randomUUID()}`;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    if (new Request(input).url !== url) return new Response("ok");
    await promise;
    posts += 1;
    return new Response("ok");
  });
  const cold = await otherIsolate();
  const { token } = await newUser();
  const flow = { T: trigger("fan"), P: step({ url }) };
  await Promise.all(
    Array.from({ length: FLOWS }, async () => {
      const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
      await ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: "start" } });
    }),
  );
  const { id } = (await ask("GET", "/user", { token })).body;
  const stream = env.EVENT_STREAMS.getByName(`1/user:${id}`);
  const path = "/plugins/appmixer/utils/appevents/events/fan";
  // An isolate that never heard of this user asks its stream where it stands: one request more.
  const before = await stream.meter();
  const sent = await cold("POST", path, { token, body: {} });
  const after = await stream.meter();
  expect(sent.body.triggers).toHaveLength(FLOWS);
  expect(after.requests - before.requests).toBeLessThanOrEqual(2);
  const views = await stream.notifications({ before: null, limit: 500, withEvents: false });
  expect(views).toHaveLength(FLOWS);
  resolve();
  await expect.poll(() => posts).toBe(FLOWS);
});
