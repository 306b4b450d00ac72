import { newestFirst } from "./classify";
import type { Position } from "./cursor";
import { MOST_SCANS } from "./limits";
import type { Reading } from "./records";

/**
 * What a scan, the reading of one resource's list from its first page to its last, means for the resource's position.
 */
export type Scan = {
  pages: number;
  /** Records inside the window, whether their events are new or not. */
  candidates: number;
  /** Events that were new to the stream. */
  fresh: number;
  /** The records' dates in the order they came. */
  dates: number[];
};

/** Whether the rest of the list is older than the window: dates come newest first, and the last one is outside. */
export function reachedOld({ dates }: Scan, { templated, after }: Reading): boolean {
  return !templated && newestFirst(dates) && (dates.at(-1) ?? Infinity) <= after;
}

/**
 * Whether the list must be read again. Numbered pages shift: when a record of page 1 changes while page 2 is read, it
 * moves to the end of the list, all others move up by one, and the first of page 3 is now the last of page 2, which we
 * have behind us. So a scan of several numbered pages that found something new is repeated, until one finds nothing.
 * @param found events of this scan that may be new.
 */
export function needsAnotherScan(
  isNumbered: boolean,
  scans: number,
  { pages }: Scan,
  found: number,
): boolean {
  return isNumbered && pages > 1 && found > 0 && scans < MOST_SCANS;
}

/**
 * Whether the first poll has to be written down although it found nothing. A list without a date template has no window:
 * later polls compare with what the first one saw, and so must know that there was one.
 */
const isBaseline = ({ firstPoll, templated }: Reading): boolean => firstPoll && !templated;

/** Whether a scan that found nothing leaves the cursor as it is: an idle poll writes no row. */
export function changesNothing(
  isIdle: boolean,
  { failures, scan }: Position,
  reading: Reading,
  isPostponed: boolean,
): boolean {
  const nothingToClear = failures === 0 && scan === undefined && !isPostponed;
  return isIdle && nothingToClear && !isBaseline(reading);
}

/** The position after a whole scan: failures are over, and the next window begins at this poll's start if it saw anything. */
export function positionAfter(position: Position, isIdle: boolean, reading: Reading): Position {
  const { scan: _read, failedAt: _failed, lastError: _error, ...kept } = position;
  const last = isIdle && !isBaseline(reading) ? position.last : reading.startedAt;
  return { ...kept, failures: 0, last };
}
