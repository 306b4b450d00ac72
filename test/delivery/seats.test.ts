import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Allowance } from "../../src/delivery/allowance";
import { Crowd } from "../../src/delivery/crowd";
import { CONCURRENCY, type Grant, GRANT_MS, Seats } from "../../src/delivery/seats";

const NOW = Date.UTC(2026, 10, 21, 20);

describe("Crowd", () => {
  const crowd = (...asked: [wanted: number, callMs: number | undefined][]) => {
    const all = new Crowd();
    return asked.map(
      ([wanted, callMs]) => all.returnAt("ep_1", { wanted, seats: 2, callMs }, NOW) - NOW,
    );
  };

  it.each([
    ["as fast as its calls end", crowd([10, 400], [10, 400], [5, 400]), [1_000, 3_000, 5_000]],
    [
      "by what others saw, too",
      crowd([10, 400], [10, undefined], [1, undefined]),
      [1_000, 3_000, 5_000],
    ],
    [
      "a second for each where nobody has seen one",
      crowd([2, undefined], [1, undefined]),
      [1_000, 2_000],
    ],
    [
      "after a minute at the latest",
      crowd([100, 9_000], [100, 9_000], [1, 1]),
      [1_000, 60_000, 60_000],
    ],
  ])("calls those back that found no seat, %s", (_, returns, expected) =>
    expect(returns).toEqual(expected),
  );
});

describe("Seats", () => {
  it("grants what is wanted, up to half of what is free, so that every isolate finds some", () => {
    const room = new Seats();
    const granted = [6, 30, 6, 60, 60, 60, 60].map(
      (wanted, index) =>
        room.grant({ id: `isolate-${index}`, busy: 0, turn: 1 }, wanted, NOW)?.calls,
    );
    expect(granted).toEqual([6, 24, 6, 24, 20, 10, 5]);
    for (let left = 3; left > 0; left -= 1)
      room.grant({ id: `last-${left}`, busy: 0, turn: 1 }, 6, NOW);
    expect(room.free(NOW)).toBe(0);
    expect(room.grant({ id: "one-more", busy: 0, turn: 1 }, 1, NOW)).toBe(null);
  });

  it("grants anew to the same isolate in place of what it had", () => {
    const room = new Seats();
    for (let turn = 1; turn <= 50; turn += 1) {
      const now = NOW + turn * GRANT_MS;
      expect(room.grant({ id: "isolate", busy: 3, turn }, 4, now)?.calls).toBe(7);
      expect(room.free(now)).toBe(93);
    }
  });

  it("wants seats back that are not used, once it is busy", () => {
    const room = new Seats();
    const wanted = Array.from(
      { length: 5 },
      (_, index) => room.grant({ id: `isolate-${index}`, busy: 0, turn: 1 }, 6, NOW)?.givesBack,
    );
    expect(wanted).toEqual([false, false, false, true, true]);
    room.hold({ id: "isolate-0", busy: 0, turn: 2 }, NOW);
    room.hold({ id: "isolate-1", busy: 2, turn: 2 }, NOW);
    expect(room.free(NOW)).toBe(80);
  });

  it("gives a destination no more than its own, which count among the hundred, and wants all back", () => {
    const room = new Seats();
    const pool = { id: "ep_1", most: 3 };
    const holder = (n: number, busy = 0) => ({ id: `${n} ep_1`, pool: "ep_1", busy, turn: 1 });
    expect(room.grant(holder(1), 6, NOW, pool)).toEqual({ calls: 2, givesBack: true });
    room.start([NOW], "ep_1");
    expect(room.grant(holder(2), 6, NOW, pool)).toBe(null);
    expect([room.free(NOW, pool), room.free(NOW, { id: "ep_2", most: 2 })]).toEqual([0, 2]);
    expect(room.free(NOW)).toBe(97);
    room.end(1);
    expect(room.free(NOW, pool)).toBe(0);
    room.end(1, "ep_1");
    expect(room.free(NOW, pool)).toBe(1);
    room.start(Array.from({ length: 98 }, () => NOW));
    expect(room.free(NOW, pool)).toBe(0);
  });

  it("forgets an isolate that is silent, and a call that nobody reports on", () => {
    const room = new Seats();
    room.grant({ id: "isolate", busy: 0, turn: 1 }, 24, NOW);
    room.start([NOW, NOW]);
    expect(room.free(NOW + 16_999)).toBe(74);
    expect(room.free(NOW + 17_000)).toBe(98);
    expect(room.free(NOW + 40_000)).toBe(CONCURRENCY);
  });

  it("forgets an isolate of the version before after six seconds: it gives nothing back", () => {
    const room = new Seats();
    expect(room.grant({ id: "isolate", busy: 2 }, 10, NOW)?.calls).toBe(12);
    expect([5_999, 6_000].map((ms) => room.free(NOW + ms))).toEqual([88, CONCURRENCY]);
    room.hold({ id: "isolate", busy: 5 }, NOW + 6_000);
    expect(room.free(NOW + 6_000)).toBe(95);
  });

  it("counts the calls of an isolate that outlast its grant as long as it tells of them", () => {
    const room = new Seats();
    room.grant({ id: "isolate", busy: 0, turn: 1 }, 24, NOW);
    for (let turn = 2; turn < 60; turn += 1) {
      const at = NOW + turn * 1_000;
      room.hold({ id: "isolate", busy: 5, turn }, at);
      expect(room.free(at)).toBe(95);
    }
  });

  it("never takes fewer seats for taken than are, whatever is lost, late or overtaken on its way", () => {
    const step = fc.record({
      does: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom("begin", "ask", "answer") },
        { weight: 3, arbitrary: fc.constant("arrive") },
        { weight: 3, arbitrary: fc.constantFrom("end", "tell", "lose") },
      ),
      times: fc.integer({ min: 1, max: 8 }),
      which: fc.nat(),
      waitMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 10, 200, 900, 4_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: "max" }), (steps) => {
        const room = new Seats();
        const own = new Allowance();
        let now = NOW;
        let calls: number[] = [];
        const messages: { busy: number; turn: number; wanted: number }[] = [];
        const answers: { turn: number; grant: Grant }[] = [];
        const arrive = (index: number): void => {
          const [message] = messages.splice(index, 1);
          if (message === undefined) return;
          const { busy, turn, wanted } = message;
          const holder = { id: "isolate", busy, turn };
          const grant = wanted > 0 ? room.grant(holder, wanted, now) : null;
          if (wanted === 0) room.hold(holder, now);
          if (grant !== null) answers.push({ turn, grant });
        };
        const tell = (wanted: number): void => {
          messages.push({ ...own.tell(now, wanted), wanted });
        };
        for (const { does, times, which, waitMs } of steps) {
          now += waitMs;
          // No callback lasts longer.
          for (const at of calls.filter((begunAt) => begunAt <= now - 15_000)) own.release(at);
          calls = calls.filter((begunAt) => begunAt > now - 15_000);
          if (does === "begin")
            for (let time = 0; time < times; time += 1) calls.push(...[own.take(now) ?? []].flat());
          if (does === "end") for (const at of calls.splice(0, times)) own.release(at);
          if (does === "ask") tell(times);
          if (does === "tell") tell(0);
          if (does === "arrive" && messages.length > 0) arrive(which % messages.length);
          if (does === "lose" && messages.length > 0) messages.splice(which % messages.length, 1);
          if (does === "answer" && answers.length > 0) {
            const [answer] = answers.splice(which % answers.length, 1);
            if (answer !== undefined) own.granted(answer.turn, answer.grant);
          }
          expect(own.busy(now)).toBe(calls.length);
          expect(CONCURRENCY - room.free(now)).toBeGreaterThanOrEqual(calls.length);
        }
      }),
      { numRuns: 200 },
    );
  });
});
