import { type DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import * as production from "../../src/index";
import { ledger } from "../bench/ledger.ts";
import { type Asked, countAlarms, countStorage, countUse } from "../bench/taps.ts";
import type { Example } from "./recording.ts";

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
function countSeats({ method, answer }: Asked): void {
  if (method !== "admit") return;
  const { kind, starts } = answer as { kind: string; starts?: unknown[] };
  seats.admissions += 1;
  if (kind === "paced" && starts?.length === 0) seats.refusedSeats += 1;
}

let isRecording = false;
const recorded: Example[] = [];

const open = (env: Env) =>
  countUse(env, (asked) => {
    countSeats(asked);
    const binding = bindings.find((one) => Reflect.get(env, one) === asked.objects);
    if (!isRecording || binding === undefined || asked.name === "undefined") return;
    const { name, method, given, answer } = structuredClone({ ...asked, objects: undefined });
    recorded.push({ on: [binding, name], method, given, answer, at: Date.now() });
  });
countAlarms(production);

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

const realAlarms: { setAlarm?: any; getAlarm?: any } = {};
/** The alarms of objects are set, and told, by the clock that is turned, and ring by the real one. */
function ringBy({ storage }: DurableObjectState): void {
  if (realAlarms.setAlarm !== undefined) return;
  const prototype: Record<string, any> = Object.getPrototypeOf(storage);
  Object.assign(realAlarms, { setAlarm: prototype["setAlarm"], getAlarm: prototype["getAlarm"] });
  Object.assign(prototype, {
    setAlarm(this: DurableObjectStorage, at: number | Date) {
      return realAlarms.setAlarm.call(this, Number(at) - turnedMs);
    },
    async getAlarm(this: DurableObjectStorage) {
      const at: number | null = await realAlarms.getAlarm.call(this);
      return at === null ? null : at + turnedMs;
    },
  });
}

/** The objects that were ever awake, with the bindings that they are found by. */
const awake = new Map<string, keyof typeof OBJECTS>();
const OBJECTS = {
  EVENT_STREAMS: production.EventStream,
  ENDPOINTS: production.Endpoint,
  VENDOR_BUDGETS: production.VendorBudget,
  DIRECTORY: production.Directory,
};

const bindings = Object.keys(OBJECTS) as (keyof typeof OBJECTS)[];

type Turned = { turned(ms: number): Promise<void> };

/** An object of the bundle whose alarm goes with the clock when that is turned. */
function turnable<Made>(binding: keyof typeof OBJECTS): Made {
  type Class = new (state: DurableObjectState, env: Env) => DurableObject<Env>;
  const Real = OBJECTS[binding] as Class | undefined;
  // An older version has fewer; nobody binds this one, and what is exported must be something.
  if (Real === undefined) return class extends WorkerEntrypoint<Env> {} as unknown as Made;
  return class extends Real implements Turned {
    constructor(state: DurableObjectState, env: Env) {
      countStorage(state);
      ringBy(state);
      open(env);
      awake.set(String(state.id), binding);
      super(state, env);
    }

    async turned(ms: number): Promise<void> {
      const at: number | null = await realAlarms.getAlarm.call(this.ctx.storage);
      if (at !== null) await realAlarms.setAlarm.call(this.ctx.storage, at - ms);
    }
  } as unknown as Made;
}

export const EventStream = turnable<typeof production.EventStream>("EVENT_STREAMS");
export const Endpoint = turnable<typeof production.Endpoint>("ENDPOINTS");
export const VendorBudget = turnable<typeof production.VendorBudget>("VENDOR_BUDGETS");
export const Directory = turnable<typeof production.Directory>("DIRECTORY");

/** What the dealer asks of an isolate beside its work. */
export class Control extends WorkerEntrypoint<Env> {
  /** Opens the taps: an isolate takes no work before. */
  begin(offsetMs: number, records: boolean): void {
    open(this.env);
    isRecording = records;
    turnedMs = offsetMs;
  }

  /** The alarms of the objects that live here ring as much earlier. */
  async turnAlarms(ms: number): Promise<void> {
    for (const [id, binding] of awake) {
      const objects: DurableObjectNamespace = Reflect.get(this.env, binding);
      const object: unknown = objects.get(objects.idFromString(id));
      await (object as Turned).turned(ms);
    }
  }

  /** What this isolate, or the objects that live here, asked of objects: JSON of `Example`s. */
  asked(): string {
    return JSON.stringify(recorded);
  }

  /** Asks an object itself. */
  async ask({ on, method, given }: Pick<Example, "on" | "method" | "given">): Promise<void> {
    const [binding, name] = on;
    const objects: DurableObjectNamespace = Reflect.get(this.env, binding);
    await (objects.getByName(name) as any)[method](...given);
  }

  use(): Use {
    // The dealer counts what it deals.
    const { workerRequests: _, queueOperations: __, ...used } = ledger;
    return { ...used, ...seats };
  }
}
