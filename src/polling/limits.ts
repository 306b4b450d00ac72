/** How much one poll reads, and how long it keeps trying. */

/** A poller is switched off when one resource failed this often in a row (reference connector-events-api.md §5.4). */
export const FAILURES_TO_DISABLE = 100;
/** One poll reads at most this many pages of a resource or feed; another poll goes on from there at once. */
export const PAGES_PER_POLL = 200;
/** A list or feed that has more pages than this, read by polls that follow each other at once, has no end. */
export const MOST_PAGES = 100_000;
/** A feed that says it has more, and gives nothing this often in a row, is left until the next poll. */
export const MOST_EMPTY_PAGES = 20;
/** A list in numbered pages is read at most this often in one poll (see `needsAnotherScan`). */
export const MOST_SCANS = 3;
/** A scan that did not go on for this time is begun anew: the vendor may no longer know its page token. */
export const SCAN_LIVES_MS = 3_600_000;
/** The longest a vendor may make us wait with one answer. */
export const MOST_POSTPONED_MS = 86_400_000;
