import { maskedUrl } from "../../values/secret-text";
import { type DestinationState, isPaused } from "../../delivery/state";
import { eventSettings } from "../../instances/configuration";
import { type Instance, whyOff } from "../../instances/instance";
import { scheduleOf } from "../../instances/schedule";
import { positionOf, readCursor } from "../../polling/cursor";
import { isFeedRead, polledResources } from "../../polling/settings";
import type { Unreachable } from "../../polling/unreachable";
import type { Tone } from "../parts";

/** How an instance is doing, as the console shows it. */
export type Health = {
  tone: Tone;
  /** One or two words: `ok`, `failing`, `poller off`. */
  word: string;
  /** The reason, where `word` names a problem that has one. */
  reason: string | null;
  /** `polled every 5 min`. */
  mode: string;
  polled: boolean;
  /** Epoch ms; null before the first poll. */
  lastPoll: number | null;
  /** Failed polls in a row, of the resource that has most. */
  failures: number;
  lastError: string | null;
  /** The vendor gives no answer: since when, and when it is tried next. */
  unreachable: Unreachable | undefined;
  callback: string | null;
  /** How the callback stands; undefined without one. */
  callbackState: DestinationState | undefined;
};

/** How an instance is doing: by its own state, by the polls that its stream has recorded, and by its callback. */
export function healthOf(
  instance: Instance,
  stream: { cursor: string | null; lastOpenedAt: number | null },
  callbackState: DestinationState | undefined,
): Health {
  const { connector, configuration } = instance;
  const settings = eventSettings(connector, configuration);
  const polled =
    settings.enabled &&
    (settings.modes.includes("polling") || isFeedRead(connector, settings.modes));
  const resources = polledResources(instance);
  const cursor = readCursor(stream.cursor);
  const positions = (resources.ok ? resources.resources : []).map(({ resource }) =>
    positionOf(cursor, resource),
  );
  const lastPoll = Math.max(stream.lastOpenedAt ?? 0, ...positions.map(({ last }) => last ?? 0));
  const failing = positions.toSorted((a, b) => b.failures - a.failures)[0];
  const failures = failing?.failures ?? 0;
  const lastError = failures > 0 ? (failing?.lastError ?? null) : null;
  const { unreachable } = cursor;
  return {
    ...conditionOf(instance, { failures, lastError, unreachable }, callbackState),
    callbackState,
    mode: modeOf(settings, scheduleOf(instance).interval, polledOften(resources)),
    polled,
    lastPoll: lastPoll === 0 ? null : lastPoll,
    failures,
    lastError,
    unreachable,
    callback: maskedUrl(configuration["event.notification.callback.url"] ?? null),
  };
}

function conditionOf(
  instance: Instance,
  { failures, lastError, unreachable }: Pick<Health, "failures" | "lastError" | "unreachable">,
  callback: DestinationState | undefined,
): Pick<Health, "tone" | "word" | "reason"> {
  if (instance.disabled) return { tone: "off", word: "disabled", reason: null };
  const why = whyOff(instance);
  if (why !== undefined) return { tone: "off", word: "tenant disabled", reason: why };
  if (!instance.valid) return { tone: "bad", word: "invalid", reason: instance.invalidReason };
  if (instance.pollerDisabled !== null)
    return { tone: "bad", word: "poller off", reason: instance.pollerDisabled.lastError };
  if (callback !== undefined && isPaused(callback))
    return { tone: "bad", word: `callback ${callback.name}`, reason: callback.because };
  if (unreachable !== undefined)
    return { tone: "bad", word: "unreachable", reason: unreachable.because };
  if (failures > 0) return { tone: "wait", word: "failing", reason: lastError };
  if (callback?.name === "degraded")
    return { tone: "wait", word: "callback degraded", reason: callback.because };
  return { tone: "good", word: "ok", reason: null };
}

/** Resources that have an interval of their own: `reports every 60 min`. */
const polledOften = (settings: ReturnType<typeof polledResources>): string[] =>
  (settings.ok ? settings.resources : []).flatMap(({ resource, everyMinutes }) =>
    everyMinutes === undefined ? [] : `${resource} every ${everyMinutes} min`,
  );

function modeOf(
  { enabled, modes, intervalMinutes }: ReturnType<typeof eventSettings>,
  interval: number | null,
  own: readonly string[],
): string {
  if (!enabled) return "events off";
  const polled = `polled every ${interval ?? intervalMinutes} min`;
  const detailed = own.length === 0 ? polled : `${polled} (${own.join(", ")})`;
  return modes.map((mode) => (mode === "polling" ? detailed : "webhooks")).join(", ");
}
