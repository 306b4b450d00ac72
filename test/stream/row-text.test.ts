import { expect, it } from "vitest";
import type { Attempt } from "../../src/delivery/attempt";
import type { Notification } from "../../src/stream/event";
import { rowText } from "../../src/stream/outbox/row-text";
import { utf8Length } from "../../src/values/bytes";

const attempt = (n: number, responseBody: string): Attempt => ({
  n,
  at: n,
  status: 500,
  durationMs: 1,
  error: null,
  responseHeaders: { server: "s".repeat(256) },
  responseBody,
  truncated: false,
});

const bundle = (tries: number, answer: string): Notification[] =>
  Array.from({ length: 10 }, (_, index) => ({
    seq: index + 1,
    createdAt: 1,
    destinationId: "d",
    envelope: { format: "verbatim" },
    events: [index + 1],
    state: { kind: "retrying", at: 5 },
    tries,
    attempts: Array.from({ length: tries }, (__, n) => attempt(n + 1, answer)),
  }));

it.each<[string, number, string, string]>([
  ["as they are", 50, "x".repeat(1_024), "x"],
  ["without the answers of earlier tries", 50, "\0".repeat(1_024), "\0"],
  ["without the answers of earlier tries", 50, "語".repeat(1_024), "語"],
  ["without any answer", 4, "語".repeat(60_000), ""],
  ["without any answer", 1, "\0".repeat(100_000), ""],
])("writes notifications %s when a row holds no more (%i tries)", (_, tries, answer, last) => {
  const given = bundle(tries, answer);
  const text = rowText(given);
  expect(utf8Length(text)).toBeLessThan(2_000_000);
  const written = JSON.parse(text) as Notification[];
  expect(written.map(({ seq, state, tries: count }) => [seq, state.kind, count])).toEqual(
    given.map(({ seq }) => [seq, "retrying", tries]),
  );
  for (const { attempts } of written) {
    expect(attempts.map(({ n }) => n)).toEqual(given[0]?.attempts.map(({ n }) => n));
    expect(attempts.at(-1)?.responseBody.charAt(0)).toBe(last);
    expect(attempts.at(-1)?.truncated).toBe(last === "");
  }
});

it.each([
  [2, 16_384],
  [50, 16_384],
  [10, 4_000],
])("keeps the last answers whole, and a row short, after %i tries of %i bytes", (tries, size) => {
  const text = rowText(bundle(tries, "x".repeat(size)));
  const written = JSON.parse(text) as Notification[];
  for (const { attempts } of written) {
    expect(attempts).toHaveLength(tries);
    expect(attempts.at(-1)?.responseBody).toHaveLength(size);
    expect(attempts[0]?.responseBody.length).toBeGreaterThanOrEqual(1_024);
  }
  expect(text.length).toBeLessThan(10 * (16_384 + tries * 1_600));
});

it("keeps all answers whole while they are few", () => {
  const given = bundle(1, "x".repeat(16_384));
  expect(rowText(given)).toBe(JSON.stringify(given));
});
