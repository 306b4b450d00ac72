import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { waitUntil } from "../../src/values/wait";

const NOW = Date.UTC(2026, 10, 21, 20, 0, 0);
/** 20:02:00, two minutes on. */
const EPOCH_SECONDS = NOW / 1_000 + 120;

describe("waitUntil", () => {
  it.each([
    ["120", 120],
    [" 120 ", 120],
    ["1.5", 1.5],
    ["86400", 86_400],
    [`${EPOCH_SECONDS}`, 120],
    [`${EPOCH_SECONDS}.5`, 120.5],
    [`${EPOCH_SECONDS}000`, 120],
    [`${EPOCH_SECONDS}000000`, 120],
    [`${EPOCH_SECONDS}000000000`, 120],
    [`"${EPOCH_SECONDS}"`, 120],
    ["Sat, 21 Nov 2026 20:02:00 GMT", 120],
    ["Saturday, 21-Nov-26 20:02:00 GMT", 120],
    ["Sat Nov 21 20:02:00 2026", 120],
    ["2026-11-21T20:02:00Z", 120],
    ["2026-11-21T20:02:00.000Z", 120],
    ["2026-11-21T21:02:00+01:00", 120],
    ["2026-11-21 20:02:00", 120],
    ["in 120 s", 120],
    ["in 120 seconds", 120],
    ["In 2 minutes", 120],
    ["120s", 120],
    ["120 sec", 120],
    ["1500ms", 1.5],
    ["1m30s", 90],
    ["6m0s", 360],
    ["1 hour 1 second", 3_601],
    ["1d", 86_400],
    ["5, 120", 120],
    ["120, 5", 120],
    ["120, soon", 120],
    ["5, Sat, 21 Nov 2026 20:02:00 GMT", 120],
    ["Sat, 21 Nov 2026 20:02:00 GMT, 5", 120],
    ["Sat, 21 Nov 2026 20:01:00 GMT, Saturday, 21-Nov-26 20:02:00 GMT", 120],
    [`Sat, 21 Nov 2026 19:00:00 GMT, ${EPOCH_SECONDS}000`, 120],
    ["0", undefined],
    ["0, 0", undefined],
    ["0s", undefined],
    ["Sat, 21 Nov 2026 19:00:00 GMT", undefined],
    [`${EPOCH_SECONDS - 600}`, undefined],
    [`${EPOCH_SECONDS - 600}000`, undefined],
    ["0001-01-01T00:00:00Z", undefined],
    ["soon", undefined],
    ["in 3 fortnights", undefined],
    ["", undefined],
    [",", undefined],
    ["-5", undefined],
    ["9".repeat(40), undefined],
    [null, undefined],
  ])("reads %s", (text, seconds) => {
    expect(waitUntil(text, NOW)).toBe(seconds === undefined ? undefined : NOW + seconds * 1_000);
  });

  it("reads one instant, to the second, from every form it can be written in", () => {
    const seconds = fc.integer({ min: 1, max: 86_400 * 366 });
    fc.assert(
      fc.property(seconds, (ahead) => {
        const at = NOW + ahead * 1_000;
        const date = new Date(at);
        const forms = [
          String(ahead),
          `${ahead} seconds`,
          ...[1e-3, 1, 1e3].map((unit) => String(at * unit)),
          `${at}000000`,
          date.toISOString(),
          date.toUTCString(),
          `1, ${date.toUTCString()}`,
        ];
        expect(forms.map((form) => waitUntil(form, NOW))).toEqual(forms.map(() => at));
      }),
    );
  });

  it("is never before now, whatever the text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(waitUntil(text, NOW) ?? Infinity).toBeGreaterThan(NOW);
      }),
    );
  });
});
