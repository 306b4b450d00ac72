import { describe, expect, it } from "vitest";
import { STYLE } from "../../src/console/style";

/** The colours of a scheme by name; the dark one is the second list. */
const schemes = [...STYLE.matchAll(/:root\{([^}]*)\}/g)].map(([, list = ""]) =>
  Object.fromEntries([...list.matchAll(/--([a-z-]+):(#[0-9a-f]{3,6})/g)].map(([, n, c]) => [n, c])),
);

/** Relative luminance (WCAG 2.2). */
function luminance(colour: string): number {
  const digits = colour.length === 4 ? colour.replace(/[0-9a-f]/g, "$&$&") : colour;
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const PAIRS = [
  ...["ink", "quiet", "accent"].flatMap((text) => [
    [text, "back"],
    [text, "card"],
  ]),
  ...["good", "bad", "wait"].flatMap((text) => [
    [text, `${text}-back`],
    [text, "card"],
  ]),
  ["quiet", "off-back"],
  ["on", "accent"],
] as [text: string, back: string][];

describe.each([
  ["light", 0],
  ["dark", 1],
])("the %s scheme", (_, scheme) => {
  it.each(PAIRS)("shows %s on %s with a contrast of 4.5 at least", (text, back) => {
    const colours: Record<string, string> = schemes[scheme] ?? {};
    expect(contrast(colours[text] ?? "", colours[back] ?? "")).toBeGreaterThanOrEqual(4.5);
  });
});
