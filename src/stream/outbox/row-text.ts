import { bare, shortened } from "../../delivery/record";
import type { Notification } from "../event";
import { utf8Length } from "../../values/bytes";

/** A row of an object's SQLite holds at most 2 MB. */
const MOST_BYTES = 1_500_000;
/** A bundle with more UTF-16 units keeps all but the last try of each notification in short: it is read often. */
const ROOMY = 250_000;
/** Rows with fewer UTF-16 units are not measured. */
const SURELY_FITS = MOST_BYTES / 3;

/**
 * The notifications of a bundle as its row has them: each try with 16 KB of its answer, unless that makes the row long;
 * then only the last of each notification, and 1 KB of the earlier ones. What receivers answered to many tries can be more than a row holds:
 * then the answers of all but the last try of each notification go, then those too, then all tries but the last.
 */
export function rowText(notifications: readonly Notification[]): string {
  const whole = JSON.stringify(notifications);
  return whole.length <= ROOMY ? whole : fitting(notifications.map(withEarlierShort));
}

function withEarlierShort(notification: Notification): Notification {
  const { attempts } = notification;
  const earlier = attempts.slice(0, -1).map(shortened);
  return { ...notification, attempts: [...earlier, ...attempts.slice(-1)] };
}

function fitting(notifications: readonly Notification[]): string {
  let text = JSON.stringify(notifications);
  for (const shed of [
    (one: Notification) => withoutAnswers(one, -1),
    (one: Notification) => withoutAnswers(one, Number.MAX_SAFE_INTEGER),
    (one: Notification) => ({
      ...withoutAnswers(one, Number.MAX_SAFE_INTEGER),
      attempts: one.attempts.slice(-1),
    }),
  ]) {
    if (text.length <= SURELY_FITS || utf8Length(text) <= MOST_BYTES) return text;
    text = JSON.stringify(notifications.map(shed));
  }
  return text;
}

/** Without what was answered to the tries before `end`, which is as in `slice`. */
function withoutAnswers(notification: Notification, end: number): Notification {
  const { attempts } = notification;
  const shed = attempts.slice(0, end).map(bare);
  return { ...notification, attempts: [...shed, ...attempts.slice(shed.length)] };
}
