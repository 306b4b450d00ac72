import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { count, writeCounts } from "../../src/metering/counter.io";
import { MOST_AGE_MS, QUIET_MS } from "../../src/metering/pending";
import { ask, foundation, newUser } from "../accounts/ask";

beforeAll(foundation);
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const EVENTS = "/plugins/appmixer/utils/appevents/events/counted";

/** Bodies of the flushes that name a source. */
async function written(source: string): Promise<string[]> {
  const { results } = await env.DB.prepare(
    "SELECT body FROM usage_flushes WHERE instr(body, ?) > 0",
  )
    .bind(`"${source}"`)
    .all<{ body: string }>();
  return results.map(({ body }) => body);
}

/** Time passes when the test says so: for those who wait for an isolate to fall quiet, too, until it is over. */
function ownTime(): { pass: (ms: number) => void } {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  let isOver = false;
  onTestFinished(() => void (isOver = true));
  const real = scheduler.wait.bind(scheduler);
  vi.spyOn(scheduler, "wait").mockImplementation(async (ms) => {
    if (ms !== QUIET_MS) return real(ms);
    const until = Date.now() + ms;
    while (!isOver && Date.now() < until) await real(5);
  });
  return { pass: (ms) => void vi.setSystemTime(Date.now() + ms) };
}

async function someone(): Promise<{ token: string; source: string }> {
  const { token } = await newUser();
  const { body } = await ask("GET", "/user", { token });
  return { token, source: `user:${body.id}` };
}

it("what a request counts is written though no other comes", async () => {
  const { token, source } = await someone();
  await writeCounts(env.DB, Date.now());
  const { pass } = ownTime();
  pass(60_000);
  expect((await ask("POST", EVENTS, { token, body: {} })).status).toBe(200);
  expect(await written(source)).toEqual([]);
  pass(QUIET_MS);
  await expect.poll(() => written(source)).toHaveLength(1);
});

it("what requests count is written together, five minutes after the first while more come", async () => {
  const { token, source } = await someone();
  await writeCounts(env.DB, Date.now());
  const { pass } = ownTime();
  pass(60_000);
  for (let passed = 0; passed < MOST_AGE_MS; passed += 12_000) {
    await ask("POST", EVENTS, { token, body: {} });
    expect(await written(source)).toEqual([]);
    pass(12_000);
  }
  await ask("POST", EVENTS, { token, body: {} });
  await expect.poll(() => written(source)).toHaveLength(1);
});

it("what the database did not take is offered again with the next, and nobody's request fails for it", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const source = `user:${crypto.randomUUID()}`;
  const key = { organizationId: 1, source, destinationId: "" };
  count(key, { events: 3 }, Date.now());
  const broken = {
    prepare: () => {
      throw new Error("D1 is overloaded");
    },
  };
  await writeCounts(broken as unknown as D1Database, Date.now());
  expect(await written(source)).toEqual([]);
  count(key, { events: 4 }, Date.now());
  await writeCounts(env.DB, Date.now());
  expect(await written(source)).toHaveLength(2);
});
