import { eventSettings } from "./configuration";
import type { Instance } from "./instance";

/**
 * When an instance is polled: every `interval` minutes, in the minute whose remainder is `slot`. Slots
 * are spread over the interval by a multiplicative hash of the id.
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
  return polled
    ? { interval: intervalMinutes, slot: slotOf(instance.id, intervalMinutes) }
    : { interval: null, slot: null };
}

export function slotOf(id: number, interval: number): number {
  return (Math.imul(id, 0x9e3779b1) >>> 0) % interval;
}
