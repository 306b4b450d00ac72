import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UNPACED } from "../../src/delivery/rate";
import { HORIZON_MS, reserveTimes } from "../../src/hub/budget/reservations";
import { parseRate } from "../../src/connectors/rate-limit";
import { budgetOf, limitedUntil } from "../../src/hub/budget/limit";
import { builtIn, findConnector } from "../../src/connectors/catalog";
import { spread } from "../../src/polling/pacing/spread";

const NOW = Date.UTC(2026, 10, 1);

/** The most of `times`, in order, that any half-open window saw. */
function mostIn(times: readonly number[], windowMs: number): number {
  let most = 0;
  let from = 0;
  for (const [index, at] of times.entries()) {
    while ((times[from] ?? 0) <= at - windowMs) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
}

/** 1,000 instances in messages of 100 and what comes back of them, on a fixed clock. */
function drain(instances: number, requests: number, seconds: number) {
  const ratePerSecond = requests / seconds;
  const queue = Array.from({ length: instances / 100 }, () => ({
    at: NOW,
    count: 100,
    again: false,
  }));
  const starts: number[] = [];
  let pace = UNPACED;
  let messages = 0;
  while (queue.length > 0) {
    queue.sort((a, b) => a.at - b.at);
    const message = queue.shift();
    if (message === undefined) break;
    messages += 1;
    const { at: now, count, again } = message;
    const ask = { account: "", wanted: count, ratePerSecond, again };
    const reserved = reserveTimes(pace, ask, 0, now);
    pace = reserved.pace;
    starts.push(...reserved.starts);
    const away = Array.from({ length: count - reserved.starts.length });
    const returnAt = reserved.returnAt ?? 0;
    for (const { items, delaySeconds } of spread(away, {
      returnAt,
      ratePerSecond,
      requestsEach: 1,
      now,
    }))
      queue.push({ at: now + delaySeconds * 1_000, count: items.length, again: true });
  }
  return { starts: starts.toSorted((a, b) => a - b), messages };
}

describe("the line at a vendor's budget", () => {
  it.each([
    [100, 60],
    [5, 1],
    [500, 60],
    [1_000, 60],
    [50, 1],
  ])(
    "lets 1,000 instances through at exactly %i requests in %i s: never above in any window, drained at it",
    (requests, seconds) => {
      const { starts, messages } = drain(1_000, requests, seconds);
      expect(starts).toHaveLength(1_000);
      expect(mostIn(starts, seconds * 1_000 - 0.01)).toBeLessThanOrEqual(requests);
      const last = Math.max(...starts);
      const ideal = (999 / requests) * seconds * 1_000;
      expect(last - NOW).toBeGreaterThanOrEqual(ideal - 1);
      expect(last - NOW).toBeLessThanOrEqual(ideal + 1);
      // Nobody turns in circles: a part of the line is on the queue about once.
      expect(messages).toBeLessThanOrEqual(10 + 3 * Math.ceil((ideal / HORIZON_MS) * 2));
    },
  );

  it("never gives more than the limit in any window, whoever asks for how much when", () => {
    const asks = fc.array(
      fc.record({
        after: fc.integer({ min: 0, max: 4_000 }),
        wanted: fc.integer({ min: 1, max: 40 }),
        again: fc.boolean(),
        pause: fc.integer({ min: -10_000, max: 10_000 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(asks, fc.integer({ min: 1, max: 50 }), (all, requests) => {
        let now = NOW;
        let pace = UNPACED;
        const starts: number[] = [];
        for (const { after, wanted, again, pause } of all) {
          now += after;
          const ask = { account: "", wanted, ratePerSecond: requests / 2, again };
          const reserved = reserveTimes(pace, ask, now + pause, now);
          pace = reserved.pace;
          if (pause > 0) expect(reserved.starts).toEqual([]);
          if (reserved.starts.length < wanted) expect(reserved.returnAt).toBeGreaterThan(now - 1);
          starts.push(...reserved.starts);
        }
        expect(mostIn(starts, 2_000 - 0.01)).toBeLessThanOrEqual(requests);
        expect(starts).toEqual(starts.toSorted((a, b) => a - b));
      }),
    );
  });

  it("lets those who waited go before those who come anew", () => {
    const rate = { account: "", ratePerSecond: 1 };
    const first = reserveTimes(UNPACED, { ...rate, wanted: 100, again: false }, 0, NOW);
    const later = reserveTimes(first.pace, { ...rate, wanted: 1, again: false }, 0, NOW + 6_000);
    expect(later.starts).toEqual([]);
    expect(later.returnAt).toBeGreaterThanOrEqual(NOW + 99_000);
    const back = reserveTimes(later.pace, { ...rate, wanted: 3, again: true }, 0, NOW + 6_000);
    expect(back.starts).toEqual([NOW + 6_000, NOW + 7_000, NOW + 8_000]);
  });
});

describe("budgetOf", () => {
  const instance = (key: string, configuration: Record<string, string> = {}) => {
    const connector = findConnector(key);
    if (connector === undefined) throw new Error(`No connector '${key}'`);
    return { id: 7, organizationId: 1, connector, configuration };
  };

  it("is one for all instances of an account, and one's own where the account has no name", () => {
    const portal = { "hubspot.portal.id": "62515" };
    expect(budgetOf(instance("hubspot", portal))).toMatchObject({ account: "62515" });
    expect(budgetOf(instance("hubspot"))).toMatchObject({ account: "instance:7" });
    expect(budgetOf(instance("box"))).toMatchObject({ account: "instance:7" });
    expect(budgetOf(instance("box", { "oauth.user.id": "u-1" }))).toMatchObject({ account: "u-1" });
  });

  it("is none where no limit is known and nobody shares one", () => {
    expect(budgetOf(instance("sandbox"))).toBeUndefined();
    expect(budgetOf(instance("dropbox"))).toBeUndefined();
    expect(budgetOf(instance("dropbox", { "oauth.user.id": "dbid:a" }))).toMatchObject({
      account: "dbid:a",
      isSerial: true,
    });
  });

  it("is one for all accounts of an application where the limit is its", () => {
    const per = (key: string) => {
      const one = instance("hubspot", { "oauth.api.key": key });
      const rateLimit = { per: "application" as const, requests: 10, seconds: 1, pauseSeconds: 60 };
      return budgetOf({ ...one, connector: { ...one.connector, rateLimit } });
    };
    expect(per("a")).toEqual(per("a"));
    expect(per("a")?.name).not.toBe(per("b")?.name);
    expect(per("a")?.name).not.toContain('"a"');
  });

  it("keeps the lower of what the vendor allows and what the instance is to use", () => {
    const rate = (text: string) =>
      budgetOf(instance("hubspot", { "vendor.rate": text }))?.ratePerSecond;
    expect(rate("60/60")).toBeCloseTo(1, 1);
    expect(rate("6000/60")).toBeCloseTo(5, 0);
    expect(parseRate(" 100/60 ")).toEqual({ requests: 100, seconds: 60 });
  });

  it("has the limits that the vendors name", () => {
    const limits = builtIn.flatMap(({ key, rateLimit }) =>
      rateLimit?.requests === undefined ? [] : [[key, rateLimit.requests, rateLimit.seconds]],
    );
    expect(limits).toEqual([
      ["box", 1000, 60],
      ["hubspot", 5, 1],
      ["hubspotcrm", 5, 1],
      ["quickbooks", 500, 60],
    ]);
  });
});

describe("limitedUntil", () => {
  const error = { kind: "vendor-error" as const, message: "", providerMessage: "" };

  it.each([
    ["hubspot", { status: 429, retryAt: NOW + 7 }, NOW + 7],
    ["quickbooks", { status: 429 }, NOW + 60_000],
    ["sfdc", { status: 403, code: "REQUEST_LIMIT_EXCEEDED" }, NOW + 60_000],
    ["sfdc", { status: 403, code: "INSUFFICIENT_ACCESS" }, undefined],
    ["quickbooks", { status: 500 }, undefined],
    ["sandbox", { status: 429 }, undefined],
  ])("of %s says %o is until %s", (key, told, until) => {
    const { rateLimit } = findConnector(key) ?? {};
    expect(limitedUntil({ ...error, ...told }, rateLimit, NOW)).toBe(until);
  });
});
