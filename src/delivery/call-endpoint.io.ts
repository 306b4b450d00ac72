import { Admissions, type AdmissionQuestion, type Answer, type Refusal } from "./admission.io";
import type { Outcome } from "./attempt";
import { type Called, failedHere, type Ready } from "./call.io";
import type { Group, GroupDoors } from "./deliver.io";
import type { CallResult } from "./endpoint.object";
import type { Millis } from "../values/instant";
import type { Limiter } from "./limiter";
import type { Notice } from "./notice";
import { putBack, putOff, returnOf, unsent } from "./outcome";

/**
 * The calls of one group of notifications to one endpoint. The endpoint is asked once for all of them. Its answer is
 *
 * - `granted`: no rate, closed circuit. Calls go as seats of this isolate's grant are free. When the grant ends before
 *   all have gone, the endpoint is asked for each of the rest.
 * - `paced`: a rate. As many as there is room for get an instant to start at, the rest come back later.
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
  /** The answer that ended the grant, once there is one. */
  private refusal: Refusal | undefined;
  private readonly group: Group;
  private readonly doors: GroupDoors;
  private readonly limiter: Limiter;

  constructor(name: string, wanted: number, group: Group, doors: GroupDoors, limiter: Limiter) {
    const { stream, destination } = group;
    const { ratePerSecond } = destination.policy;
    this.admissions = new Admissions(name, doors);
    this.question = {
      wanted,
      stream,
      destinationId: destination.id,
      waits: destination.url !== null,
      ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
    };
    this.group = group;
    this.doors = doors;
    this.limiter = limiter;
  }

  /** Makes the calls that may be made now, and says when the others come back. */
  async make(
    ready: readonly Ready[],
  ): Promise<{ outcomes: Outcome[]; notice: Notice | undefined; requests: number }> {
    const { admissions } = this;
    const answer = await admissions.admit(this.question);
    const starts = this.startsIn(answer);
    const calls = ready.map((one, index) => {
      const start = starts[index];
      if (start !== undefined) return this.inLine(one, () => this.callAt(one, start));
      if (answer.kind === "granted") return this.inLine(one, () => this.callSeated(one));
      return Promise.resolve(this.away(one, answer));
    });
    const outcomes = await admissions.during(Promise.all(calls));
    const { opened, nextProbeAt } = await admissions.report(this.results, this.started);
    return {
      outcomes,
      notice: opened ? { type: "circuit.opened", nextProbeAt } : undefined,
      requests: admissions.requests,
    };
  }

  private startsIn(answer: Answer): Millis[] {
    if (answer.kind === "granted") return [];
    this.started += answer.starts.length;
    return answer.starts;
  }

  /** Waits for one of the invocation's connections. A call that is dismissed meanwhile comes again at once. */
  private async inLine({ item }: Ready, task: () => Promise<Outcome>): Promise<Outcome> {
    const { limiter, group } = this;
    return (await limiter.run(group.destination.id, task)) ?? putBack(item, Date.now());
  }

  /** Calls on a seat of the grant. Once the endpoint has refused one of them, the others are put off without asking. */
  private async callSeated(one: Ready): Promise<Outcome> {
    if (this.refusal !== undefined) return this.away(one, this.refusal);
    const answer = await this.admissions.seat({ ...this.question, wanted: 1 });
    if (answer.kind === "granted") return this.call(one).finally(() => this.admissions.release());
    this.refusal = answer;
    const [start] = this.startsIn(answer);
    return start === undefined ? this.away(one, answer) : this.callAt(one, start);
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
      if (called?.result !== undefined) this.results.push(called.result);
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
