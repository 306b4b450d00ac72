import { Allowance, UnderWay } from "./allowance";
import type {
  Admission,
  AdmitRequest,
  CallResult,
  Endpoint,
  EndpointView,
  Report,
} from "./endpoint.object";
import { Laggards } from "./laggards";
import { GRANT_MS, type Holder } from "./seats";
import { Tokens } from "./tokens.client";
import type { Millis } from "../values/instant";

/** What this isolate may do at one endpoint. */
class EndpointAccess {
  readonly allowance = new Allowance();
  /** How long its calls take, the latest most of all; undefined: none has ended yet. */
  callMs: number | undefined;
  /** Groups of calls that are being made. */
  readonly groups = new UnderWay();
  /** Calls that could begin now and have no seat yet. */
  readonly ready = new UnderWay();
  /** The question to the endpoint that is under way. */
  asking: Promise<unknown> | undefined;
  /** The endpoint has just turned a call away, without a look at whose it was: others need not ask. */
  private turnedAway: { answer: Refusal; until: Millis } | undefined;
  /** Calls that wait for a seat. */
  private readonly waiting = new Set<() => void>();

  get isIdle(): boolean {
    return this.asking === undefined && this.allowance.busy(Date.now()) === 0;
  }

  refusal(now: Millis): Refusal | undefined {
    return this.turnedAway !== undefined && now < this.turnedAway.until
      ? this.turnedAway.answer
      : undefined;
  }

  turnAway(answer: Refusal, now: Millis): void {
    if (answer.kind === "paced") this.turnedAway = { answer, until: now + TURNED_AWAY_MS };
  }

  /** A call is over: its seat is of use for the one that has waited longest. */
  free(): void {
    const [first] = this.waiting;
    if (first === undefined) return;
    this.waiting.delete(first);
    first();
  }

  /** Waits until a seat may be free, at most `ms`. */
  async room(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.add(resolve);
    await Promise.race([promise, scheduler.wait(ms)]);
    this.waiting.delete(resolve);
  }
}

/** So long a call that was turned away speaks for the others of this isolate. */
const TURNED_AWAY_MS = 100;
const MOST_ENDPOINTS = 10_000;

/** What one isolate remembers of the endpoints it calls, their tokens, and which destinations are slow to answer it. */
export class Isolate {
  readonly laggards = new Laggards();
  readonly tokens = new Tokens();
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
      for (const [other, access] of this.endpoints) if (access.isIdle) this.endpoints.delete(other);
    const access = new EndpointAccess();
    this.endpoints.set(name, access);
    return access;
  }
}

export const isolate = new Isolate();

/** How much of a destination's time for calls the latest call is. */
const LATEST_WEIGHT = 0.2;

export type AdmissionQuestion = Omit<AdmitRequest, "holder" | "ready" | "callMs">;
export type Refusal = Exclude<Admission, { kind: "granted" }>;
export type Seat =
  /** The call has a seat, to be given back with `release`. */
  | { kind: "seated"; at: Millis }
  /** There is none, and it makes no sense to ask for one before one is free (`room`). */
  | { kind: "full" }
  /** Another call's question was answered: look again. */
  | { kind: "look-again" }
  | Refusal;

/**
 * How one group of calls gets to an endpoint without asking it for each call. The endpoint grants an isolate the seats
 * that it can use now, for a second, and the isolate counts them itself; so ten calls of a batch cost one request, or two
 * when the endpoint is busy and wants the seats back. Calls that take longer than their grant are reported each second.
 */
export class Admissions {
  /** Requests made. */
  requests = 0;
  /** Why the group may make no more calls, once the endpoint has said so. */
  private refused: Refusal | undefined;
  private readonly access: EndpointAccess;
  private readonly endpoint: () => DurableObjectStub<Endpoint>;
  private readonly isolate: Isolate;
  private readonly pool: string | undefined;

  /** @param pool the destination, where it has seats of its own. */
  constructor(
    name: string,
    doors: { isolate: Isolate; endpoints: Env["ENDPOINTS"] },
    pool: string | undefined,
  ) {
    this.isolate = doors.isolate;
    this.pool = pool;
    this.access = doors.isolate.accessTo(pool === undefined ? name : `${name} ${pool}`);
    this.endpoint = () => doors.endpoints.getByName(name);
  }

  /** When calls under a rate may be made. */
  async paced(question: AdmissionQuestion): Promise<Admission> {
    this.requests += 1;
    const holder = this.holder({ busy: this.access.allowance.busy(Date.now()) });
    return this.endpoint().admit({ ...question, holder });
  }

  /** A seat for one call that could begin now. The endpoint is asked by one call at a time, for all that wait. */
  async seat(question: AdmissionQuestion): Promise<Seat> {
    const { access } = this;
    const now = Date.now();
    if (this.refused !== undefined) return { ...this.refused, starts: [] };
    const at = access.allowance.take(now);
    if (at !== undefined) return { kind: "seated", at };
    if (access.allowance.fullForMs(now) > 0) return { kind: "full" };
    const refusal = access.refusal(now);
    if (refusal !== undefined) return refusal;
    const ready = access.ready.begin(now);
    try {
      if (access.asking === undefined) return await this.oneAtATime(() => this.ask(question));
      await answered(access, access.asking);
      return { kind: "look-again" };
    } finally {
      access.ready.end(ready);
    }
  }

  /** Waits until there may be a seat again. */
  async room(): Promise<void> {
    await this.access.room(this.access.allowance.fullForMs(Date.now()));
  }

  release(at: Millis): void {
    this.access.allowance.release(at);
    this.access.free();
  }

  /** A call took so long. */
  took(ms: number): void {
    const { callMs = ms } = this.access;
    this.access.callMs = callMs + (ms - callMs) * LATEST_WEIGHT;
  }

  /** Makes a group of calls. While one is made, seats that it may still need are not given back. */
  async inGroup<T>(work: () => Promise<T>): Promise<T> {
    const { groups } = this.access;
    const begun = groups.begin(Date.now());
    try {
      return await work();
    } finally {
      groups.end(begun);
    }
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
   * are reported with a later request, to spare one, unless there are seats to be given back. A failed call ends the
   * grant.
   */
  async report(
    results: CallResult[],
    ended: number,
  ): Promise<Pick<EndpointView, "nextProbeAt"> & { opened: boolean }> {
    const { access } = this;
    const { allowance } = access;
    const allWell = results.every(({ status }) => status !== null && status >= 200 && status < 300);
    if (!allWell) allowance.revoke();
    const now = Date.now();
    const isLast = access.groups.count(now) === 0 && access.asking === undefined;
    const holder = isLast && allowance.hasSpare(now) ? this.holder(allowance.tell(now)) : undefined;
    if (allWell && ended === 0) {
      allowance.unreported += results.length;
      if (holder !== undefined) await this.giveBack(holder);
      return { opened: false, nextProbeAt: null };
    }
    return this.send({ results, ended, ...(holder === undefined ? {} : { holder }) });
  }

  /** Its failure is none of the calls': the endpoint takes the seats back by itself, later. */
  private async giveBack(holder: Holder): Promise<void> {
    await this.send({ results: [], ended: 0, holder }).catch((error: unknown) => {
      console.warn(JSON.stringify({ at: "endpoint.give-back", error: String(error) }));
    });
  }

  private async send(
    report: Omit<Report, "unreported">,
  ): Promise<Awaited<ReturnType<DurableObjectStub<Endpoint>["report"]>>> {
    const { allowance } = this.access;
    const unreported = Math.min(allowance.unreported, 1_000);
    allowance.unreported = 0;
    this.requests += 1;
    const pool = this.pool === undefined ? {} : { pool: this.pool };
    return this.endpoint().report({ ...report, ...pool, unreported });
  }

  /** What tells the endpoint whose calls are under way. */
  private holder(told: Omit<Holder, "id" | "pool">): Holder {
    const { isolate, pool } = this;
    return pool === undefined
      ? { id: isolate.id, ...told }
      : { id: `${isolate.id} ${pool}`, pool, ...told };
  }

  /** Asks for a seat for each call that could begin now; the calls of a batch come there together. */
  private async ask(question: AdmissionQuestion): Promise<Seat> {
    await scheduler.wait(0);
    const { access } = this;
    const now = Date.now();
    const ready = access.ready.count(now);
    const told = access.allowance.tell(now, ready);
    this.requests += 1;
    const { callMs } = access;
    const admission = await this.endpoint().admit({
      ...question,
      ready,
      holder: this.holder(told),
      ...(this.pool === undefined || callMs === undefined ? {} : { callMs }),
    });
    if (admission.kind === "granted") {
      access.allowance.granted(told.turn, admission);
      return { kind: "look-again" };
    }
    this.refused = admission;
    access.allowance.revoke();
    // With seats of its own each group has its turn to come back.
    if (this.pool === undefined) access.turnAway(admission, Date.now());
    return admission;
  }

  private async hold(): Promise<void> {
    this.requests += 1;
    await this.endpoint().hold(this.holder(this.access.allowance.tell(Date.now())));
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
