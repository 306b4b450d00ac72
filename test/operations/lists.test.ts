import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { listAudit } from "../../src/accounts/audit.store";
import { listExceptions, troubledStreams } from "../../src/delivery/exceptions.store";
import { meteredDatabase } from "../polling/build";

const SHORT = 1_000;
const LONG = 10_000;
const [SHORT_ORGANIZATION, LONG_ORGANIZATION] = [810_001, 810_002];
/** Each table's entries are `at` 1 to n, and the first is of a rare kind. */
const NUMBERS = `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)`;

async function fill(organizationId: number, count: number): Promise<void> {
  await env.DB.batch([
    env.DB.prepare(
      `${NUMBERS} INSERT INTO audit (organization_id, at, actor, action, target, request_id, changes)
       SELECT ?1, n, iif(n = 1, 'rare', 'usual'), iif(n = 1, 'rare', 'usual'), '', '', '[]' FROM numbers`,
    ).bind(organizationId, count),
    env.DB.prepare(
      `${NUMBERS} INSERT INTO exceptions SELECT CAST(?1 AS INTEGER) || '-' || n, ?1, 's', iif(n = 1, 'rare', 'usual') || CAST(?1 AS INTEGER),
       'dead', NULL, 1, NULL, n, n FROM numbers`,
    ).bind(organizationId, count),
  ]);
}
const filled = Promise.all([fill(SHORT_ORGANIZATION, SHORT), fill(LONG_ORGANIZATION, LONG)]);

type Read = (db: D1Database, organizationId: number, count: number) => Promise<unknown[]>;

const audit =
  (change: object, isLater = false): Read =>
  async (db, organizationId) => {
    const none = { actor: undefined, action: undefined, from: undefined, to: undefined };
    const rows = await listAudit(
      db,
      organizationId,
      { ...none, ...change },
      { before: null, limit: 20 },
    );
    const before = rows.at(-1)?.id ?? null;
    return isLater
      ? listAudit(db, organizationId, { ...none, ...change }, { before, limit: 20 })
      : rows;
  };
const exceptions =
  (destination: string | undefined): Read =>
  (db, organizationId, count) =>
    listExceptions(
      db,
      organizationId,
      {
        statuses: ["dead", "held"],
        destinationId: destination && `${destination}${organizationId}`,
      },
      { before: { at: count / 2, id: "" }, limit: 20 },
    );

describe("a list reads as many rows of a long table as of a short one", () => {
  it.each<[string, Read, number]>([
    ["the audit log", audit({}), 20],
    ["the audit log, the second page", audit({}, true), 20],
    ["the audit log of an actor", audit({ actor: "rare" }), 1],
    ["the audit log of an action", audit({ action: "rare" }), 1],
    ["the audit log until an instant", audit({ to: 500 }), 20],
    ["the audit log of a time", audit({ from: 100, to: 105 }), 6],
    ["exceptions", exceptions(undefined), 20],
    ["exceptions of a usual destination", exceptions("usual"), 20],
    ["exceptions of a rare destination", exceptions("rare"), 1],
    [
      "streams in which a destination has exceptions",
      (db, organizationId) =>
        troubledStreams(db, organizationId, `rare${organizationId}`, { kind: "recover", from: 0 }),
      1,
    ],
  ])("%s", async (_, read, expected) => {
    await filled;
    const short = meteredDatabase();
    expect(await read(short.db, SHORT_ORGANIZATION, SHORT)).toHaveLength(expected);
    const long = meteredDatabase();
    expect(await read(long.db, LONG_ORGANIZATION, LONG)).toHaveLength(expected);
    expect(long.meter.rowsRead).toBeLessThanOrEqual(short.meter.rowsRead + 2);
    expect(long.meter.rowsRead).toBeLessThan(100);
  });
});
