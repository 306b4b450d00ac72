import { WorkerEntrypoint } from "cloudflare:workers";
import * as production from "../../src/index";
import { ledger } from "../bench/ledger.ts";
import { countAlarms, countStorage, countUse } from "../bench/taps.ts";

/**
 * What runs as one isolate of a cluster: the production bundle, as it is deployed, with counters at its taps and a clock
 * that tests turn. `../../src/index` stands for that bundle, which isn't built again.
 */

export * from "../../src/index";
export default production.default;

/** What an isolate used, and what it was refused. */
export type Use = Omit<typeof ledger, "workerRequests" | "queueOperations"> & {
  admissions: number;
  refusedSeats: number;
};

const seats = { admissions: 0, refusedSeats: 0 };

/** An endpoint whose circuit is closed and that gives no call leave to begin has no seat free, or is slowed down. */
function heard(method: string, answer: unknown): void {
  if (method !== "admit") return;
  const { kind, starts } = answer as { kind: string; starts?: unknown[] };
  seats.admissions += 1;
  if (kind === "paced" && starts?.length === 0) seats.refusedSeats += 1;
}

const open = (env: Env) => countUse(env, heard);
const openAll = (state: DurableObjectState, env: Env) => {
  countStorage(state);
  ringBy(state);
  open(env);
};

countAlarms(production);

export class EventStream extends production.EventStream {
  constructor(state: DurableObjectState, env: Env) {
    openAll(state, env);
    super(state, env);
  }
}

export class Endpoint extends production.Endpoint {
  constructor(state: DurableObjectState, env: Env) {
    openAll(state, env);
    super(state, env);
  }
}

export class VendorBudget extends production.VendorBudget {
  constructor(state: DurableObjectState, env: Env) {
    openAll(state, env);
    super(state, env);
  }
}

let turnedMs = 0;
const RealDate = Date;
/** Time as it is, plus what the clock was turned by. Timers run as they do. */
globalThis.Date = class extends RealDate {
  constructor(...given: [] | ConstructorParameters<typeof RealDate>) {
    if (given.length === 0) super(RealDate.now() + turnedMs);
    else super(...given);
  }

  static override now(): number {
    return RealDate.now() + turnedMs;
  }
} as DateConstructor;

/** Alarms ring by the real clock: they are set, and told, by the one that is turned. */
function ringBy({ storage }: DurableObjectState): void {
  const prototype: Record<string, any> = Object.getPrototypeOf(storage);
  if (Object.hasOwn(prototype, "rings")) return;
  const real = { set: prototype["setAlarm"], get: prototype["getAlarm"] };
  Object.assign(prototype, {
    rings: true,
    setAlarm(this: DurableObjectStorage, at: number | Date) {
      return real.set.call(this, Number(at) - turnedMs);
    },
    async getAlarm(this: DurableObjectStorage) {
      const at: number | null = await real.get.call(this);
      return at === null ? null : at + turnedMs;
    },
  });
}

/** What the dealer asks of an isolate beside its work. */
export class Control extends WorkerEntrypoint<Env> {
  /** Opens the taps: an isolate takes no work before. */
  begin(offsetMs: number): void {
    open(this.env);
    turnedMs = offsetMs;
  }

  use(): Use {
    // The dealer counts what it deals.
    const { workerRequests: _, queueOperations: __, ...used } = ledger;
    return { ...used, ...seats };
  }
}
