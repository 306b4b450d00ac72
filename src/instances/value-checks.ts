import { isSigningSecret, SIGNING_SECRET_EXPECTED } from "../delivery/signature";
import { expressionFault } from "../expressions/syntax";
import { nestsDeeper } from "../values/depth";
import { wholeNumber } from "../values/whole-number";
import { parseRate } from "../connectors/rate-limit";
import { parseBoolean, parseModes } from "./configuration";

export type Fault = { field: string; message: string };

/** The values that their keys do not allow. Each is looked at by itself; `configuration-fault.ts` checks the rest. */
export function valueFaults(values: Readonly<Record<string, string | null>>): Fault[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const check = Object.hasOwn(CHECKS, key) ? CHECKS[key] : undefined;
    const message = value === null ? undefined : check?.(value);
    return message === undefined
      ? []
      : { field: `configuration.${key}`, message: `${key}: ${message}` };
  });
}

const CHECKS: Record<string, (value: string) => string | undefined> = {
  "event.notification.enabled": expectBoolean,
  "filter.response.nulls": expectBoolean,
  "event.notification.type": (value) =>
    value.toLowerCase() === "webhook" ? undefined : `Expected webhook, got '${value}'`,
  "event.vendor.type": (value) =>
    parseModes(value) === undefined
      ? `Expected polling, webhook or both, got '${value}'`
      : undefined,
  "event.poller.refresh_interval": (value) => expectWhole(value, 1, 44_640),
  "pagination.max": (value) => expectWhole(value, 1, 2_000),
  "event.poller.since": (value) =>
    Number.isNaN(Date.parse(value)) ? `Expected an ISO 8601 instant, got '${value}'` : undefined,
  "event.notification.ordering": (value) =>
    ["none", "object", "source"].includes(value)
      ? undefined
      : `Expected none, object or source, got '${value}'`,
  "event.notification.ordering.dead": (value) =>
    ["skip", "block"].includes(value) ? undefined : `Expected skip or block, got '${value}'`,
  "event.notification.deactivate": (value) =>
    ["exhausted", "never"].includes(value) || /^([1-9]|[12]\d|30)$/.test(value)
      ? undefined
      : `Expected exhausted, never or a whole number of days from 1 to 30, got '${value}'`,
  "event.notification.rate": (value) =>
    Number(value) > 0 && Number(value) <= 10_000
      ? undefined
      : `Expected a number above 0, got '${value}'`,
  "vendor.rate": (value) =>
    parseRate(value) === undefined
      ? `Expected requests/seconds such as 100/60, got '${value}'`
      : undefined,
  "event.notification.retry.schedule": (value) =>
    parseSchedule(value) === undefined
      ? `Expected seconds separated by commas, got '${value}'`
      : undefined,
  "event.notification.filter": expressionFault,
  "event.notification.transform": expressionFault,
  "event.notification.webhook.secret": (value) =>
    isSigningSecret(value) ? undefined : SIGNING_SECRET_EXPECTED,
  "event.notification.callback.headers": (value) =>
    parseHeaders(value) === undefined ? "Expected a JSON object of texts" : undefined,
};

function expectBoolean(value: string): string | undefined {
  return parseBoolean(value) === undefined ? `Expected true or false, got '${value}'` : undefined;
}

function expectWhole(value: string, least: number, most: number): string | undefined {
  const number = wholeNumber(value) ?? Number.NaN;
  return number >= least && number <= most
    ? undefined
    : `Expected a whole number from ${least} to ${most}, got '${value}'`;
}

/** A retry schedule: the seconds before each try, `0,5,300`. */
export function parseSchedule(text: string): number[] | undefined {
  const seconds = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const fits = seconds.length <= 50 && seconds.every((value) => value >= 0 && value <= 7 * 86_400);
  return fits ? seconds : undefined;
}

export function parseHeaders(text: string): Record<string, string> | undefined {
  if (nestsDeeper(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value);
    if (entries.some(([, header]) => typeof header === "object")) return undefined;
    return Object.fromEntries(entries.map(([name, header]) => [name, String(header)]));
  } catch {
    return undefined;
  }
}
