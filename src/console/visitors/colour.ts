/** Red, green and blue, 0 to 255. */
type Colour = readonly [number, number, number];

/** As much contrast as text must have (WCAG 2.2). */
const LEAST_CONTRAST = 4.5;
const STEPS = 20;

/** @param hex `#rrggbb`, or `#rgb`. */
function colourOf(hex: string): Colour {
  const digits = hex.length === 4 ? hex.replaceAll(/[0-9a-f]/gi, "$&$&") : hex;
  const part = (at: number): number => Number.parseInt(digits.slice(at, at + 2), 16);
  return [part(1), part(3), part(5)];
}

const hexOf = (colour: Colour): string =>
  `#${colour.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;

function luminance(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map((whole) => {
    const part = whole / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** How well two colours are told apart, from 1 to 21. */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(colourOf(one)), luminance(colourOf(other))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** A colour, no further towards black or white than text of it needs to be read on each of the backgrounds. */
export function readableOn(colour: string, backgrounds: readonly string[]): string {
  const isDark = backgrounds.every((back) => contrast(back, "#ffffff") > contrast(back, "#000000"));
  const [from, to] = [colourOf(colour), isDark ? 255 : 0];
  const mixed = (step: number): string => {
    const [red, green, blue] = from.map((part) => part + ((to - part) * step) / STEPS);
    return hexOf([red ?? 0, green ?? 0, blue ?? 0]);
  };
  for (let step = 0; step < STEPS; step += 1) {
    const one = mixed(step);
    if (backgrounds.every((back) => contrast(one, back) >= LEAST_CONTRAST)) return one;
  }
  return mixed(STEPS);
}

/** Black or white, whichever is better read on a colour. */
export const textOn = (back: string): string =>
  contrast(back, "#ffffff") >= contrast(back, "#000000") ? "#ffffff" : "#000000";
