import { createMessageBatch, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { readConfig } from "../../src/config";
import { Isolate } from "../../src/delivery/admission.io";
import { consumeDeliveries, type DeliveryDoors } from "../../src/delivery/deliveries.consumer";
import type { Notice } from "../../src/delivery/notice";
import type { Endpoint } from "../../src/delivery/endpoint.object";
import type { EventStream } from "../../src/stream/stream.object";

type Stream = DurableObjectStub<EventStream>;
type Alarmed = Stream | DurableObjectStub<Endpoint>;
type Wait = { at: number; go: () => void };

const realWait = scheduler.wait.bind(scheduler);

/**
 * Queues, consumers, streams and endpoints as they are, under a clock that stands still until nothing is left
 * to do and then goes on to the next instant something waits for. `notices` is what operators were told.
 */
export class VirtualTime {
  readonly notices: { destinationId: string; notice: Notice }[] = [];
  /** Far ahead: no alarm rings by itself. */
  now = Date.UTC(2040, 0, 1);
  /** Alarms are looked after once in so many milliseconds of virtual time. */
  alarmMs = 1_000;
  /** How long the queues keep a message before they hand it over. */
  queueMs = 0;
  /** Messages that were sent. */
  sent = 0;
  private bindings: object = env;
  private waits: Wait[] = [];
  private readonly lanes = { fast: [] as unknown[], slow: [] as unknown[] };
  private readonly busy = { fast: false, slow: false };
  private taken = 0;
  private underWay = 0;
  private activity = 0;
  /** Objects whose alarms are looked after. */
  readonly alarmed: Alarmed[];

  /** Real milliseconds in which whatever can happen at an instant happens. */
  private readonly turns: number;

  private constructor(streams: Stream[], turns: number) {
    this.alarmed = [...streams];
    this.turns = turns;
  }

  static async over(streams: Stream[], turns = 5): Promise<VirtualTime> {
    const time = new VirtualTime(streams, turns);
    vi.useFakeTimers({ toFake: ["Date"], now: time.now });
    vi.stubGlobal("scheduler", {
      wait: (ms: number) => (ms === 0 ? realWait(0) : time.wait(ms)),
    });
    const queue = (lane: "fast" | "slow") => ({
      sendBatch: (batch: { body: unknown }[]) => {
        time.sent += batch.length;
        const handOver = () => time.lanes[lane].push(...batch.map(({ body }) => body));
        if (time.queueMs === 0) handOver();
        else void time.wait(time.queueMs).then(handOver);
        return Promise.resolve();
      },
    });
    time.bindings = { ...env, DELIVERIES: queue("fast"), DELIVERIES_SLOW: queue("slow") };
    for (const stream of streams) await time.attach(stream);
    return time;
  }

  /** Has a stream send by these queues; again after it was put out of memory. */
  async attach(stream: Stream): Promise<void> {
    await runInDurableObject(stream, (object) => Reflect.set(object, "env", this.bindings));
  }

  /** Goes on to the next instant at which an alarm is set, over all the time until then, in which nothing is due. */
  async toNextAlarm(): Promise<void> {
    const alarms = await Promise.all(
      this.alarmed.map((object: DurableObjectStub) =>
        runInDurableObject(object, (_, { storage }) => storage.getAlarm()),
      ),
    );
    this.now = Math.max(this.now, Math.min(...alarms.map((at) => at ?? Infinity)));
    vi.setSystemTime(this.now);
  }

  wait(ms: number): Promise<void> {
    this.activity += 1;
    return new Promise((go) => this.waits.push({ at: this.now + ms, go }));
  }

  /** Goes on until `done`, at most so long. */
  async until(done: () => Promise<boolean> | boolean, mostMs: number): Promise<void> {
    const end = this.now + mostMs;
    let alarmAt = this.now;
    for (;;) {
      if (this.now >= alarmAt) {
        for (const object of this.alarmed) await runDurableObjectAlarm(object);
        alarmAt = this.now + this.alarmMs;
      }
      await this.settle();
      if (await done()) return;
      if (this.now >= end) throw new Error(`It did not come to hold in ${mostMs} ms`);
      this.now = Math.max(this.now, Math.min(alarmAt, ...this.waits.map(({ at }) => at)));
      vi.setSystemTime(this.now);
      const due = this.waits.filter(({ at }) => at <= this.now);
      this.waits = this.waits.filter(({ at }) => at > this.now);
      for (const { go } of due.toSorted((left, right) => left.at - right.at)) go();
    }
  }

  /** Lets everything happen that needs no time. */
  private async settle(): Promise<void> {
    for (
      let quiet = 0, seen = this.activity;
      quiet < (this.busy.fast || this.busy.slow ? this.turns : 3);
      quiet += 1
    ) {
      if (this.underWay > 0 || this.activity !== seen) quiet = 0;
      seen = this.activity;
      for (const lane of ["fast", "slow"] as const)
        if (!this.busy[lane] && this.lanes[lane].length > 0) {
          this.consume(lane);
          quiet = 0;
        }
      await realWait(1);
    }
  }

  /** A queue is consumed ten messages at a time, one batch after the other. */
  private consume(lane: "fast" | "slow"): void {
    this.busy[lane] = true;
    const messages = this.lanes[lane].splice(0, 10).map((body) => ({
      id: `m${(this.taken += 1)}`,
      timestamp: new Date(),
      attempts: 1,
      body,
    }));
    void consumeDeliveries(
      createMessageBatch(`tributary-deliveries${lane === "slow" ? "-slow" : ""}`, messages),
      this.doors,
      () => {},
    ).finally(() => (this.busy[lane] = false));
  }

  /** A namespace whose objects' answers are waited for before the clock goes on. */
  private watched<T extends Rpc.DurableObjectBranded>(
    namespace: DurableObjectNamespace<T>,
  ): DurableObjectNamespace<T> {
    const getByName = (name: string): DurableObjectStub<T> =>
      new Proxy(namespace.getByName(name), {
        get: (stub, method) => {
          const called: unknown = Reflect.get(stub, method);
          if (typeof called !== "function") return called;
          return async (...given: unknown[]): Promise<unknown> => {
            this.activity += 1;
            this.underWay += 1;
            try {
              return await Reflect.apply(called, stub, given);
            } finally {
              this.underWay -= 1;
            }
          };
        },
      });
    return new Proxy(namespace, {
      get: (target, name) => (name === "getByName" ? getByName : Reflect.get(target, name)),
    });
  }

  private readonly doors: DeliveryDoors = {
    db: env.DB,
    streams: this.watched(env.EVENT_STREAMS),
    endpoints: this.watched(env.ENDPOINTS),
    isolate: new Isolate(),
    config: readConfig(env),
    announce: ({ id }, notice) => {
      this.notices.push({ destinationId: id, notice });
      return Promise.resolve();
    },
    handlers: {},
  };
}
