import { chunks } from "../values/lists";
import type { PollMessage } from "./poll-message";

export type PollsQueue = Queue<PollMessage>;

/** What the platform takes at a time. */
const MESSAGES_A_BATCH = 100;

/** Puts messages on the polls queue, to be received after `delaySeconds`. Everything on that queue passes here. */
export async function sendPolls(
  queue: PollsQueue,
  messages: readonly PollMessage[],
  delaySeconds = 0,
): Promise<void> {
  for (const batch of chunks(messages, MESSAGES_A_BATCH))
    await queue.sendBatch(
      batch.map((body) => ({ body, contentType: "json" })),
      { delaySeconds },
    );
}
