import { describe, expect, it } from "vitest";
import { Ration } from "../../src/polling/pacing/ration";
import { afterSilence, type Lane, turnOf, type Unreachable } from "../../src/polling/unreachable";
import { chunks } from "../../src/values/lists";

/**
 * 2,000 instances, each due every minute, as messages of a hundred that mix all tenants. A consumer polls six of a message
 * at a time; a vendor that answers takes 300 ms, one that hangs 30 s. Time is virtual.
 */
const INSTANCES = 2_000;
const MINUTES = 40;
const CONSUMERS = 50;
const AT_ONCE = 6;
const ANSWER_MS = 300;
const HANG_MS = 30_000;
const MINUTE = 60_000;

type Message = { ids: number[]; dueAt: number; at: number; lane: Lane };

/** A number from 0 to 1 that is the same in each run. */
function chances(): () => number {
  let seed = 1;
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** How late the polls of those vendors began that answer, in ms, minute by minute. */
function simulate(hangs: (id: number) => boolean): {
  latenessByMinute: number[][];
  hanging: number;
} {
  const chance = chances();
  const states = new Map<number, Unreachable>();
  const latenessByMinute: number[][] = Array.from({ length: MINUTES }, () => []);
  const free = { fast: Array<number>(CONSUMERS).fill(0), slow: Array<number>(CONSUMERS).fill(0) };
  let waiting: Message[] = [];
  let hanging = 0;

  /** What the consumer does with a message; when it is done. */
  function consume({ ids, dueAt, lane }: Message, beganAt: number): number {
    const ration = new Ration(beganAt);
    const slots = Array<number>(AT_ONCE).fill(beganAt);
    const unbegun: number[] = [];
    for (const id of ids) {
      const slot = slots.indexOf(Math.min(...slots));
      const at = slots[slot] ?? 0;
      if (ration.isOver(at)) {
        unbegun.push(id);
        continue;
      }
      const turn = turnOf(states.get(id), lane, at);
      if (turn === "slow-lane") waiting.push({ ids: [id], dueAt, at, lane: "slow" });
      if (!hangs(id)) latenessByMinute[dueAt / MINUTE]?.push(at - dueAt);
      if (turn !== "now") continue;
      ration.spend(1_000);
      slots[slot] = at + (hangs(id) ? HANG_MS : ANSWER_MS);
      if (!hangs(id)) states.delete(id);
      else {
        hanging += 1;
        states.set(id, afterSilence(states.get(id), "No answer", at + HANG_MS, chance()));
      }
    }
    const doneAt = Math.max(...slots);
    for (const part of chunks(unbegun, 25)) waiting.push({ ids: part, dueAt, at: doneAt, lane });
    return doneAt;
  }

  for (let minute = 0; minute < MINUTES; minute += 1) {
    const at = minute * MINUTE;
    const ids = Array.from({ length: INSTANCES }, (_, index) => index);
    waiting.push(
      ...chunks(ids, 100).map((part): Message => ({ ids: part, dueAt: at, at, lane: "fast" })),
    );
    for (let next = take(at + MINUTE); next !== undefined; next = take(at + MINUTE)) {
      const consumers = free[next.lane];
      const one = consumers.indexOf(Math.min(...consumers));
      consumers[one] = consume(next, Math.max(next.at, consumers[one] ?? 0));
    }
  }
  return { latenessByMinute, hanging };

  /** The earliest message that comes before `end`. */
  function take(end: number): Message | undefined {
    waiting = waiting.toSorted((a, b) => a.at - b.at);
    return (waiting[0]?.at ?? Infinity) < end ? waiting.shift() : undefined;
  }
}

const worst = (lateness: readonly number[]) => Math.max(0, ...lateness);
const p95 = (lateness: readonly number[]) =>
  lateness.toSorted((a, b) => a - b)[Math.floor(lateness.length * 0.95)] ?? 0;

describe("5 % of 2,000 instances whose vendors hang", () => {
  const without = simulate(() => false).latenessByMinute;
  const { latenessByMinute: withSome, hanging } = simulate((id) => id % 20 === 7);

  it("leave the others' polls as they were: from the second minute on none begins later", () => {
    for (const [minute, lateness] of withSome.entries()) {
      if (minute === 0) continue;
      expect(worst(lateness)).toBeLessThanOrEqual(worst(without[minute] ?? []));
    }
  });

  it("hold up nobody for as long as counts as late, in the minute in which they begin to hang", () => {
    expect(worst(withSome[0] ?? [])).toBeLessThan(MINUTE);
    expect(p95(withSome[0] ?? [])).toBeLessThan(HANG_MS + 5_000);
  });

  it("are tried less and less often", () => {
    expect(hanging).toBeLessThanOrEqual((INSTANCES / 20) * 8);
  });

  it("and all polls of the others are made", () => {
    for (const lateness of withSome) expect(lateness).toHaveLength((INSTANCES / 20) * 19);
  });
});

it("forty vendors that begin to hang in one message keep the others of it for no minute", () => {
  const { latenessByMinute } = simulate((id) => id < 40);
  expect(worst(latenessByMinute[0] ?? [])).toBeLessThan(3 * MINUTE);
  for (const lateness of latenessByMinute.slice(4))
    expect(worst(lateness)).toBeLessThan(MINUTE / 6);
});
