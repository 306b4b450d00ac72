import { ATTACKED } from "../lines.ts";
import type { Answer, Sent } from "../client.ts";
import { type Outcome, type Phase, short } from "../phase.ts";
import { type Pulse, startPulse } from "../pulse.ts";
import type { Arena } from "../world.ts";
import { runtimeCpu } from "./cpu.ts";
import { type Door, doorOf, inboundDoors, takesBody } from "./doors.ts";
import { bodies, fields, headers, paths, queries, type Attack, Turns } from "./requests.ts";

/** No request of at most 1 MB keeps `/health` waiting for longer, on an idle machine. */
export const MOST_WAIT_MS = 250;
/** The phase ends after so long, whatever is left. */
const MOST_MS = 170_000;
/** How often a wait must be seen before it counts: other programs run on the machine too. */
const TRIES = 3;

const KINDS: Record<string, (door: Door, turns: Turns) => Attack[]> = {
  bodies,
  fields,
  queries,
  headers,
  paths,
};

/** Adversarial shapes at every door, while another client asks for `/health`. */
export const shapes: Phase = async (arena) => {
  const pulse = await startPulse(arena.stack.baseUrl);
  const flood = new Flood(arena, pulse);
  try {
    for (const door of await inboundDoors(arena)) await flood.attack(door);
    const shared = arena.ours.things();
    const lines = inTurn(
      ATTACKED.map(([line]) => line).filter((line) => !line.startsWith("HEAD ")),
    );
    for (const [index, line] of lines.entries()) {
      if (flood.isOver()) {
        flood.left = lines.length - index;
        break;
      }
      const things = line.startsWith("GET ") ? shared : undefined;
      await flood.attack(await doorOf(arena, line, things));
    }
    return flood.outcome();
  } finally {
    await pulse.stop();
  }
};

/** The routes of all surfaces in turn, so that what time is left for is not one surface alone. */
function inTurn(lines: string[]): string[] {
  const surfaces = Object.values(Object.groupBy(lines, (line) => line.split("/")[1] ?? ""));
  const longest = Math.max(...surfaces.map((some) => some?.length ?? 0));
  return Array.from({ length: longest }, (_, at) =>
    surfaces.flatMap((some) => some?.[at] ?? []),
  ).flat();
}

type Figure = { requests: number; longest: number; most: number; at: string; waits: number[] };

class Flood {
  readonly arena: Arena;
  readonly pulse: Pulse;
  readonly start = performance.now();
  readonly figures = new Map<string, Figure>();
  readonly holes: string[] = [];
  readonly turns: Turns;
  readonly cpu: () => number | undefined;
  left = 0;

  constructor(arena: Arena, pulse: Pulse) {
    this.arena = arena;
    this.pulse = pulse;
    this.cpu = runtimeCpu(arena.stack);
    this.turns = new Turns(arena.round);
  }

  isOver = (): boolean => performance.now() - this.start > MOST_MS;

  /** Sends all that fits a door; looks closer at what the runtime computed long for, when `/health` had to wait. */
  async attack(door: Door): Promise<void> {
    for (const [kind, make] of Object.entries(KINDS)) {
      const all = make(door, this.turns);
      if (all.length === 0) continue;
      const suspects: Attack[] = [];
      let most = 0;
      this.pulse.begin();
      for (const attack of all) {
        const request = await sized(this.arena, door, attack.sent);
        const { answer, computed } = await this.measured(request);
        this.check(door, attack.name, answer);
        most = Math.max(most, computed ?? 0);
        if (computed === undefined || computed > MOST_WAIT_MS) suspects.push(attack);
      }
      const longest = await this.pulse.longest();
      this.note(kind, door.line, all.length, longest, most);
      if (longest > MOST_WAIT_MS) await this.lookCloser(door, suspects);
    }
  }

  /** An answer, and the ms that the runtime computed meanwhile. */
  private async measured(request: Sent): Promise<{ answer: Answer; computed: number | undefined }> {
    const before = this.cpu();
    const answer = await this.arena.send(request);
    const after = this.cpu();
    return {
      answer,
      computed: before === undefined || after === undefined ? undefined : after - before,
    };
  }

  private note(kind: string, line: string, requests: number, longest: number, most: number): void {
    const figure = this.figures.get(kind) ?? {
      requests: 0,
      longest: 0,
      most: 0,
      at: "",
      waits: [],
    };
    figure.requests += requests;
    for (const wait of this.pulse.waits()) figure.waits.push(wait);
    figure.longest = Math.max(figure.longest, longest);
    if (most > figure.most) Object.assign(figure, { most, at: line });
    this.figures.set(kind, figure);
  }

  private check(
    door: Door,
    name: string,
    { status, text }: { status: number; text: string },
  ): void {
    if (status === 0 || (status >= 500 && ![501, 502, 503, 504].includes(status)))
      this.holes.push(`${door.line}, ${name}: ${status} ${short(text)}`);
  }

  /** One request after the other, each as often as it makes `/health` wait and the runtime compute. */
  private async lookCloser(door: Door, all: Attack[]): Promise<void> {
    for (const { name, sent } of all) {
      let least = Infinity;
      for (let tries = 0; tries < TRIES && least > MOST_WAIT_MS; tries += 1) {
        const request = await sized(this.arena, door, sent);
        this.pulse.begin();
        const { computed } = await this.measured(request);
        const waited = await this.pulse.longest();
        least = Math.min(least, waited, computed ?? waited);
      }
      if (least > MOST_WAIT_MS)
        this.holes.push(`${door.line}, ${name}: /health waits ${Math.round(least)} ms each time`);
    }
  }

  outcome(): Outcome {
    const rows = [...this.figures].map(([kind, { requests, longest, most, at, waits }]) => {
      const sorted = waits.toSorted((a, b) => a - b);
      const percentile = (share: number) =>
        Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
      return {
        kind,
        requests,
        "/health p50 ms": percentile(0.5),
        "p99 ms": percentile(0.99),
        "longest ms": Math.round(longest),
        "most CPU ms of one": Math.round(most),
        at,
      };
    });
    const left = this.left === 0 ? [] : [{ kind: `out of time: ${this.left} routes left` }];
    return { figures: [...rows, ...left], holes: this.holes };
  }
}

/** What a door refuses for its size says nothing: the largest that it takes is sent. */
const accepted = new Map<string, number>();
const SIZES = [1_000_000, 250_000, 60_000, 9_000];

async function sized(arena: Arena, door: Door, make: (size: number) => Sent): Promise<Sent> {
  if (!takesBody(door)) return make(SIZES[0] ?? 0);
  let most = accepted.get(door.line);
  if (most === undefined) {
    most = SIZES.at(-1) ?? 0;
    for (const size of SIZES) {
      const body = `"${"a".repeat(size - 2)}"`;
      const { status, text } = await arena.send({ ...make(1), body });
      if (status !== 413 && !(status === 429 && /larger|large/.test(text))) {
        most = size;
        break;
      }
    }
    accepted.set(door.line, most);
  }
  return make(most);
}
