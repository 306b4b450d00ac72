import { eventSettings } from "../../instances/configuration";
import type { Instance } from "../../instances/instance";
import { positionOf, readCursor } from "../../polling/cursor";
import { isFeedRead, polledResources } from "../../polling/settings";
import type { Tone } from "../parts";

/** How an instance does. */
export type Standing = {
  tone: Tone;
  /** One word. */
  word: string;
  /** Why, if there is a why. */
  why: string | null;
  /** `polled every 5 min`. */
  mode: string;
  polled: boolean;
  /** Epoch ms; null before the first poll. */
  lastPoll: number | null;
  /** Failed polls in a row, of the resource that has most. */
  failures: number;
  lastError: string | null;
  callback: string | null;
};

/** Tells how an instance does, by what its stream knows of its polls. */
export function standingOf(
  instance: Instance,
  stream: { cursor: string | null; lastOpenedAt: number | null },
): Standing {
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
  return {
    ...conditionOf(instance, failures, lastError),
    mode: modeOf(settings),
    polled,
    lastPoll: lastPoll === 0 ? null : lastPoll,
    failures,
    lastError,
    callback: configuration["event.notification.callback.url"] ?? null,
  };
}

function conditionOf(
  instance: Instance,
  failures: number,
  lastError: string | null,
): Pick<Standing, "tone" | "word" | "why"> {
  if (instance.disabled) return { tone: "off", word: "disabled", why: null };
  if (!instance.valid) return { tone: "bad", word: "invalid", why: instance.invalidReason };
  if (instance.pollerDisabled !== null)
    return { tone: "bad", word: "poller off", why: instance.pollerDisabled.lastError };
  if (failures > 0) return { tone: "wait", word: "failing", why: lastError };
  return { tone: "good", word: "ok", why: null };
}

function modeOf({ enabled, modes, intervalMinutes }: ReturnType<typeof eventSettings>): string {
  if (!enabled) return "events off";
  return modes
    .map((mode) => (mode === "polling" ? `polled every ${intervalMinutes} min` : "webhooks"))
    .join(", ");
}
