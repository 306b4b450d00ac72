import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CONNECTOR_DEFAULT, CONNECTOR_LONG, nextStep, STANDARD } from "../../src/delivery/backoff";
import {
  admitted,
  afterCall,
  type Circuit,
  CLOSED,
  isDestinationFault,
} from "../../src/delivery/circuit";
import { givenUpAt } from "../../src/delivery/give-up";
import { HORIZON_MS, type Pace, reserve, UNPACED } from "../../src/delivery/rate";
import { headerFault } from "../../src/delivery/destination";

const NOW = Date.UTC(2026, 10, 21, 20);
const SECOND = 1000;

const context = {
  policy: STANDARD,
  tries: 1,
  firstFailedAt: undefined,
  retryAfter: undefined,
  control: undefined,
  now: NOW,
  chance: 0.5,
} as const;

describe("nextStep", () => {
  it.each([200, 201, 204, 299])("takes %i for delivered", (status) => {
    expect(nextStep({ status, at: NOW }, context)).toEqual({ kind: "delivered", at: NOW });
  });

  it.each([null, 300, 302, 400, 404, 429, 500, 503])("takes %s for a failure", (status) => {
    expect(nextStep({ status, at: NOW }, context).kind).toBe("retrying");
  });

  it("waits the connector profile's delays after the original failure", () => {
    const delays = [1, 2, 3, 4, 5].map((tries) => {
      const next = nextStep(
        { status: 500, at: NOW },
        { ...context, policy: CONNECTOR_DEFAULT, tries, firstFailedAt: NOW - 1 },
      );
      return next.kind === "retrying" ? next.at : undefined;
    });
    expect(delays).toEqual([8, 64, 512, 4096, 32768].map((seconds) => NOW - 1 + seconds * SECOND));
  });

  it("dies after the fifth retry of the default profile and the ninth of the long one", () => {
    const dead = { kind: "dead", at: NOW, reason: "exhausted" };
    expect(
      nextStep(
        { status: 500, at: NOW },
        { ...context, policy: CONNECTOR_DEFAULT, tries: 6, firstFailedAt: NOW },
      ),
    ).toEqual(dead);
    expect(
      nextStep(
        { status: 500, at: NOW },
        { ...context, policy: CONNECTOR_LONG, tries: 10, firstFailedAt: NOW },
      ),
    ).toEqual(dead);
  });

  it("waits 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h between tries by default, then dies", () => {
    const delays = Array.from({ length: 10 }, (_, index) => {
      const next = nextStep({ status: 500, at: NOW }, { ...context, tries: index + 1 });
      return next.kind === "retrying" ? (next.at - NOW) / SECOND : next.kind;
    });
    expect(delays).toEqual([5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, "dead"]);
  });

  it("spreads standard delays by at most a fifth", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 9 }),
        (chance, tries) => {
          const middle = nextStep({ status: 500, at: NOW }, { ...context, tries });
          const spread = nextStep({ status: 500, at: NOW }, { ...context, tries, chance });
          if (middle.kind !== "retrying" || spread.kind !== "retrying")
            throw new Error("not retrying");
          expect(Math.abs(spread.at - middle.at)).toBeLessThanOrEqual((middle.at - NOW) * 0.2 + 1);
        },
      ),
    );
  });

  it("retries a 503 no sooner than its Retry-After, and no later than a day because of it", () => {
    const after = (retryAfter: number) =>
      nextStep({ status: 503, at: NOW }, { ...context, retryAfter });
    expect(after(NOW + 60 * SECOND)).toEqual({ kind: "retrying", at: NOW + 60 * SECOND });
    expect(after(NOW + SECOND)).toEqual({ kind: "retrying", at: NOW + 5 * SECOND });
    expect(after(NOW + 90 * 86_400 * SECOND)).toEqual({
      kind: "retrying",
      at: NOW + 86_400 * SECOND,
    });
  });

  it("ends at 410, and as the receiver's header says", () => {
    expect(nextStep({ status: 410, at: NOW }, context)).toMatchObject({
      kind: "dead",
      reason: "gone",
    });
    expect(
      nextStep({ status: 500, at: NOW }, { ...context, control: "abort-message" }),
    ).toMatchObject({ reason: "aborted" });
    expect(nextStep({ status: 500, at: NOW }, { ...context, control: "disable" })).toMatchObject({
      reason: "destination-disabled",
    });
  });

  it("holds at the first failure under the policy 'queue'", () => {
    expect(nextStep({ status: 500, at: NOW }, { ...context, policy: { kind: "queue" } })).toEqual({
      kind: "held",
      reason: "queued",
    });
  });
});

describe("circuit", () => {
  const fail = (circuit: Circuit, times: number, at = NOW): Circuit =>
    Array.from({ length: times }).reduce<Circuit>((now) => afterCall(now, true, at, 0.5), circuit);

  it("opens after ten failures in a row, not after nine", () => {
    expect(fail(CLOSED, 9).state).toBe("closed");
    expect(fail(CLOSED, 10)).toMatchObject({
      state: "open",
      openedAt: NOW,
      nextProbeAt: NOW + 30 * SECOND,
    });
  });

  it("opens when most of twenty calls in the window failed, though some succeeded", () => {
    let circuit = CLOSED;
    for (let call = 0; call < 20 && circuit.state === "closed"; call += 1)
      circuit = afterCall(circuit, call % 4 !== 0, NOW, 0.5);
    expect(circuit.state).toBe("open");
  });

  it("opens again when a probe fails, however few failed in a row before", () => {
    const halfOpen = {
      ...CLOSED,
      state: "half-open" as const,
      failures: 1,
      openedAt: 5,
      reopened: 1,
    };
    expect(afterCall(halfOpen, true, 100_000, 0.5)).toMatchObject({ state: "open", openedAt: 5 });
  });

  it("forgets after five minutes how many failed", () => {
    const window = { startedAt: 0, calls: 19, failed: 19 };
    const stateAt = (now: number) => afterCall({ ...CLOSED, window }, true, now, 0.5).state;
    expect([stateAt(300_000), stateAt(300_001)]).toEqual(["open", "closed"]);
  });

  it("lets one probe through when its time has come, and closes when that succeeds", () => {
    const open = fail(CLOSED, 10);
    expect(admitted(open, 5, NOW + 29 * SECOND).admitted).toBe(0);
    const probing = admitted(open, 5, NOW + 30 * SECOND);
    expect(probing).toMatchObject({ admitted: 1, circuit: { state: "half-open" } });
    expect(admitted(probing.circuit, 5, NOW + 31 * SECOND).admitted).toBe(0);
    expect(afterCall(probing.circuit, false, NOW + 31 * SECOND, 0.5).state).toBe("closed");
  });

  it("stays open longer each time a probe fails, up to fifteen minutes", () => {
    let circuit = fail(CLOSED, 10);
    const pauses: number[] = [];
    for (let probe = 0; probe < 7; probe += 1) {
      const at = circuit.nextProbeAt ?? 0;
      circuit = afterCall(admitted(circuit, 1, at).circuit, true, at, 0.5);
      pauses.push(((circuit.nextProbeAt ?? 0) - at) / SECOND);
    }
    expect(pauses).toEqual([60, 120, 240, 480, 900, 900, 900]);
  });

  it.each([
    [null, true],
    [200, false],
    [204, false],
    [302, true],
    [400, false],
    [404, true],
    [410, false],
    [422, false],
    [429, true],
    [500, true],
  ])("blames the destination for %s: %s", (status, blamed) => {
    expect(isDestinationFault(status)).toBe(blamed);
  });
});

describe("rate", () => {
  it("never starts more than the rate in any second, and drains a thousand in a hundred seconds", () => {
    let pace: Pace = UNPACED;
    let now = NOW;
    const starts: number[] = [];
    while (starts.length < 1000) {
      const reserved = reserve(pace, Math.min(10, 1000 - starts.length), 10, now);
      pace = reserved.pace;
      starts.push(...reserved.starts);
      now =
        reserved.returnAt === null
          ? Math.max(now, (starts.at(-1) ?? now) - HORIZON_MS + 100)
          : reserved.returnAt;
    }
    for (const [index, start] of starts.entries()) {
      const tenth = starts[index + 10];
      if (tenth !== undefined) expect(tenth - start).toBeGreaterThanOrEqual(1000);
    }
    expect(((starts.at(-1) ?? 0) - NOW) / SECOND).toBeLessThanOrEqual(100);
  });

  it("asks those it sends away to come back one after the other", () => {
    const first = reserve(UNPACED, 100, 10, NOW);
    const second = reserve(first.pace, 50, 10, NOW);
    const third = reserve(second.pace, 50, 10, NOW);
    expect(first.starts).toHaveLength(21);
    expect(second.starts).toHaveLength(0);
    expect((third.returnAt ?? 0) - (second.returnAt ?? 0)).toBe(5000);
  });

  it("lets everything go where no rate is set", () => {
    expect(reserve(UNPACED, 50, undefined, NOW)).toMatchObject({ returnAt: null });
  });
});

describe("givenUpAt", () => {
  it("counts from the first failure, or from the beginning when none was tried", () => {
    expect(givenUpAt(CONNECTOR_DEFAULT, { createdAt: NOW, firstFailedAt: NOW + 5 })).toBe(
      NOW + 5 + 32_768 * SECOND,
    );
    expect(givenUpAt(CONNECTOR_DEFAULT, { createdAt: NOW })).toBe(NOW + 32_768 * SECOND);
    expect(givenUpAt(STANDARD, { createdAt: NOW })).toBe(NOW + (75 * 3600 + 35 * 60 + 5) * SECOND);
  });
});

describe("headerFault", () => {
  it.each([
    "Host",
    "content-length",
    "webhook-id",
    "Webhook-Signature",
    "Elements-Webhook-Signature",
    "Connection",
    "cf-ray",
    "X-Forwarded-For",
    "Transfer-Encoding",
  ])("refuses %s", (name) => expect(headerFault(name, "x")).toBeDefined());
  it.each([
    ["X-Api-Key", "abc", undefined],
    ["bad name", "x", "'bad name' is not a header name"],
    ["X-A", "a\nb", "Header 'X-A' has a character that can't be sent"],
    ["X-A", "x".repeat(4097), "Header 'X-A' is longer than 4096 characters"],
  ])("checks %s: %s", (name, value, fault) => expect(headerFault(name, value)).toBe(fault));
});
