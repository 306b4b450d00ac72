import { eventSettings } from "../instances/configuration";
import type { Instance } from "../instances/instance";
import { hasOwnIntervals } from "../instances/poll-interval";
import { scheduleOf } from "../instances/schedule";
import type { ScheduledMinutes } from "../stream/poll-message";
import { polledResources } from "./settings";

/**
 * Which resources a poll of the schedule reads, where some have an interval of their own: those for which a minute with
 * `minute % interval == slot`, the instance's slot, has come since the poll before. So an interval that is no multiple of the smallest is
 * kept on average. Nothing is stored for it.
 *
 * Example: an instance with slot 2 polls `accounts` every 5 minutes and `reports` every 60. At 12:02 both are due, at
 * 12:07 only the accounts, and so on until 13:02. If the polls from 12:57 to 13:02 were lost, that of 13:07 reads both.
 * @returns undefined when all are due.
 */
export function dueResources(instance: Instance, minutes: ScheduledMinutes): string[] | undefined {
  if (!hasOwnIntervals(instance.connector, instance.configuration)) return undefined;
  const { interval, slot } = scheduleOf(instance);
  const settings = polledResources(instance);
  if (interval === null || slot === null || !settings.ok) return undefined;
  const usual = eventSettings(instance.connector, instance.configuration).intervalMinutes;
  const due = settings.resources.filter(({ everyMinutes = usual }) => {
    const round = (minute: number): number => Math.floor((minute - slot) / everyMinutes);
    return round(minutes.to) > round(minutes.from - interval);
  });
  return due.length === settings.resources.length ? undefined : due.map(({ resource }) => resource);
}
