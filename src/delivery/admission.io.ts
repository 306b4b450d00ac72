import { Allowance } from "./allowance";
import { Laggards } from "./laggards";
import type { Admission, AdmitRequest, CallResult, Endpoint } from "./endpoint.object";
import { GRANT_MS } from "./seats";
import type { Millis } from "../values/instant";

/** What an isolate may do at one endpoint, and the question to it that is under way. */
type Standing = { allowance: Allowance; asking: Promise<unknown> | undefined };

const MOST_KNOWN = 10_000;

/** What one isolate may do at each endpoint, and who lets it wait; made once, when it starts. */
export class Standings {
  readonly laggards = new Laggards();
  private readonly known = new Map<string, Standing>();
  private ownId: string | undefined;

  /** Names the isolate to the endpoints. */
  get id(): string {
    this.ownId ??= crypto.randomUUID();
    return this.ownId;
  }

  at(name: string): Standing {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    if (this.known.size >= MOST_KNOWN)
      for (const [other, { allowance, asking }] of this.known)
        if (allowance.busy === 0 && asking === undefined) this.known.delete(other);
    const standing = { allowance: new Allowance(), asking: undefined };
    this.known.set(name, standing);
    return standing;
  }
}

/** This isolate's. */
export const standings = new Standings();

export type Asked = Omit<AdmitRequest, "holder">;
/** `granted`: every call takes a seat of its own. */
export type Answer = { kind: "granted" } | Exclude<Admission, { kind: "granted" }>;

/** One group's way to an endpoint: asks it no more often than it must, and tells it what became of the calls. */
export class Admissions {
  /** Requests made. */
  requests = 0;
  private readonly standing: Standing;
  private readonly endpoint: () => DurableObjectStub<Endpoint>;
  private readonly standings: Standings;

  constructor(
    name: string,
    { standings, endpoints }: { standings: Standings; endpoints: Env["ENDPOINTS"] },
  ) {
    this.standings = standings;
    this.standing = standings.at(name);
    this.endpoint = () => endpoints.getByName(name);
  }

  /** May they go? While a grant lasts, the endpoint is not asked; nor is it asked twice at a time. */
  async admit(asked: Asked): Promise<Answer> {
    const { standing } = this;
    if (asked.ratePerSecond !== undefined) return this.ask(asked, Date.now());
    for (;;) {
      const now = Date.now();
      if (standing.allowance.hasRoom(now)) return { kind: "granted" };
      if (standing.asking === undefined) return this.alone(() => this.ask(asked, now));
      await answered(standing, standing.asking);
    }
  }

  /** A seat for one call, to be given back; or the answer why there is none. */
  async seat(asked: Asked): Promise<Answer> {
    for (;;) {
      if (this.standing.allowance.take(Date.now())) return { kind: "granted" };
      const answer = await this.admit(asked);
      if (answer.kind !== "granted") return answer;
    }
  }

  give(): void {
    this.standing.allowance.give();
  }

  /** Waits for `work`, and tells the endpoint of calls that outlast their grant. */
  async during<T>(work: Promise<T>): Promise<T> {
    const tick = Symbol("tick");
    for (;;) {
      const first = await Promise.race([work, scheduler.wait(GRANT_MS).then(() => tick)]);
      if (first !== tick) return work;
      const { allowance, asking } = this.standing;
      if (asking === undefined && allowance.mustTell(Date.now()))
        await this.alone(() => this.hold()).catch((error: unknown) => {
          console.warn(JSON.stringify({ at: "endpoint.hold", error: String(error) }));
        });
    }
  }

  /**
   * Tells the endpoint what became of the calls, `ended` of which had starts of their own. That calls
   * under a grant went well can wait; whatever failed ends the grant.
   */
  async report(
    results: CallResult[],
    ended: number,
  ): Promise<{ opened: boolean; nextProbeAt: Millis | null }> {
    const { allowance } = this.standing;
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

  private async ask(asked: Asked, now: Millis): Promise<Answer> {
    const { allowance } = this.standing;
    this.requests += 1;
    const holder = { id: this.standings.id, busy: allowance.busy };
    const admission = await this.endpoint().admit({ ...asked, holder });
    if (admission.kind !== "granted") {
      if (asked.ratePerSecond === undefined) allowance.revoke();
      return admission;
    }
    allowance.granted(admission.calls, now);
    return { kind: "granted" };
  }

  private async hold(): Promise<void> {
    this.requests += 1;
    const { busy } = this.standing.allowance;
    await this.endpoint().hold({ id: this.standings.id, busy });
  }

  /** One question at a time: an older answer never comes over a newer one. */
  private async alone<T>(question: () => Promise<T>): Promise<T> {
    const asking = question();
    this.standing.asking = asking;
    try {
      return await asking;
    } finally {
      if (this.standing.asking === asking) this.standing.asking = undefined;
    }
  }
}

/** Waits for another group's question; one whose asker has ended is forgotten. */
async function answered(standing: Standing, asking: Promise<unknown>): Promise<void> {
  await Promise.race([asking.catch(() => undefined), scheduler.wait(GRANT_MS)]);
  if (standing.asking === asking) standing.asking = undefined;
}
