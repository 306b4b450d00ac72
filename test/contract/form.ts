import type { DurableObject } from "cloudflare:workers";
import type { Directory } from "../../src/db/directory/directory.object.ts";
import type { TickPart } from "../../src/db/tick-parts.ts";
import type { DeliveryMessage } from "../../src/delivery/attempt.ts";
import type { Endpoint } from "../../src/delivery/endpoint.object.ts";
import type { VendorBudget } from "../../src/hub/budget/vendor-budget.object.ts";
import type { PollMessage } from "../../src/stream/poll-message.ts";
import type { EventStream } from "../../src/stream/stream.object.ts";

/**
 * What the version before said to objects, what those answered, and what it put on queues (`recorded.ts`), in today's types.
 * For minutes after a deploy old objects answer new callers, and the other way round, so:
 *
 * - what an old caller gives, today's method takes; what an old object answers, today's callers can read;
 * - what an old caller reads in an answer, today's answer has.
 *
 * TypeScript holds the first, and that nothing is left out; `replay.test.ts` holds the second.
 */
export type Recorded = {
  /** When it was recorded, epoch ms. */
  at: number;
  calls: { [B in Binding]: { [M in MethodOf<B>]: Recordings<B, M> } };
  messages: { polls: PollMessage[]; deliveries: DeliveryMessage[]; ticks: TickPart[] };
};

type Classes = {
  EVENT_STREAMS: EventStream;
  ENDPOINTS: Endpoint;
  VENDOR_BUDGETS: VendorBudget;
  DIRECTORY: Directory;
};
export type Binding = keyof Classes;

/** A method that the version before lacks is `new`: who calls it gets along with an object that has none. */
type Recordings<B extends Binding, M extends MethodOf<B>> = "new" | Call<B, M>[];

/** `on`: the name of the object; `order`: among all calls of objects. */
export type Call<B extends Binding, M extends MethodOf<B>> = {
  on: string;
  order: number;
  given: Signature<B, M>["given"];
  answer: Signature<B, M>["answer"];
};

export type MethodOf<B extends Binding> = Exclude<keyof Classes[B], keyof DurableObject<Env>> &
  string;
export type Given<B extends Binding, M extends MethodOf<B>> = Signature<B, M>["given"];

type Signature<B extends Binding, M extends MethodOf<B>> = Classes[B][M] extends (
  ...given: infer Given
) => infer Answer
  ? { given: Given; answer: [Awaited<Answer>] extends [void] ? null : Awaited<Answer> }
  : never;
