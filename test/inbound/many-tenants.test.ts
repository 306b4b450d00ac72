import { env } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { platform, stored } from "../platform";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const SECRET = "the-secret-of-one-app";
const FIRST_PORTAL = 770_000;
/** More than a statement of D1 has parameters. */
const TENANTS = 101;
const OTHERS = 6;

const portals = Array.from({ length: TENANTS }, (_, index) => FIRST_PORTAL + index);
const connect = (portal: string) =>
  on.instance("hubspot", { "hubspot.portal.id": portal, "oauth.api.secret": SECRET });
const itemOf = (portalId: number, objectId = portalId) => ({
  eventId: objectId,
  subscriptionId: 1,
  portalId,
  occurredAt: 1705422467780,
  subscriptionType: "contact.creation",
  objectId,
});

async function deliver(items: object[]): Promise<number> {
  const body = JSON.stringify(items);
  const timestamp = String(Date.now());
  const signature = createHmac("sha256", SECRET)
    .update(`POSThttps://events.example.com/elements/api-v2/events/hubspot${body}${timestamp}`)
    .digest("base64");
  const headers = {
    "x-hubspot-signature-v3": signature,
    "x-hubspot-request-timestamp": timestamp,
  };
  return (await on.deliver("/events/hubspot", body, headers)).status;
}

const idsOf = async (id: number) => (await stored(on, id)).map(({ objectId }) => objectId);

/** Counts the queries of D1 from now on. */
function countQueries(): { queries: number } {
  const counted = { queries: 0 };
  const prepare = env.DB.prepare.bind(env.DB);
  const spy = vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    counted.queries += 1;
    return prepare(sql);
  });
  onTestFinished(() => spy.mockRestore());
  return counted;
}

describe("an app-wide webhook of many tenants", () => {
  it("is kept for every one of them before it is answered, with as many queries as for one", async () => {
    // One account stands for many of the tenants, so that those of the others are beyond them.
    const made = [await connect(portals.slice(0, -OTHERS).join(","))];
    for (const portal of portals.slice(-OTHERS)) made.push(await connect(String(portal)));
    // Each stream tells D1 of itself once.
    expect(await deliver(portals.map((portal) => itemOf(portal)))).toBe(200);
    const counted = countQueries();
    expect(await deliver([itemOf(FIRST_PORTAL, 1)])).toBe(200);
    const ofOne = counted.queries;
    counted.queries = 0;
    expect(await deliver(portals.map((portal) => itemOf(portal, portal + TENANTS)))).toBe(200);
    expect(counted.queries).toBeLessThanOrEqual(ofOne);
    for (const [index, { id }] of made.entries()) {
      const own = index === 0 ? portals.slice(0, -OTHERS) : [portals.at(index - OTHERS - 1)];
      const wanted = own.flatMap((portal = 0) => [portal, portal + TENANTS]);
      expect(await idsOf(id)).toEqual(expect.arrayContaining(wanted.map(String)));
    }
  });

  it("starts the flows of each, and nobody else's", async () => {
    const portal = FIRST_PORTAL + TENANTS;
    const first = await connect(String(portal));
    const second = await connect(String(portal + 1));
    const { results } = await env.DB.prepare("SELECT user_id AS id FROM instances WHERE id = ?")
      .bind(first.id)
      .all<{ id: number }>();
    const insert = (key: number) =>
      env.DB.prepare(
        `INSERT INTO flow_triggers (flow_id, component_id, organization_id, user_id, kind, key, active, steps, properties, created_at)
         VALUES (?, 'T', 1, ?, 'instance', ?, 1, '[{"componentId":"S","port":"out"}]', '{}', 1)`,
      ).bind(`flow-of-${key}`, results[0]?.id ?? 0, String(key));
    await env.DB.batch([insert(first.id), insert(second.id)]);
    expect(await deliver([itemOf(portal), itemOf(portal + 1)])).toBe(200);
    for (const { id } of [first, second]) {
      const notifications = await on
        .streamOf(id)
        .notifications({ before: null, limit: 10, withEvents: false });
      const steps = notifications.flatMap(
        ({ notification: { destinationId } }) => destinationId ?? [],
      );
      expect(steps).toEqual([`flow-flow-of-${id}-S`]);
    }
  });

  it("that names more tenants than one request takes is refused, so that its sender keeps it", async () => {
    const items = Array.from({ length: 10_001 }, (_, index) => ({ portalId: 10_000_000 + index }));
    expect(await deliver(items)).toBe(400);
  });
});
