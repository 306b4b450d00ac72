import { Allowance } from "./allowance";
import { Laggards } from "./laggards";
import type { Admission, AdmitRequest, CallResult, Endpoint } from "./endpoint.object";
import { GRANT_MS } from "./seats";
import type { Millis } from "../values/instant";

/** What this isolate may do at one endpoint, and its question to the endpoint that is under way, if there is one. */
type EndpointAccess = { allowance: Allowance; asking: Promise<unknown> | undefined };

const MOST_ENDPOINTS = 10_000;

/** What one isolate remembers of the endpoints it calls, and which destinations are slow to answer it. */
export class Isolate {
  readonly laggards = new Laggards();
  private readonly endpoints = new Map<string, EndpointAccess>();
  private ownId: string | undefined;

  /** Names the isolate to the endpoints. */
  get id(): string {
    this.ownId ??= crypto.randomUUID();
    return this.ownId;
  }

  accessTo(name: string): EndpointAccess {
    const found = this.endpoints.get(name);
    if (found !== undefined) return found;
    if (this.endpoints.size >= MOST_ENDPOINTS)
      for (const [other, { allowance, asking }] of this.endpoints)
        if (allowance.busy === 0 && asking === undefined) this.endpoints.delete(other);
    const access = { allowance: new Allowance(), asking: undefined };
    this.endpoints.set(name, access);
    return access;
  }
}

export const isolate = new Isolate();

export type AdmissionQuestion = Omit<AdmitRequest, "holder">;
/** `granted`: every call takes a seat of its own. */
export type Answer = { kind: "granted" } | Refusal;
export type Refusal = Exclude<Admission, { kind: "granted" }>;

/**
 * How one group of calls gets to an endpoint without asking it for each call. The endpoint grants an isolate so many
 * calls at a time for a second, and the isolate counts them itself; so a busy healthy endpoint costs an isolate about
 * one request a second. Calls that take longer than their grant are reported each second, or the endpoint takes their
 * seats for free.
 */
export class Admissions {
  /** Requests made. */
  requests = 0;
  private readonly access: EndpointAccess;
  private readonly endpoint: () => DurableObjectStub<Endpoint>;
  private readonly isolate: Isolate;

  constructor(name: string, doors: { isolate: Isolate; endpoints: Env["ENDPOINTS"] }) {
    this.isolate = doors.isolate;
    this.access = doors.isolate.accessTo(name);
    this.endpoint = () => doors.endpoints.getByName(name);
  }

  /** Whether calls may be made. The endpoint is not asked while a grant lasts, and never by two groups at a time. */
  async admit(question: AdmissionQuestion): Promise<Answer> {
    const { access } = this;
    if (question.ratePerSecond !== undefined) return this.ask(question, Date.now());
    for (;;) {
      const now = Date.now();
      if (access.allowance.hasRoom(now)) return { kind: "granted" };
      if (access.asking === undefined) return this.oneAtATime(() => this.ask(question, now));
      await answered(access, access.asking);
    }
  }

  /** Takes a seat for one call, to be given back (`release`); or gets the answer why there is none. */
  async seat(question: AdmissionQuestion): Promise<Answer> {
    for (;;) {
      if (this.access.allowance.take(Date.now())) return { kind: "granted" };
      const answer = await this.admit(question);
      if (answer.kind !== "granted") return answer;
    }
  }

  release(): void {
    this.access.allowance.release();
  }

  /** Waits for `work`, and tells the endpoint of calls that outlast their grant. */
  async during<T>(work: Promise<T>): Promise<T> {
    const tick = Symbol("tick");
    for (;;) {
      const first = await Promise.race([work, scheduler.wait(GRANT_MS).then(() => tick)]);
      if (first !== tick) return work;
      const { allowance, asking } = this.access;
      if (asking === undefined && allowance.mustReport(Date.now()))
        await this.oneAtATime(() => this.hold()).catch((error: unknown) => {
          console.warn(JSON.stringify({ at: "endpoint.hold", error: String(error) }));
        });
    }
  }

  /**
   * Reports the calls to the endpoint; `ended` of them had a start of their own. Calls under a grant that all went well
   * are reported with a later request, to spare one. A failed call ends the grant.
   */
  async report(
    results: CallResult[],
    ended: number,
  ): Promise<{ opened: boolean; nextProbeAt: Millis | null }> {
    const { allowance } = this.access;
    const allWell = results.every(({ status }) => status !== null && status >= 200 && status < 300);
    if (allWell && ended === 0) {
      allowance.unreported += results.length;
      return { opened: false, nextProbeAt: null };
    }
    if (!allWell) allowance.revoke();
    const unreported = Math.min(allowance.unreported, 1_000);
    allowance.unreported = 0;
    this.requests += 1;
    return this.endpoint().report({ results, ended, unreported });
  }

  private async ask(question: AdmissionQuestion, now: Millis): Promise<Answer> {
    const { allowance } = this.access;
    this.requests += 1;
    const holder = { id: this.isolate.id, busy: allowance.busy };
    const admission = await this.endpoint().admit({ ...question, holder });
    if (admission.kind !== "granted") {
      if (question.ratePerSecond === undefined) allowance.revoke();
      return admission;
    }
    allowance.granted(admission.calls, now);
    return { kind: "granted" };
  }

  private async hold(): Promise<void> {
    this.requests += 1;
    const { busy } = this.access.allowance;
    await this.endpoint().hold({ id: this.isolate.id, busy });
  }

  /** One question at a time, so that an older answer never overwrites a newer one. */
  private async oneAtATime<T>(question: () => Promise<T>): Promise<T> {
    const asking = question();
    this.access.asking = asking;
    try {
      return await asking;
    } finally {
      if (this.access.asking === asking) this.access.asking = undefined;
    }
  }
}

/** Waits for the answer to another group's question, or until that group must have been cut off. */
async function answered(access: EndpointAccess, asking: Promise<unknown>): Promise<void> {
  await Promise.race([asking.catch(() => undefined), scheduler.wait(GRANT_MS)]);
  if (access.asking === asking) access.asking = undefined;
}
