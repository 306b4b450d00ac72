/**
 * The id that a path, a header or a source names: digits without a sign, a fraction, an exponent or zeros in front, so
 * that each thing has one address. Undefined for any other text.
 */
export function numericId(text: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

/** A number of the shape that people write for a count: digits alone, at most 15. Undefined for any other text. */
export function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
