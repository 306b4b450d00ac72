import type { DeliveryMessage } from "../../delivery/attempt";
import { groupsByWeight } from "../plan";
import { messageBytes } from "./message";

/** Limits of one `sendBatch` (the platform allows 256 KB and 100 messages). */
const BATCH_BYTES = 200_000;
const BATCH_MESSAGES = 100;

type DeliveryQueue = Queue<DeliveryMessage>;
export type Queues = { fast: DeliveryQueue; slow: DeliveryQueue };

/**
 * The two delivery queues. A local queue is consumed one batch after another, so a POST that hangs would hold up
 * everything behind it: destinations that are new, slow or failing, and what is not live, get a queue of their own.
 */
export class Lanes {
  /** Since this object woke up. */
  messagesSent = 0;
  private readonly queues: () => Queues;
  private readonly name: () => string;

  constructor(queues: () => Queues, name: () => string) {
    this.queues = queues;
    this.name = name;
  }

  /** @returns the bundles that a queue did not take. */
  async send(messages: Record<keyof Queues, readonly DeliveryMessage[]>): Promise<number[]> {
    const { fast, slow } = this.queues();
    return [
      ...(await this.enqueue(fast, messages.fast)),
      ...(await this.enqueue(slow, messages.slow)),
    ];
  }

  private async enqueue(
    queue: DeliveryQueue,
    messages: readonly DeliveryMessage[],
  ): Promise<number[]> {
    const unsent: number[] = [];
    for (const batch of groupsByWeight(messages, BATCH_BYTES, BATCH_MESSAGES, messageBytes)) {
      this.messagesSent += batch.length;
      try {
        await queue.sendBatch(batch.map((body) => ({ body, contentType: "json" })));
      } catch (error) {
        // Nothing is lost: the lease of its bundle runs out, and the alarm sends the bundle again.
        console.warn(
          JSON.stringify({ at: "stream.send", stream: this.name(), error: String(error) }),
        );
        unsent.push(...batch.map(({ bundle }) => bundle));
      }
    }
    return unsent;
  }
}
