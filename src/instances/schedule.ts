import { eventSettings, hasCredentials } from "./configuration";
import type { Instance } from "./instance";
import { pollInterval } from "./poll-interval";

/**
 * When an instance is polled: every `interval` minutes, in the minute whose remainder is `slot`. Slots
 * are spread over the interval by a multiplicative hash of the id. Resources that are polled less often are left out of
 * most polls (`polling/due-resources.ts`).
 */
export function scheduleOf(
  instance: Pick<
    Instance,
    "id" | "connector" | "configuration" | "valid" | "disabled" | "pollerDisabled"
  >,
): { interval: number | null; slot: number | null } {
  const { enabled, modes, intervalMinutes } = eventSettings(
    instance.connector,
    instance.configuration,
  );
  const polled =
    enabled &&
    modes.includes("polling") &&
    instance.valid &&
    !instance.disabled &&
    instance.pollerDisabled === null;
  if (!polled) return { interval: null, slot: null };
  const interval = pollInterval(instance.connector, instance.configuration, intervalMinutes);
  return { interval, slot: slotOf(instance.id, interval) };
}

/**
 * Whether polls take over from webhooks that became events at once: from then on, the polls must not tell again what those
 * told.
 */
export function takesOver(before: Configured, after: Configured): boolean {
  const settings = eventSettings(before.connector, before.configuration);
  const isFeed = before.connector.webhook?.extraction.by === "feed";
  const hears = settings.enabled && settings.modes.includes("webhook") && !isFeed;
  return hears && !isPolled(before) && isPolled(after);
}

/** Until when an edited instance's polls tell changes: now, where webhooks that become events at once take over from them. */
export function pollsUntil(
  before: Configured & Pick<Instance, "pollsUntil">,
  after: Configured,
  now: number,
): number | null {
  if (isPolled(after)) return null;
  return takesOver(after, before) ? now : before.pollsUntil;
}

type Configured = Pick<Instance, "connector" | "configuration">;

/** Whether its polls find what changes, once the vendor lets them. */
function isPolled({ connector, configuration }: Configured): boolean {
  const { enabled, modes } = eventSettings(connector, configuration);
  return enabled && modes.includes("polling") && hasCredentials(connector, configuration);
}

export function slotOf(id: number, interval: number): number {
  return (Math.imul(id, 0x9e3779b1) >>> 0) % interval;
}
