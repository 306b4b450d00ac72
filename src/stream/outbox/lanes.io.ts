import type { DeliveryMessage } from "../../delivery/attempt";
import { groupsByWeight } from "../plan";
import { messageBytes } from "./message";

/** What `sendBatch` takes at a time. */
const BATCH_BYTES = 200_000;
const BATCH_MESSAGES = 100;

type DeliveryQueue = Queue<DeliveryMessage>;
export type Queues = { fast: DeliveryQueue; slow: DeliveryQueue };

/** The two queues that deliveries leave by: one for destinations that are well, one for all others. */
export class Lanes {
  /** Messages sent since this object woke up. */
  sent = 0;
  private readonly queues: () => Queues;
  private readonly name: () => string;

  constructor(queues: () => Queues, name: () => string) {
    this.queues = queues;
    this.name = name;
  }

  async send(messages: Record<keyof Queues, readonly DeliveryMessage[]>): Promise<void> {
    const { fast, slow } = this.queues();
    await this.enqueue(fast, messages.fast);
    await this.enqueue(slow, messages.slow);
  }

  private async enqueue(queue: DeliveryQueue, messages: readonly DeliveryMessage[]): Promise<void> {
    for (const batch of groupsByWeight(messages, BATCH_BYTES, BATCH_MESSAGES, messageBytes)) {
      this.sent += batch.length;
      try {
        await queue.sendBatch(batch.map((body) => ({ body, contentType: "json" })));
      } catch (error) {
        // Nothing is lost: the lease runs out and the alarm sends it again.
        console.warn(
          JSON.stringify({ at: "stream.send", stream: this.name(), error: String(error) }),
        );
      }
    }
  }
}
