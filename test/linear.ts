/**
 * Tells whether matching a regular expression takes time that grows faster than the text. V8 backtracks: where one text can
 * be read in many ways, it may try them all before it gives up.
 *
 * The expression becomes an automaton whose states are the characters it may have read last (Glushkov). An
 * expression that isn't tied to the start may begin anywhere, so it gets a loop in front that skips any text. The time is more than linear
 * if two states p and q exist and a text that leads from p to p, from p to q and from q to q (Weber and Seidl 1991, "infinitely
 * ambiguous"): a run of that text can be split between p and q at each of its places. If the expression ends
 * right at q, nothing can fail behind it, so nothing is tried twice.
 */

/** A piece of a regular expression. `read` consumes one character that `class` matches; `edge` is `^` or `$`. */
type Piece =
  | { kind: "read"; class: string }
  | { kind: "edge"; at: "start" | "end" }
  | { kind: "sequence"; of: Piece[] }
  | { kind: "choice"; of: Piece[] }
  | { kind: "loop"; of: Piece; optional: boolean };

/** Repetitions up to this many are written out; beyond it they count as unbounded, which errs on the safe side. */
const WRITTEN_OUT = 16;

class Unreadable extends Error {}

/** @throws Unreadable for what the check doesn't follow: back references and look-around without a bound. */
class Reader {
  private at = 0;
  /** A look-around or word boundary: even the end of the expression may fail there. */
  conditions = false;
  private readonly source: string;
  private readonly multiline: boolean;

  constructor(expression: RegExp) {
    this.source = expression.source;
    this.multiline = expression.multiline;
  }

  choice(): Piece {
    const of = [this.sequence()];
    while (this.take("|")) of.push(this.sequence());
    return { kind: "choice", of };
  }

  private sequence(): Piece {
    const of: Piece[] = [];
    while (this.at < this.source.length && !"|)".includes(this.source[this.at] ?? ""))
      of.push(this.repeated(this.atom()));
    return { kind: "sequence", of };
  }

  private take(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private match(pattern: RegExp): RegExpExecArray | undefined {
    const found = pattern.exec(this.source.slice(this.at));
    this.at += found?.[0].length ?? 0;
    return found ?? undefined;
  }

  private atom(): Piece {
    if (this.take("^"))
      return this.multiline ? { kind: "sequence", of: [] } : { kind: "edge", at: "start" };
    if (this.take("$")) return { kind: "edge", at: "end" };
    if (this.match(/^\\[bB]/)) {
      this.conditions = true;
      return { kind: "sequence", of: [] };
    }
    if (this.match(/^\\(?:[1-9]|k<)/)) throw new Unreadable("it refers back to a group");
    if (this.match(/^\(\?<?[=!]/)) return this.lookAround();
    if (this.match(/^\((?:\?:|\?<\w+>)?/)) {
      const inner = this.choice();
      this.take(")");
      return inner;
    }
    const read = this.match(
      /^(?:\[(?:\\.|[^\]\\])*\]|\\(?:[pP]\{\w+(?:=\w+)?\}|x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|u\{\w+\}|.)|.)/su,
    );
    return { kind: "read", class: read?.[0] ?? "" };
  }

  private lookAround(): Piece {
    this.conditions = true;
    const inner = this.choice();
    this.take(")");
    if (unbounded(inner)) throw new Unreadable("it looks around without a bound");
    return { kind: "sequence", of: [] };
  }

  private repeated(piece: Piece): Piece {
    const [, sign, low = "", comma, high = ""] =
      this.match(/^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/) ?? [];
    if (sign === undefined && low === "") return piece;
    const least = sign === "+" ? 1 : sign ? 0 : Number(low);
    const most = sign === "?" ? 1 : sign || (comma && !high) ? Infinity : Number(high || low);
    if (most > WRITTEN_OUT) return { kind: "loop", of: piece, optional: least === 0 };
    const maybe: Piece = { kind: "choice", of: [piece, { kind: "sequence", of: [] }] };
    const of = Array.from({ length: most }, (_, index) => (index < least ? piece : maybe));
    return { kind: "sequence", of };
  }
}

function unbounded(piece: Piece): boolean {
  if (piece.kind === "loop") return true;
  return "of" in piece && piece.of.some(unbounded);
}

const startsAtEdge = (piece: Piece): boolean => {
  if (piece.kind === "edge") return piece.at === "start";
  if (piece.kind === "sequence") return piece.of.length > 0 && startsAtEdge(piece.of[0] as Piece);
  return piece.kind === "choice" && piece.of.every(startsAtEdge);
};

/** Where a piece can begin and end, and whether it can be empty. */
type Span = { first: number[]; last: number[]; empty: boolean };

class Automaton {
  /** What each state has read: the source of a class, or "" for an edge, which no text contains. */
  readonly classes: string[] = [];
  readonly next: Set<number>[] = [];
  /** Steps that two loops around one another offer: `(a*)*`. */
  readonly doubled: [number, number][] = [];

  span(piece: Piece): Span {
    switch (piece.kind) {
      case "read":
      case "edge": {
        const state = this.classes.push(piece.kind === "read" ? piece.class : "") - 1;
        this.next.push(new Set());
        return { first: [state], last: [state], empty: false };
      }
      case "loop": {
        const inner = this.span(piece.of);
        this.link(inner.last, inner.first);
        return { ...inner, empty: inner.empty || piece.optional };
      }
      case "choice": {
        const spans = piece.of.map((one) => this.span(one));
        return {
          first: spans.flatMap((one) => one.first),
          last: spans.flatMap((one) => one.last),
          empty: spans.some((one) => one.empty),
        };
      }
      case "sequence":
        return piece.of.reduce<Span>((before, one) => this.after(before, this.span(one)), {
          first: [],
          last: [],
          empty: true,
        });
    }
  }

  private after(before: Span, behind: Span): Span {
    this.link(before.last, behind.first);
    return {
      first: before.empty ? [...before.first, ...behind.first] : before.first,
      last: behind.empty ? [...before.last, ...behind.last] : behind.last,
      empty: before.empty && behind.empty,
    };
  }

  private link(from: number[], to: number[]): void {
    for (const state of from)
      for (const then of to)
        if (this.next[state]?.has(then)) this.doubled.push([state, then]);
        else this.next[state]?.add(then);
  }

  reaches(from: number, to: number): boolean {
    const seen = new Set(this.next[from]);
    for (const state of seen) for (const then of this.next[state] ?? []) seen.add(then);
    return seen.has(to);
  }
}

/** Characters that stand for all: ASCII, some beyond it, and those of the expression itself. */
const letters = (source: string): string[] => [
  ...new Set([
    ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
    ...Array.from(`\u00a0\u2028éΣ中${source}`),
  ]),
];

/** For each kind of character that the expression tells apart, the states that read it. */
function readers(automaton: Automaton, { source, flags }: RegExp): Set<number>[] {
  const kept = flags.replaceAll(/[gymd]/g, "");
  const tests = automaton.classes.map((text) => (text ? new RegExp(`^${text}$`, kept) : undefined));
  const kinds = new Map<string, Set<number>>();
  for (const letter of letters(source)) {
    const states = tests.flatMap((test, state) => (test?.test(letter) ? [state] : []));
    kinds.set(states.join(), new Set(states));
  }
  return [...kinds.values()];
}

/** Whether one text leads from p to p, from p to q, and from q to q. */
function ambiguous(automaton: Automaton, kinds: Set<number>[], p: number, q: number): boolean {
  const seen = new Set([`${p},${p},${q}`]);
  const then = (state: number, kind: Set<number>) =>
    [...(automaton.next[state] ?? [])].filter((one) => kind.has(one));
  for (const triple of seen) {
    const [a = 0, b = 0, c = 0] = triple.split(",").map(Number);
    for (const kind of kinds)
      for (const x of then(a, kind))
        for (const y of then(b, kind)) for (const z of then(c, kind)) seen.add(`${x},${y},${z}`);
    if (seen.has(`${p},${q},${q}`)) return true;
  }
  return false;
}

/** Why matching the expression may take more than linear time; undefined if it can't. */
export function slowness(expression: RegExp): string | undefined {
  const reader = new Reader(expression);
  try {
    const piece = reader.choice();
    if (!unbounded(piece)) return undefined;
    const tied = expression.sticky || startsAtEdge(piece);
    const skip: Piece = { kind: "loop", of: { kind: "read", class: "[^]" }, optional: true };
    const automaton = new Automaton();
    const { last } = automaton.span(tied ? piece : { kind: "sequence", of: [skip, piece] });
    const ends = reader.conditions ? [] : last;
    if (automaton.doubled.some(([from, to]) => automaton.reaches(to, from)))
      return "a loop stands in a loop";
    const kinds = readers(automaton, expression);
    const loops = automaton.next.flatMap((_, state) =>
      automaton.reaches(state, state) ? [state] : [],
    );
    for (const q of loops)
      for (const p of loops)
        if (p !== q && !ends.includes(q) && automaton.reaches(p, q))
          if (ambiguous(automaton, kinds, p, q))
            return `"${automaton.classes[p]}" and "${automaton.classes[q]}" repeat over the same text`;
    return undefined;
  } catch (error) {
    if (error instanceof Unreadable) return error.message;
    throw error;
  }
}
