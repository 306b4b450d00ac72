/** Time zones as Java names them (reference connector-events-api.md §5.3). */
import { ZoneId, ZoneOffset } from "@js-joda/core";
// The rules of 1970 to 2030: the build in ESM, because the other one brings a second copy of the core along.
import "@js-joda/timezone/dist/js-joda-timezone-1970-2030.esm";

/** A time zone, under the name that the configuration gives it. */
export type Zone = { readonly name: string; readonly id: ZoneId };

export const UTC: Zone = { name: "UTC", id: ZoneOffset.UTC };
export const GMT: Zone = { name: "GMT", id: ZoneOffset.UTC };

/**
 * Reads GMT, UTC, Z, a fixed abbreviation (any case), a signed offset (`-8:00`, `+0600`, `GMT+05:30`) or an IANA name,
 * which follows daylight saving time and keeps its case. `undefined` when there is no such zone
 * (reference connector-events-api.md §5.3).
 */
export function parseZone(text: string): Zone | undefined {
  const name = text.trim();
  const upper = name.toUpperCase();
  if (upper === "GMT") return GMT;
  if (upper === "UTC" || upper === "Z") return UTC;
  const [, coast, season] = /^([ECMP])([SD])T$/.exec(upper) ?? [];
  if (coast) {
    const standardHours = -5 - "ECMP".indexOf(coast);
    return { name: upper, id: ZoneOffset.ofHours(standardHours + (season === "D" ? 1 : 0)) };
  }
  const [, sign, hours, minutes = "0"] =
    /^(?:GMT|UTC)?([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(upper) ?? [];
  if (sign) {
    const id = unlessThrown(() => ZoneOffset.ofHoursMinutes(+(sign + hours), +(sign + minutes)));
    return id && { name: id.totalSeconds() === 0 ? "GMT" : `GMT${id.id()}`, id };
  }
  // joda reads SYSTEM as the zone of the host
  return upper === "SYSTEM" ? undefined : unlessThrown(() => ({ name, id: ZoneId.of(name) }));
}

/** joda's answer to bad input is an exception, ours is `undefined`. */
export function unlessThrown<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
