import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { readConfig } from "../../src/config";
import { tick } from "../../src/polling/tick.cron";
import { saveLastMinute } from "../../src/db/schedule";
import { callV1, create, createOrganizations } from "../elements/build";
import { ownOrganization } from "../organization";
import { consume, keepingQueue, QUIET, vendor } from "../polling/build";

beforeAll(createOrganizations);
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const MINUTE = 60_000;

/** What the series say of the polls of this hour. */
async function pollsOf(who: string) {
  const { status, body } = await callV1("GET", "/stats?range=1h", who);
  expect(status).toBe(200);
  const sum = (name: string): number =>
    body.points.reduce((total: number, point: any) => total + point[name], 0);
  return { due: sum("pollsDue"), late: sum("pollsLate") };
}

it("the series tell how many polls were due, and how many of them came late", async () => {
  const own = await ownOrganization();
  const instance = await create(QUIET, {}, own.authorization);
  await env.DB.prepare("UPDATE instances SET interval = NULL, slot = NULL").run();
  await env.DB.prepare("UPDATE instances SET interval = 1, slot = 0 WHERE id = ?")
    .bind(instance.id)
    .run();
  vendor({ data: [] });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  const { queue, bodies } = keepingQueue();
  const config = { ...readConfig(env), schedule: "clock" as const };
  const tickNow = async (): Promise<unknown[]> => {
    await tick(Date.now(), { db: env.DB, polls: queue, config });
    return bodies.splice(0);
  };
  const pass = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

  await saveLastMinute(env.DB, Math.floor(Date.now() / MINUTE) - 1);
  await consume("tributary-polls", await tickNow());
  // Whoever counts in memory writes it down within five minutes, and once for many polls.
  pass(5 * MINUTE);
  await saveLastMinute(env.DB, Math.floor(Date.now() / MINUTE) - 1);
  await consume("tributary-polls", await tickNow());
  expect(await pollsOf(own.authorization)).toEqual({ due: 2, late: 0 });

  // The queue takes its time over one; of another the tick itself was lost.
  pass(5 * MINUTE);
  await saveLastMinute(env.DB, Math.floor(Date.now() / MINUTE) - 1);
  const held = await tickNow();
  pass(MINUTE + 1);
  await consume("tributary-polls", held);
  pass(5 * MINUTE);
  await consume("tributary-polls", await tickNow());
  expect(await pollsOf(own.authorization)).toEqual({ due: 4, late: 2 });

  // A webhook that asks for a poll is not the schedule.
  pass(5 * MINUTE);
  await consume("tributary-polls", [{ ids: [instance.id], wake: true }]);
  expect(await pollsOf(own.authorization)).toEqual({ due: 4, late: 2 });
  expect(await pollsOf((await ownOrganization()).authorization)).toEqual({ due: 0, late: 0 });
});
