import { between } from "../../values/text";

const MONTHS =
  "January February March April May June July August September October November December".split(
    " ",
  );
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
const TOKEN = /YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|X|x|Z/g;

/** A date in UTC by a pattern of the usual tokens: `YYYY-MM-DD HH:mm:ss`; `[text]` stands for itself. */
export function formatDate(at: number, pattern: string): string {
  const date = new Date(at);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const hours = date.getUTCHours();
  const two = (value: number): string => String(value).padStart(2, "0");
  const tokens: Record<string, () => string> = {
    YYYY: () => String(year).padStart(4, "0"),
    YY: () => two(year % 100),
    MMMM: () => MONTHS[month] ?? "",
    MMM: () => (MONTHS[month] ?? "").slice(0, 3),
    MM: () => two(month + 1),
    M: () => String(month + 1),
    DD: () => two(day),
    D: () => String(day),
    dddd: () => DAYS[date.getUTCDay()] ?? "",
    ddd: () => (DAYS[date.getUTCDay()] ?? "").slice(0, 3),
    HH: () => two(hours),
    H: () => String(hours),
    hh: () => two(hours % 12 || 12),
    h: () => String(hours % 12 || 12),
    mm: () => two(date.getUTCMinutes()),
    m: () => String(date.getUTCMinutes()),
    ss: () => two(date.getUTCSeconds()),
    s: () => String(date.getUTCSeconds()),
    SSS: () => String(date.getUTCMilliseconds()).padStart(3, "0"),
    A: () => (hours < 12 ? "AM" : "PM"),
    a: () => (hours < 12 ? "am" : "pm"),
    X: () => String(Math.floor(at / 1000)),
    x: () => String(at),
    Z: () => "+00:00",
  };
  const parts = Array.from(between(pattern, "[", "]"), ({ inside, text }) =>
    inside ? text : text.replace(TOKEN, (token) => tokens[token]?.() ?? token),
  );
  return parts.join("");
}
