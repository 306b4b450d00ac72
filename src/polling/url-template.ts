/** Date templates in poll URLs (reference connector-events-api.md §5.3). */
import { checkPattern, formatInstant } from "./java-date";
import { GMT, parseZone, UTC, type Zone } from "./zone";

export type Expansion =
  | { ok: true; url: string; templated: boolean }
  | { ok: false; message: string };

/** At UTC, where it matters, XXX prints the Z of the reference; elsewhere a quoted 'Z' would lie. */
const DEFAULT_PATTERN = "yyyy-MM-dd'T'HH:mm:ssXXX";
const TEMPLATE = /\$\{([^}]*)(\}?)/g;
const ZONE_AND_PATTERN = /^([+-]\d{1,2}(?::?\d{2})?(?=:|$)|[^:]*)(?::(.*))?$/s;

export function hasTemplate(url: string): boolean {
  return url.includes("${");
}

/**
 * Replaces every `${gmtDate:…}`, `${date:…}`, `${dateTimeZone:ZONE:…}` and `${epoch[:ms|s|us]}` by the instant `at`
 * (epoch ms). A template without a pattern prints in `updatedDateFormat`, else as `2017-08-30T19:19:29Z`.
 * The caller URL-encodes the result.
 */
export function expandTemplates(url: string, at: number, updatedDateFormat?: string): Expansion {
  let expanded = "";
  let end = 0;
  for (const template of url.matchAll(TEMPLATE)) {
    const [whole, body = "", closing] = template;
    if (!closing) return { ok: false, message: `Template "${whole}" has no closing brace` };
    const printed = expand(body, at, updatedDateFormat ?? DEFAULT_PATTERN);
    if (!printed.ok) return printed;
    expanded += url.slice(end, template.index) + printed.text;
    end = template.index + whole.length;
  }
  return { ok: true, url: expanded + url.slice(end), templated: end > 0 };
}

type Printed = { ok: true; text: string } | { ok: false; message: string };

function expand(body: string, at: number, defaultPattern: string): Printed {
  const colon = body.indexOf(":");
  const descriptor = colon < 0 ? body : body.slice(0, colon);
  const argument = colon < 0 ? undefined : body.slice(colon + 1);
  switch (descriptor.toLowerCase()) {
    case "gmtdate":
      return print(at, argument ?? defaultPattern, GMT);
    case "date":
      return print(at, argument ?? defaultPattern, UTC);
    case "datetimezone": {
      const [, name = "", pattern = defaultPattern] = ZONE_AND_PATTERN.exec(argument ?? "") ?? [];
      const zone = parseZone(name);
      return zone
        ? print(at, pattern, zone)
        : { ok: false, message: `Unknown time zone "${name}" in "\${${body}}"` };
    }
    case "epoch":
      return printEpoch(at, argument ?? "ms");
    default:
      return { ok: false, message: `Unknown template "\${${body}}"` };
  }
}

function print(at: number, pattern: string, zone: Zone): Printed {
  const message = checkPattern(pattern);
  return message === undefined
    ? { ok: true, text: formatInstant(at, pattern, zone) }
    : { ok: false, message };
}

function printEpoch(at: number, unit: string): Printed {
  switch (unit.toLowerCase()) {
    case "ms":
      return { ok: true, text: String(at) };
    case "s":
      return { ok: true, text: String(Math.floor(at / 1000)) };
    case "us":
      return { ok: true, text: String(at * 1000) };
    default:
      return { ok: false, message: `Unknown epoch unit "${unit}"` };
  }
}
