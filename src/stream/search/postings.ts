/**
 * A posting says that the event or notification of a number has a key. It is one number, so that sorted postings are found
 * by halving and stored eight bytes each: a hash of the key, then the place within its run.
 */

/** Places within a run are below this: a hash of 32 bits and a place fit into the 53 bits of a number. */
const PLACES = 2 ** 20;

/** A hash of 32 bits (FNV-1a). Two keys may share one, so what is found is compared with what is wanted. */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1)
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193) >>> 0;
  return (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) ^ (hash >>> 13)) >>> 0;
}

export const posting = (hash: number, place: number): number => hash * PLACES + place;

/** The place that a posting names. */
export const placeOf = (one: number): number => one % PLACES;

/** Of sorted postings, those from `least` to `most`, both included. */
export function between(postings: Float64Array, least: number, most: number): Float64Array {
  return postings.subarray(indexOf(postings, least), indexOf(postings, most + 1));
}

/** The index of the first posting that is at least `least`. */
function indexOf(postings: Float64Array, least: number): number {
  let [low, high] = [0, postings.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((postings[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The numbers that all of the lists have, in the order of the first. */
export function inAll(lists: readonly number[][]): number[] {
  const [first = [], ...rest] = lists;
  const others = rest.map((list) => new Set(list));
  return first.filter((number) => others.every((other) => other.has(number)));
}
