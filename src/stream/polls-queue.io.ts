import { chunks } from "../values/lists";
import type { PollMessage } from "./poll-message";

export type PollsQueue = Queue<PollMessage>;

/** The most that one `sendBatch` takes. */
const MESSAGES_A_BATCH = 100;

/** Puts messages on the polls queue, to be received after `delaySeconds`. The only place that sends to it. */
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
