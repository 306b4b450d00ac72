import { evictAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, inject, it, vi } from "vitest";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import { createEndpoint } from "../../src/delivery/save-endpoint.store";
import { publish } from "../../src/publish/publish.io";
import { receiver } from "../delivery/build";
import { VirtualTime } from "../delivery/virtual";
import { firstOrganization, ownOrganization } from "../organization";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const EVENTS = inject("isLong") ? 1_000 : 40;
const WEEK_MS = 7 * 86_400_000;
const LATEST_MS = 1_000;
const MOST_TURNS = 100;

it("an event that is told later is told within a second and never early, all week long, though its objects are put out of memory", async () => {
  await firstOrganization();
  const { id: organizationId } = await ownOrganization();
  const url = `https://${crypto.randomUUID()}.example/hook`;
  await createEndpoint(
    env.DB,
    keyring(readConfig(env).masterKeys),
    organizationId,
    {
      tenant: null,
      url,
      enabled: true,
      headers: {},
      served: {},
      name: null,
      description: null,
      metadata: {},
      selectors: { sources: ["publish"], eventTypes: [], channels: [] },
    },
    Date.now(),
  );
  const stream = env.EVENT_STREAMS.getByName(`${organizationId}/tenant:-`);
  const got = receiver(
    () => new Response(),
    (one) => one.url === url,
  );
  const time = await VirtualTime.over([stream], 3);
  const start = time.now;
  const doors = { db: env.DB, streams: env.EVENT_STREAMS };
  const due = new Map(
    Array.from({ length: EVENTS }, (_, n) => {
      // Spread over the week, some at the same instant, the last at its very end.
      const share = (n % 8 === 6 ? n + 2 : n + 1) / EVENTS;
      return [`later-${n}`, start + Math.round(share * WEEK_MS)] as const;
    }),
  );
  for (const [id, deliverAt] of due)
    await publish(doors, { organizationId, tenant: null, hops: 0 }, [
      { publication: { type: "a.b", id, data: null, deliverAt } },
    ]);
  const told = new Map<string, number>();
  const isDueTold = () => [...due].every(([id, at]) => at > time.now || told.has(id));
  for (let step = 0; told.size < EVENTS && step < 20 * EVENTS; step += 1) {
    await time.toNextAlarm();
    // However long a busy machine takes for it, the clock stands still.
    for (let turn = 0; turn < MOST_TURNS && (turn === 0 || !isDueTold()); turn += 1) {
      await time.until(() => true, 0);
      for (const { body, at } of got.splice(0)) {
        const { id } = JSON.parse(body);
        expect(at - (due.get(id) ?? Infinity)).toBeGreaterThanOrEqual(0);
        if (!told.has(id)) told.set(id, at);
      }
    }
    if (step % 5 !== 0) continue;
    await evictAllDurableObjects();
    await time.attach(stream);
  }
  const late = [...due].filter(([id, at]) => (told.get(id) ?? Infinity) > at + LATEST_MS);
  expect(late).toEqual([]);
  expect(time.now - start).toBeGreaterThanOrEqual(WEEK_MS);
});
