import { type Asked, poll, RENEW_EVERY_MS } from "./poll.io";
import type { Entered, Line } from "../hub/budget/limit";
import type { Instance } from "../instances/instance";
import type { PollReport } from "./report";
import type { PollDoors } from "./commit.io";

/** Another instance of the account is being polled. */
export type Behind = Extract<Entered, { kind: "behind" }>;

/**
 * A poll that has its account to itself where the vendor wants calls of one account one after another
 * (reference `vendors.md` DB-3): instances of the same account come one by one.
 */
export async function pollAlone(
  instance: Instance,
  doors: PollDoors,
  asked: Asked,
  line?: Line,
): Promise<PollReport | Behind> {
  const { turn } = asked;
  if (turn?.alone === undefined) return poll(instance, doors, asked);
  const { alone } = turn;
  const token = crypto.randomUUID();
  const entered = await alone.enter(token, line);
  if (entered.kind === "behind") return entered;
  const renewing = setInterval(
    () => void alone.enter(token).catch(() => undefined),
    RENEW_EVERY_MS,
  );
  try {
    return await poll(instance, doors, asked);
  } finally {
    clearInterval(renewing);
    await alone.leave(token).catch(() => undefined);
  }
}
