/** A page larger than this, in UTF-16 units, makes the next ones smaller: about as large as `WANTED`. */
const LARGE = 2_000_000;
const WANTED = 1_000_000;
/** Full pages smaller than this grow again. */
const SMALL = 250_000;

/**
 * How many records the next page of a list is asked to have. A page of a hundred records with long texts may be 10 MB, which
 * is several times as much in memory.
 * @param normal the size without that
 */
export function nextPageSize(
  size: number,
  normal: number,
  { units, records }: { units: number; records: number },
): number {
  if (units > LARGE && records > 1)
    return Math.max(1, Math.floor((Math.min(size, records) * WANTED) / units));
  const isFull = records >= size;
  return isFull && units < SMALL ? Math.min(normal, size * 2) : size;
}
