import { Cron, type CronOptions } from "croner";

/** Five fields, minutes first; in UTC unless a time zone is named. @throws when croner can't read them. */
function cronOf(cron: string, timezone: unknown): Cron {
  const options: CronOptions = { mode: "5-part", paused: true };
  return new Cron(
    cron,
    typeof timezone === "string" ? { ...options, timezone } : { ...options, utcOffset: 0 },
  );
}

/** What is wrong with a schedule; seconds are not offered. */
export function scheduleFault({ cron, timezone }: Record<string, unknown>): string | undefined {
  if (typeof cron !== "string") return undefined;
  if (cron.trim().split(/\s+/).length !== 5) return `'${cron}' is not five fields`;
  try {
    void cronOf(cron, timezone);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The next minute after `minute` (since 1970, UTC) that a schedule names; null when there is none. */
export function nextMinuteOf(
  { cron, timezone }: Record<string, unknown>,
  minute: number,
): number | null {
  if (typeof cron !== "string") return null;
  const next = cronOf(cron, timezone).nextRun(new Date(minute * 60_000));
  return next === null ? null : Math.floor(next.getTime() / 60_000);
}
