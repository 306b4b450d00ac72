import type { HubPage } from "../hub/records.client";

/**
 * Whether all records of a list were seen. Pages that are asked for by number shift while they are read, and where the
 * vendor's order has ties (250 posts edited at once have one date) each request may break them differently: one
 * record comes twice, another never. So ids are counted over a whole reading, and over those that repeat it.
 */
export type Census = {
  ids: Set<string>;
  /** Ids of the current reading: one that comes on two of its pages is a sign that another was left out. */
  current: Set<string>;
  isRepeated: boolean;
  /** Records without an id of their own, of the current reading. */
  unnamed: number;
  /** Records that earlier polls have read of this list. */
  before: number;
  /** How many the vendor says there are; undefined when it doesn't, or the answer is about a part of the list. */
  total: number | undefined;
};

export const newCensus = (before = 0): Census => ({
  ids: new Set(),
  current: new Set(),
  isRepeated: false,
  unnamed: 0,
  before,
  total: undefined,
});

/** The list is read again from its beginning; what was seen stays seen. */
export function beginAgain(census: Census): void {
  Object.assign(census, { ...newCensus(), ids: census.ids });
}

export function countPage(census: Census, page: Extract<HubPage, { kind: "page" }>): void {
  const ids = new Set(page.ids);
  if (ids.size < page.ids.length || !ids.isDisjointFrom(census.current)) census.isRepeated = true;
  for (const id of ids) {
    census.ids.add(id);
    census.current.add(id);
  }
  census.unnamed += page.unnamed;
  census.total = page.counted;
}

/** Records read so far, each once. */
export const countOf = ({ ids, unnamed, before }: Census): number => ids.size + unnamed + before;

/**
 * What does not add up; undefined when all does.
 * @param isNumbered pages are asked for by number or offset. Elsewhere a record that comes twice was changed meanwhile.
 */
export function gapOf(census: Census, isNumbered: boolean): string | undefined {
  const { total, isRepeated } = census;
  const count = countOf(census);
  if (total !== undefined)
    return count < total ? `${count} of ${total} records were found` : undefined;
  return isNumbered && isRepeated
    ? `records come on several pages, so that others may be left out; ${count} were found`
    : undefined;
}
