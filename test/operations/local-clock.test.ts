import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, onTestFinished, vi } from "vitest";
import type { LocalClock } from "../../src/index";

it("the clock of a local stack ticks every minute once it was started, whatever a tick comes to", async () => {
  const clock = env.LOCAL_CLOCK.getByName(crypto.randomUUID());
  const minutes: number[] = [];
  const dueAt = () => runInDurableObject(clock, (_, { storage }) => storage.getAlarm());
  onTestFinished(() => runInDurableObject(clock, (_, { storage }) => storage.deleteAlarm()));
  await clock.start();
  const first = await dueAt();
  expect((first ?? 0) % 60_000).toBe(0);
  expect((first ?? 0) - Date.now()).toBeLessThanOrEqual(60_000);
  await clock.start();
  expect(await dueAt()).toBe(first);
  await runInDurableObject(clock, (object: LocalClock) => {
    object.onMinute = async (minute) => {
      minutes.push(minute);
      throw new Error("a tick that fails");
    };
  });
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  await runDurableObjectAlarm(clock).catch(() => undefined);
  expect(minutes).toHaveLength(1);
  expect((await dueAt()) ?? 0).toBeGreaterThan(Date.now());
});
