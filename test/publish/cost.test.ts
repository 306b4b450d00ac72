import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { FRESH_MS } from "../../src/db/directory/fresh";
import { tellAll } from "../../src/db/directory/tell";
import { writeCounts } from "../../src/metering/counter.io";
import { countD1 } from "../d1-rows";
import { receiver } from "../delivery/build";
import { callV1 } from "../elements/build";
import { firstOrganization, ownOrganization } from "../organization";

afterEach(() => vi.unstubAllGlobals());

const EVENTS = 100;
const AT_ONCE = 50;
const MANY = 1_000;

/** A tenant of an organization of its own, with these endpoints. */
async function tenantOf(endpoints: readonly object[]) {
  await firstOrganization();
  const { id: organizationId, authorization } = await ownOrganization();
  const call = (method: string, path: string, body?: unknown) =>
    callV1(method, path, authorization, body);
  const tenant = crypto.randomUUID();
  await call("POST", "/tenants", { id: tenant });
  const ids: string[] = [];
  for (const endpoint of endpoints)
    ids.push((await call("POST", "/destinations", { tenant, ...endpoint })).body.id);
  const stream = env.EVENT_STREAMS.getByName(`${organizationId}/tenant:${tenant}`);
  const publish = (n: number) =>
    call("POST", `/tenants/${tenant}/events`, { type: "a.b", id: `e${n}`, data: { n } });
  return { call, tenant, ids, stream, publish };
}

it("an event at load costs at most two object rows, and neither reads nor writes a row of D1", async () => {
  const url = `https://${crypto.randomUUID()}.example/hook`;
  const { publish, stream } = await tenantOf([{ url }]);
  const got = receiver(
    () => new Response(),
    (one) => one.url === url,
  );
  await publish(-1);
  await expect.poll(() => got.length).toBe(1);
  await writeCounts(env.DB, Date.now());
  const before = await stream.meter();
  const counted = countD1();
  for (let sent = 0; sent < EVENTS; sent += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => publish(sent + n)));
  await expect.poll(() => got.length).toBe(1 + EVENTS);
  const isSettled = async () =>
    (await stream.notifications({ before: null, limit: 300, withEvents: false })).every(
      ({ notification }) => notification.state.kind === "delivered",
    );
  await expect.poll(isSettled).toBe(true);
  counted.end();
  const after = await stream.meter();
  const per = (count: number) => count / EVENTS;
  expect(per(after.rowsWritten - before.rowsWritten)).toBeLessThanOrEqual(2);
  expect(per(after.requests - before.requests)).toBeLessThanOrEqual(1.5);
  expect(per(counted.read)).toBeLessThanOrEqual(0.05);
  // Usage is counted in D1, a few rows a minute whatever comes.
  expect(counted.written).toBeLessThan(10);
});

it("an event that one of a thousand endpoints hears of asks D1 nothing, and their next change holds for the next", async () => {
  const url = `https://${crypto.randomUUID()}.example/hook`;
  const { publish, tenant, ids, call } = await tenantOf([{ url, eventTypes: ["a.*"] }]);
  const got = receiver(
    () => new Response(),
    (one) => one.url === url,
  );
  const run = crypto.randomUUID().slice(0, 8);
  // As the others are made, but one by one.
  await env.DB.prepare(
    `INSERT INTO destinations (id, organization_id, kind, owner_id, url, signing_keys, policy, tenant_id, selectors, created_at, updated_at)
     SELECT 'ep_' || ?2 || value, organization_id, kind, 'ep_' || ?2 || value, url, signing_keys, policy, tenant_id,
       json_set(selectors, '$.eventTypes', json_array('other-' || value || '.*')), created_at, updated_at
     FROM destinations, json_each(?3) WHERE tenant_id = ?1`,
  )
    .bind(tenant, run, JSON.stringify(Array.from({ length: MANY - 1 }, (_, n) => n)))
    .run();
  await tellAll(env.DB);
  await scheduler.wait(FRESH_MS);
  const heard = async (n: number) => (await publish(n)).body.destinations;
  expect(await heard(-1)).toBe(1);
  await expect.poll(() => got.length).toBe(1);
  const counted = countD1();
  for (let sent = 0; sent < EVENTS; sent += AT_ONCE) {
    const all = Array.from({ length: AT_ONCE }, (_, n) => heard(sent + n));
    expect(new Set(await Promise.all(all))).toEqual(new Set([1]));
    // Longer than an isolate believes what it knows.
    await scheduler.wait(FRESH_MS);
  }
  counted.end();
  expect(counted.queries.filter((query) => query.includes("destinations"))).toEqual([]);
  expect(counted.read / EVENTS).toBeLessThanOrEqual(0.05);
  await call("PATCH", `/destinations/${ids[0]}`, { eventTypes: ["c.*"] });
  expect(await heard(EVENTS)).toBe(0);
});
