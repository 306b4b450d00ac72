import { DurableObject } from "cloudflare:workers";
import {
  admitted,
  afterCall,
  type Circuit,
  CLOSED,
  isDestinationFault,
  PROBE_LOST_MS,
  storedCircuit,
} from "./circuit";
import { Crowd, CROWDED_MS } from "./crowd";
import { type Pace, reserve, UNPACED } from "./rate";
import { forgetObject, Note } from "../db/objects";
import { type Grant, type Holder, type Pool, Seats } from "./seats";
import type { Millis } from "../values/instant";

/** Parked notifications are tried again after this time, should the endpoint never call their stream back. */
const PARKED_MS = 6 * 3_600_000;
const SLOWDOWN_MS = 1_000;
const LONGEST_SLOWDOWN_MS = 300_000;
/** A circuit that nobody has probed for so long guards nothing any more. */
const DESERTED_MS = 7 * 86_400_000;
/** Streams that are called back at a time, when a circuit has closed. */
const RESUMED_AT_ONCE = 20;
const RESUME_PAUSE_MS = 1_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS circuit (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS waiting (stream TEXT, destination TEXT, since INTEGER NOT NULL, PRIMARY KEY (stream, destination)) WITHOUT ROWID;
`;

export type AdmitRequest = {
  /** Calls to be made. */
  wanted: number;
  /** So many of the holder's calls could begin now. Absent, in the version before: all that are wanted. */
  ready?: number;
  stream: string;
  destinationId: string;
  holder: Holder;
  ratePerSecond?: number;
  /** The destination takes so many calls at a time; absent: as many as the endpoint has seats. */
  concurrency?: number;
  /** With `concurrency`: how long the destination's calls take, as far as the holder has seen some. */
  callMs?: number;
  /** All notifications of the destination go to this endpoint, so they may wait until it calls their stream back. */
  waits: boolean;
};

/** Whether calls may be made now. Instants in epoch ms. */
export type Admission =
  /** The holder may have `calls` under way at a time, and begin them for `GRANT_MS` from when it asked. */
  | ({ kind: "granted" } & Grant)
  /** Calls may begin at these instants; the rest is to be asked for again at `returnAt`. */
  | { kind: "paced"; starts: Millis[]; returnAt: Millis }
  /**
   * The circuit is open: one call may be made as a probe, or none. Notifications that wait here (`waits`) are called
   * back when the circuit closes, and tried again at `returnAt` at the latest; the others are tried again at `probeAt`.
   */
  | { kind: "parked"; starts: Millis[]; returnAt: Millis; probeAt: Millis };

export type CallResult = { status: number | null; retryAt?: Millis };

export type Report = {
  results: CallResult[];
  ended: number;
  unreported: number;
  holder?: Holder;
  /** The destination whose own seats `ended` are of. */
  pool?: string;
};

const poolOf = ({ destinationId, concurrency }: AdmitRequest): Pool | undefined =>
  concurrency === undefined ? undefined : { id: destinationId, most: concurrency };

export type EndpointView = {
  state: Circuit["state"];
  openedAt: Millis | null;
  nextProbeAt: Millis | null;
};

/**
 * Guards a receiver, over all streams and isolates that call it. There is one object for an organization and callback
 * origin and path; for a flow's step that renders its address one per step and origin (`endpoint-name.ts`).
 *
 * - **Closed circuit, no rate**: an isolate is granted the calls that it could begin now, for a second, and counts them
 *   itself (`allowance.ts`). All grants and calls together are never more than a hundred (`seats.ts`).
 * - **A destination's own concurrency**: the same, from the destination's pool of seats; those that find none free come
 *   back as its calls end (`crowd.ts`).
 * - **Closed circuit, a rate**: each call gets an instant to start at, evenly spaced (`rate.ts`).
 * - **Open circuit** (`circuit.ts`): one call in a while goes as a probe. All other notifications are *parked*: they
 *   leave the queue and wait in their streams, whose names are kept here. When a probe succeeds the endpoint calls
 *   these streams back, twenty at a time, so that a receiver that has just recovered is not overrun.
 * - **429, 502, 504**: nobody calls for a while.
 *
 * Example: a receiver goes down. Its tenth failure in a row opens the circuit, and for 30 seconds no call is made. Then
 * a stream is called back to probe; if that fails too, the next probe is a minute later, and so on up to 15 minutes.
 * The first success closes the circuit, and the parked notifications of all streams are sent.
 *
 * Only an open circuit and the streams that wait for it are stored: a healthy receiver costs no row.
 */
export class Endpoint extends DurableObject<Env> {
  private circuit: Circuit = CLOSED;
  private pace: Pace = UNPACED;
  private readonly seats = new Seats();
  private readonly crowd = new Crowd();
  private slowedUntil = 0;
  private slowdowns = 0;
  private readonly note: Note;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.note = new Note(state, env.DB, "endpoint");
    const [saved] = this.rows<{ body: string }>("SELECT body FROM circuit");
    if (saved !== undefined) this.circuit = storedCircuit.read(saved.body);
  }

  /** Whether, and when, `wanted` calls may be made. */
  admit(request: AdmitRequest): Admission {
    const now = Date.now();
    const { wanted, ready = wanted, holder, ratePerSecond } = request;
    const gate = admitted(this.circuit, wanted, now);
    if (gate.circuit !== this.circuit) this.save(gate.circuit);
    if (this.circuit.state !== "closed") {
      this.keepSeats(request, now);
      const starts = Array.from({ length: gate.admitted }, () => now);
      this.seats.start(starts, poolOf(request)?.id);
      if (request.waits && gate.admitted < wanted) this.park(request, now);
      const probeAt = this.circuit.nextProbeAt ?? now + PROBE_LOST_MS;
      return { kind: "parked", starts, returnAt: now + PARKED_MS, probeAt };
    }
    if (this.slowedUntil > now) {
      this.keepSeats(request, now);
      return { kind: "paced", starts: [], returnAt: this.slowedUntil };
    }
    const pool = poolOf(request);
    if (ratePerSecond === undefined) {
      const grant = this.seats.grant(holder, ready, now, pool);
      return grant === null
        ? { kind: "paced", starts: [], returnAt: this.crowdedUntil(request, now) }
        : { kind: "granted", ...grant };
    }
    const room = Math.min(wanted, this.seats.free(now, pool));
    const { pace, starts, returnAt } = reserve(this.pace, room, ratePerSecond, now);
    this.pace = pace;
    this.seats.start(starts, pool?.id);
    return { kind: "paced", starts, returnAt: returnAt ?? this.crowdedUntil(request, now) };
  }

  /** A holder's calls have outlasted its grant: they keep their seats. */
  hold(holder: Holder): void {
    this.seats.hold(holder, Date.now());
  }

  /**
   * What became of calls. `ended`: so many of them had an instant to start at; `unreported`: so many more went well
   * before, under a grant; `holder`: gives back the seats that it does not use. @returns the circuit, and whether it has
   * just opened.
   */
  report({ results, ended, unreported, holder, pool }: Report): EndpointView & { opened: boolean } {
    const now = Date.now();
    if (holder !== undefined) this.seats.hold(holder, now);
    const before = this.circuit;
    let circuit = before;
    for (let well = 0; well < unreported; well += 1) circuit = afterCall(circuit, false, now, 0);
    this.seats.end(ended, pool);
    for (const { status, retryAt } of results) {
      circuit = afterCall(circuit, isDestinationFault(status), now, Math.random());
      this.slowDown(status, retryAt, now);
    }
    const opened = circuit.state === "open" && before.state === "closed";
    if (circuit.state !== before.state || circuit.nextProbeAt !== before.nextProbeAt)
      this.save(circuit);
    else this.circuit = circuit;
    if (before.state !== "closed" && circuit.state === "closed")
      this.ctx.waitUntil(this.ctx.storage.setAlarm(now));
    return { ...this.view(), opened };
  }

  view(): EndpointView {
    const { state, openedAt, nextProbeAt } = this.circuit;
    return { state, openedAt, nextProbeAt };
  }

  /** The streams of a destination that wait until the circuit closes. */
  parkedStreams(destinationId: string): string[] {
    return this.rows<{ stream: string }>(
      "SELECT stream FROM waiting WHERE destination = ?",
      destinationId,
    ).map(({ stream }) => stream);
  }

  /** Closes the circuit by hand: calls go at once, and the waiting streams are called back. */
  async close(): Promise<void> {
    this.slowedUntil = 0;
    this.slowdowns = 0;
    if (this.circuit.state === "closed") return;
    this.save(CLOSED);
    await this.ctx.storage.setAlarm(Date.now());
  }

  /** A destination is deleted, or has another address now: the streams that wait here for its sake are called back. */
  async leave(destination: string): Promise<void> {
    const waiting = this.rows<{ stream: string }>(
      "SELECT stream FROM waiting WHERE destination = ?",
      destination,
    );
    for (const { stream } of waiting)
      await this.env.EVENT_STREAMS.getByName(stream).resume(destination, null);
    if (waiting.length > 0)
      this.ctx.storage.sql.exec("DELETE FROM waiting WHERE destination = ?", destination);
  }

  /** Circuit closed: calls the waiting streams back, some at a time. Open: calls one of them back, to probe. */
  override async alarm(): Promise<void> {
    const open = this.circuit.state !== "closed";
    const limit = open ? 1 : RESUMED_AT_ONCE;
    const waiting = this.rows<{ stream: string; destination: string }>(
      "SELECT stream, destination FROM waiting ORDER BY since LIMIT ?",
      limit,
    );
    for (const { stream, destination } of waiting) {
      try {
        await this.env.EVENT_STREAMS.getByName(stream).resume(destination, open ? 1 : null);
        if (!open)
          this.ctx.storage.sql.exec(
            "DELETE FROM waiting WHERE stream = ? AND destination = ?",
            stream,
            destination,
          );
      } catch (error) {
        console.warn(JSON.stringify({ at: "endpoint.alarm", stream, error: String(error) }));
      }
    }
    if (open && waiting.length > 0) await this.ctx.storage.setAlarm(Date.now() + PROBE_LOST_MS);
    else if (waiting.length === limit)
      await this.ctx.storage.setAlarm(Date.now() + RESUME_PAUSE_MS);
  }

  /** Calls under way keep their seats when no grant is given. Under a rate they have none of a grant. */
  private keepSeats({ holder, ratePerSecond }: AdmitRequest, now: Millis): void {
    if (ratePerSecond === undefined) this.seats.hold(holder, now);
  }

  /** When calls come back for which no seat is free. */
  private crowdedUntil(request: AdmitRequest, now: Millis): Millis {
    const { destinationId, wanted, concurrency, callMs } = request;
    return concurrency === undefined
      ? now + CROWDED_MS
      : this.crowd.returnAt(destinationId, { wanted, seats: concurrency, callMs }, now);
  }

  private park({ stream, destinationId }: AdmitRequest, now: Millis): void {
    this.prepare();
    this.ctx.storage.sql.exec(
      "INSERT OR IGNORE INTO waiting VALUES (?, ?, ?)",
      stream,
      destinationId,
      now,
    );
  }

  /** 429, 502 and 504 pause all calls: until the receiver's `Retry-After`, or for a second, then two, then four … */
  private slowDown(status: number | null, retryAt: Millis | undefined, now: Millis): void {
    if (status !== 429 && status !== 502 && status !== 504) {
      if (status !== null && status < 300) this.slowdowns = 0;
      return;
    }
    const pause = Math.min(SLOWDOWN_MS * 2 ** this.slowdowns, LONGEST_SLOWDOWN_MS);
    this.slowdowns += 1;
    this.slowedUntil = Math.max(
      this.slowedUntil,
      Math.min(retryAt ?? now + pause, now + LONGEST_SLOWDOWN_MS),
    );
  }

  /**
   * Once a day: an endpoint that is well and for which no stream waits has nothing to keep, and neither has one that
   * nobody calls any more. It is erased, and then that it is there.
   */
  async upkeep(): Promise<void> {
    const { state, openedAt, nextProbeAt } = this.circuit;
    const isDeserted = Date.now() - Math.max(openedAt ?? 0, nextProbeAt ?? 0) > DESERTED_MS;
    const isWell = state === "closed" && this.rows("SELECT 1 FROM waiting LIMIT 1").length === 0;
    if (!isWell && (state === "closed" || !isDeserted)) return;
    await this.ctx.blockConcurrencyWhile(async () => {
      await this.erase();
      await forgetObject(this.env.DB, "endpoint", this.ctx.id.name ?? "");
    });
  }

  /** Rows that are stored; none where there is no table, as in an endpoint that has always been well. */
  private rows<T extends Record<string, SqlStorageValue>>(
    query: string,
    ...given: (number | string)[]
  ): T[] {
    try {
      return this.ctx.storage.sql.exec<T>(query, ...given).toArray();
    } catch (error) {
      if (String(error).includes("no such table")) return [];
      throw error;
    }
  }

  /** Deletes all that is stored here, and the alarm. */
  async erase(): Promise<void> {
    this.circuit = CLOSED;
    this.note.forget();
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  /** Before something is stored: makes the tables where they were erased. */
  private prepare(): void {
    if (this.note.take()) this.ctx.storage.sql.exec(TABLES);
  }

  private save(circuit: Circuit): void {
    this.circuit = circuit;
    this.prepare();
    if (circuit.state === "closed") this.ctx.storage.sql.exec("DELETE FROM circuit");
    else
      this.ctx.storage.sql.exec(
        "INSERT OR REPLACE INTO circuit VALUES (1, ?)",
        storedCircuit.write(circuit),
      );
    if (circuit.state === "open" && circuit.nextProbeAt !== null)
      this.ctx.waitUntil(this.ctx.storage.setAlarm(circuit.nextProbeAt));
  }
}
