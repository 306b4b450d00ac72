import type { StreamStore } from "./store";

/** Tables whose rows are found by a column that grows with the primary key, and that key. */
const KEYS = { segments: "seq", bundles: "id" } as const;
/** Fewer keys than this are halved: to guess among them saves nothing. */
const FEW_KEYS = 16;

type Probe = { key: number; value: number };

/**
 * The first key of a table whose `column`, which grows with the key, is at least `least`; undefined: there is none. No
 * column needs an index for that. Where numbers are spread evenly, the place is guessed and looked for around the
 * guess, which takes as many rows in a long history as in a short one; elsewhere the keys are halved.
 */
export function firstKey(
  store: StreamStore,
  table: keyof typeof KEYS,
  column: "at" | "events_to",
  least: number,
): number | undefined {
  const key = KEYS[table];
  const select = `SELECT ${key} AS key, ${column} AS value FROM ${table}`;
  let low = store.first<Probe>(`${select} ORDER BY ${key} LIMIT 1`);
  let high = store.first<Probe>(`${select} ORDER BY ${key} DESC LIMIT 1`);
  if (low === undefined || high === undefined || high.value < least) return undefined;
  if (low.value >= least) return low.key;
  /** Rows between `low` and this key are not looked at yet. */
  let top = high.key;
  const probe = (at: number): void => {
    if (low === undefined || at <= low.key || at >= top) return;
    const row = store.first<Probe>(
      `${select} WHERE ${key} >= ? ORDER BY ${key} LIMIT 1`,
      Math.floor(at),
    );
    if (row === undefined) return;
    if (row.value < least) low = row;
    else [high, top] = [row, Math.floor(at)];
  };
  let isEven = true;
  while (low.key + 1 < top) {
    const width: number = top - low.key;
    if (isEven && width > FEW_KEYS) {
      const share: number = (least - low.value) / (high.value - low.value);
      const guess = low.key + share * (high.key - low.key);
      const around = Math.ceil(Math.sqrt(width));
      probe(guess - around);
      probe(guess + around);
      isEven = top - low.key <= 2 * around + 1;
    }
    if (top - low.key > width / 2) probe(low.key + (top - low.key) / 2);
  }
  return high.key;
}
