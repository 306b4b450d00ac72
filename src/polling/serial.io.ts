import { type PollRequest, pollInstance, RENEW_EVERY_MS } from "./poll.io";
import type { Line } from "../hub/budget/limit";
import type { Instance } from "../instances/instance";
import type { Behind, PollReport } from "./report";
import type { PollDoors } from "./commit.io";

/**
 * A poll that has its account to itself where the vendor wants calls of one account one after another
 * (reference vendors.md DB-3): instances of the same account come one by one.
 */
export async function pollSerially(
  instance: Instance,
  doors: PollDoors,
  request: PollRequest,
  line?: Line,
): Promise<PollReport | Behind> {
  const { slots } = request;
  if (slots?.serial === undefined) return pollInstance(instance, doors, request);
  const { serial } = slots;
  const token = crypto.randomUUID();
  const entered = await serial.enter(token, line);
  if (entered.kind === "behind") return entered;
  const renewing = setInterval(
    () => void serial.enter(token).catch(() => undefined),
    RENEW_EVERY_MS,
  );
  try {
    return await pollInstance(instance, doors, request);
  } finally {
    clearInterval(renewing);
    await serial.leave(token).catch(() => undefined);
  }
}
