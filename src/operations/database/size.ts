import type { Millis } from "../../values/instant";

/** How much the platform lets one database hold. */
export const LIMIT_BYTES = 10_000_000_000;
/** Above this share of the limit the operator is told. */
export const ALARMING = 0.7;

const DAY_MS = 86_400_000;

/** How large the database was on a day, which begins at `day`. */
export type Size = { day: Millis; bytes: number };

export type Projection = {
  sizeBytes: number;
  limitBytes: number;
  /** On average since the oldest known size; null while none is a day old. */
  growthBytesPerDay: number | null;
  /** Null when it doesn't grow. */
  daysUntilFull: number | null;
};

/** How large the database is, and when it will be full if it goes on growing as it did. */
export function projected(
  sizes: readonly Size[],
  sizeBytes: number,
  now: Millis,
  limitBytes = LIMIT_BYTES,
): Projection {
  const oldest = sizes.toSorted((left, right) => left.day - right.day)[0];
  const days = oldest === undefined ? 0 : Math.floor(now / DAY_MS) - oldest.day / DAY_MS;
  const growth =
    oldest === undefined || days < 1 ? null : Math.round((sizeBytes - oldest.bytes) / days);
  const left = Math.max(0, limitBytes - sizeBytes);
  return {
    sizeBytes,
    limitBytes,
    growthBytesPerDay: growth,
    daysUntilFull: growth === null || growth <= 0 ? null : Math.floor(left / growth),
  };
}

/** Whether a size is to be noted: it is the first of its day, or differs from what was noted by a hundredth. */
export function isNews(noted: Size | undefined, bytes: number): boolean {
  return noted === undefined || Math.abs(noted.bytes - bytes) * 100 > noted.bytes;
}
