import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { FlowsPart } from "../../src/db/tick-parts";
import { flowDoors } from "../../src/flows/doors";
import { userSource } from "../../src/flows/ids";
import { startPart } from "../../src/flows/start-due.io";
import { tickFlows } from "../../src/flows/tick.cron";
import { streamName } from "../../src/stream/stream-name";
import { foundation, newUser } from "../accounts/ask";
import { keepingQueue } from "../polling/build";

beforeAll(foundation);
afterEach(() => void vi.restoreAllMocks());

/** Long ago, so that these flows come before what others have left due. */
let minute = 1_000;

/** Flows of a new user, due since a minute of their own; `bad`: one of which the schedule can't be read. */
async function due(flows: number, bad = 0) {
  const { email } = await newUser();
  const user = await env.DB.prepare("SELECT id FROM users WHERE email = ?")
    .bind(email)
    .first<number>("id");
  const userId = user ?? 0;
  minute += 1;
  const numbers = JSON.stringify(Array.from({ length: flows }, (_, index) => index + 1));
  await env.DB.prepare(
    `INSERT INTO flow_triggers (flow_id, component_id, organization_id, user_id, kind, key, active, steps, properties, next_minute, created_at)
     SELECT ?1 || '-' || value, 'T', 1, ?2, 'schedule', 'cron', 1, '[]',
       iif(value = ?3, '{"cron":"x"}', '{"cron":"0 * * * *"}'), ?4, 1 FROM json_each(?5)`,
  )
    .bind(`many-${userId}`, userId, bad, minute, numbers)
    .run();
  const source = userSource(userId);
  const stream = env.EVENT_STREAMS.getByName(streamName({ organizationId: 1, source }));
  return {
    stillDue: () =>
      env.DB.prepare(
        "SELECT count(*) AS n FROM flow_triggers WHERE user_id = ? AND next_minute <= 10000",
      )
        .bind(userId)
        .first<number>("n"),
    /** How often each flow was started. */
    starts: async () => {
      const { events } = await stream.events({ after: 0, limit: 1_000 });
      return Object.values(Object.groupBy(events, ({ objectId }) => objectId)).map(
        (own) => own?.length,
      );
    },
    forget: () => env.DB.prepare("DELETE FROM flow_triggers WHERE user_id = ?").bind(userId).run(),
  };
}

/** A tick whose parts the test takes itself. */
async function tick(): Promise<FlowsPart[]> {
  const { queue, bodies } = keepingQueue();
  await tickFlows(Date.now(), { ...flowDoors(env), ticks: queue });
  return bodies;
}

/** Counts statements of D1 from now on. */
function countStatements(): { count: number } {
  const counted = { count: 0 };
  const prepare = env.DB.prepare.bind(env.DB);
  vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    counted.count += 1;
    return prepare(sql);
  });
  return counted;
}

describe("flows that are due at the same minute", () => {
  it("are started a page at a time, each by two statements, in parts that any isolate takes", async () => {
    const flows = await due(250);
    const parts = await tick();
    expect(parts.length).toBeGreaterThanOrEqual(2);
    expect(await flows.stillDue()).toBe(150);
    const counted = countStatements();
    for (const part of parts.slice(0, 2)) await startPart(flowDoors(env), part);
    // Two for each page; the last part is one with what others left due.
    expect(counted.count).toBeLessThanOrEqual(6);
    expect(await flows.stillDue()).toBe(0);
    expect(await flows.starts()).toEqual(Array(250).fill(1));
  });

  it("are found by the next tick when a part is lost, and started once when one comes twice", async () => {
    const flows = await due(150);
    const [part] = await tick();
    expect(await flows.stillDue()).toBe(50);
    await tick();
    expect(await flows.stillDue()).toBe(0);
    if (part !== undefined) await startPart(flowDoors(env), part);
    expect(await flows.starts()).toEqual(Array(150).fill(1));
  });

  it("are started once when a tick dies between their runs and their next minute", async () => {
    const flows = await due(3);
    const prepare = env.DB.prepare.bind(env.DB);
    vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      if (sql.startsWith("UPDATE flow_triggers")) throw new Error("The tick is dead");
      return prepare(sql);
    });
    await expect(tick()).rejects.toThrow("The tick is dead");
    vi.restoreAllMocks();
    expect(await flows.starts()).toEqual([1, 1, 1]);
    expect(await flows.stillDue()).toBe(3);
    await tick();
    expect(await flows.stillDue()).toBe(0);
    expect(await flows.starts()).toEqual([1, 1, 1]);
  });

  it("are started although one of them has a schedule that can't be read", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const flows = await due(3, 2);
    await tick();
    expect(await flows.stillDue()).toBe(1);
    await flows.forget();
  });
});
