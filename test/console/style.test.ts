import { describe, expect, it } from "vitest";
import { brandStyle, logoSource } from "../../src/console/visitors/brand";
import { STYLE } from "../../src/console/style";

/** The colours of each scheme of a stylesheet by name; the dark one is the second list. */
const schemesOf = (style: string): Record<string, string>[] =>
  [...style.matchAll(/:root\{([^}]*)\}/g)].map(([, list = ""]) =>
    Object.fromEntries(
      [...list.matchAll(/--([a-z-]+):(#[0-9a-f]{3,6})/gi)].map(([, n, c]) => [n, c]),
    ),
  );
const schemes = schemesOf(STYLE);

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

describe("an accent of somebody's own", () => {
  const parts = ["00", "33", "66", "99", "cc", "ff"];
  const accents = parts.flatMap((r) => parts.flatMap((g) => parts.map((b) => `#${r}${g}${b}`)));

  it("is made as dark or light as is needed to be read, in both schemes", () => {
    for (const accent of accents)
      for (const colours of schemesOf(brandStyle({ accent }))) {
        const { accent: used = "", on = "", back = "", card = "" } = colours;
        const contrasts = [back, card, on].map((other) => contrast(used, other));
        expect({ accent, used, least: Math.min(...contrasts) >= 4.5 }).toEqual({
          accent,
          used,
          least: true,
        });
      }
  });

  it("stays as it is where it can be read", () => {
    const [light, dark] = schemesOf(brandStyle({ accent: "#5B3DF5" }));
    expect(light?.["accent"]).toBe("#5b3df5");
    expect(dark?.["accent"]).not.toBe("#5b3df5");
  });

  it("shows in one scheme alone where one is chosen", () => {
    const [usual, night] = schemesOf(brandStyle({ scheme: "dark" }));
    expect(usual).toEqual(night);
    expect(usual).toEqual(schemes[1]);
    const light = schemesOf(brandStyle({ scheme: "light" }));
    expect(light).toEqual([schemes[0], schemes[0]]);
    expect(schemesOf(brandStyle({}))).toEqual(schemes);
  });
});

it.each([
  ["https://app.example/a/logo.svg?v=2#x", "https://app.example/a/logo.svg"],
  ["https://app.example:8443/l;o,g o.png", "https://app.example:8443/l%3Bo%2Cg%20o.png"],
  ["https://app.example", "https://app.example/"],
  ["data:image/png;base64,AAAA", "data:"],
])("the logo %s is admitted by %s alone", (logo, source) => {
  expect(logoSource(logo)).toBe(source);
});
