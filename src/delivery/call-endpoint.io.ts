import { Admissions, type AdmissionQuestion, type Refusal } from "./admission.io";
import type { Outcome } from "./attempt";
import { type Called, failedHere, type Ready } from "./call.io";
import type { Group, GroupDoors } from "./deliver.io";
import type { Admission, CallResult } from "./endpoint.object";
import type { Millis } from "../values/instant";
import type { Limiter } from "./limiter";
import type { Notice } from "./notice";
import { putBack, putOff, returnOf, unsent } from "./outcome";

/**
 * The calls of one group of notifications to one endpoint. It answers
 *
 * - `granted`: no rate, closed circuit. Calls go as seats of this isolate's grant are free. Those that find none free wait
 *   for one, without a connection, until the grant ends; then the endpoint is asked for more.
 * - `paced`: a rate, for which the endpoint is asked once for all calls. As many as there is room for get an instant to
 *   start at, the rest come back later. Without a rate: no seats are free, or the receiver asked for a pause.
 * - `parked`: the circuit is open. At most one goes, as a probe, the rest wait for the circuit to close.
 *
 * At the end the results are reported to the endpoint, once for all.
 */
export class EndpointCalls {
  private readonly admissions: Admissions;
  private readonly question: AdmissionQuestion;
  private readonly results: CallResult[] = [];
  /** Calls with an instant of their own: the endpoint counts each until it is reported. */
  private started = 0;
  /** Calls that have not begun yet. */
  private left: number;
  private readonly group: Group;
  private readonly doors: GroupDoors;
  private readonly limiter: Limiter;

  constructor(name: string, wanted: number, group: Group, doors: GroupDoors, limiter: Limiter) {
    const { stream, destination } = group;
    const { concurrency } = destination.policy;
    const ratePerSecond = destination.policy.ratePerSecond ?? destination.terms?.rate ?? undefined;
    this.admissions = new Admissions(
      name,
      doors,
      concurrency === undefined ? undefined : destination.id,
    );
    this.question = {
      wanted,
      stream,
      destinationId: destination.id,
      waits: destination.url !== null,
      ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
      ...(concurrency === undefined ? {} : { concurrency }),
    };
    this.left = wanted;
    this.group = group;
    this.doors = doors;
    this.limiter = limiter;
  }

  /** Makes the calls that may be made now, and says when the others come back. */
  async make(
    ready: readonly Ready[],
  ): Promise<{ outcomes: Outcome[]; notice: Notice | undefined; requests: number }> {
    const { admissions } = this;
    const outcomes = await admissions.inGroup(async () => {
      const calls =
        this.question.ratePerSecond === undefined
          ? ready.map((one) => this.seated(one))
          : await this.paced(ready);
      return admissions.during(Promise.all(calls));
    });
    const { opened, nextProbeAt } = await admissions.report(this.results, this.started);
    return {
      outcomes,
      notice: opened ? { type: "circuit.opened", nextProbeAt } : undefined,
      requests: admissions.requests,
    };
  }

  /** Calls under a rate: all of them are asked for at once. */
  private async paced(ready: readonly Ready[]): Promise<Promise<Outcome>[]> {
    const answer = await this.admissions.paced(this.question);
    const starts = this.startsIn(answer);
    return ready.map((one, index) => {
      const start = starts[index];
      if (start !== undefined) return this.inLine(one, () => this.callAt(one, start));
      return answer.kind === "granted" ? this.seated(one) : Promise.resolve(this.away(one, answer));
    });
  }

  private startsIn(answer: Admission): Millis[] {
    if (answer.kind === "granted") return [];
    this.started += answer.starts.length;
    return answer.starts;
  }

  /** Waits for one of the invocation's connections. A call that is dismissed meanwhile comes again at once. */
  private async inLine<T>({ item }: Ready, task: () => Promise<T>): Promise<T | Outcome> {
    const { limiter, group } = this;
    return (await limiter.run(group.destination.id, task)) ?? putBack(item, Date.now());
  }

  /** Calls on a seat of the grant. A call that has to wait for one gives its connection to others meanwhile. */
  private async seated(one: Ready): Promise<Outcome> {
    for (;;) {
      const outcome = await this.inLine(one, () => this.callSeated(one));
      if (outcome !== "full") return outcome;
      await this.admissions.room();
    }
  }

  private async callSeated(one: Ready): Promise<Outcome | "full"> {
    const { admissions } = this;
    for (;;) {
      const seat = await admissions.seat({ ...this.question, wanted: this.left });
      if (seat.kind === "look-again") continue;
      if (seat.kind === "full") return "full";
      this.left -= 1;
      if (seat.kind === "seated") return this.call(one).finally(() => admissions.release(seat.at));
      const [start] = this.startsIn(seat);
      return start === undefined ? this.away(one, seat) : this.callAt(one, start);
    }
  }

  private async callAt(one: Ready, start: Millis): Promise<Outcome> {
    const waitMs = start - Date.now();
    if (waitMs > 0) await scheduler.wait(waitMs);
    return this.call(one);
  }

  private async call(one: Ready): Promise<Outcome> {
    const { destination, leaseUntil } = this.group;
    const { laggards } = this.doors.isolate;
    const began = Date.now();
    laggards.begin(destination.id, began);
    try {
      const called = await one
        .call(leaseUntil)
        .catch((error: unknown): Called => ({ outcome: failedHere(one.item, error) }));
      if (called?.result !== undefined) {
        this.results.push(called.result);
        this.admissions.took(Date.now() - began);
      }
      return called?.outcome ?? putBack(one.item, Date.now());
    } finally {
      laggards.end(destination.id, began);
    }
  }

  /** The outcome of a notification that may not be called now. */
  private away({ item }: Ready, answer: Refusal): Outcome {
    const { waits } = this.question;
    const back = returnOf(answer, waits, Math.random());
    return unsent(item, putOff(item, this.group.policy, back, Date.now()));
  }
}
