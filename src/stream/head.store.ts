import {
  type Cursor,
  type HeadText,
  type Last,
  storedCursor,
  storedHead,
  storedLast,
} from "./meta";
import type { StreamStore } from "./store";

/** A longer cursor is not repeated in the row of each event. */
const MOST_CURSOR = 8_000;

/**
 * What changes with every commit: the cursor, the highest numbers, the ids of the latest events, and which bundles may be
 * unsettled. An event that comes alone has it in the row that is written for it anyway; any other commit writes it to
 * `meta`. The one with the higher revision counts, and it is always in one of these two: in `meta`, or with the newest
 * bundle, which is emptied and not deleted while it is the newest.
 */
export class Head {
  private readonly store: StreamStore;
  private current: HeadText;
  private cursorNow: Cursor;

  constructor(store: StreamStore) {
    this.store = store;
    this.current = this.read();
    this.cursorNow = this.current.cursor;
  }

  /** What is stored, or what a version before left. */
  get stored(): Readonly<HeadText> {
    return this.current;
  }

  /** Whether this version has stored it. */
  get isStored(): boolean {
    return this.current.revision > 0;
  }

  get cursor(): Cursor {
    return this.cursorNow;
  }

  /** Moves the cursor, in memory until the next `next`. */
  move(cursor: Cursor): void {
    this.cursorNow = cursor;
  }

  get isMoved(): boolean {
    return this.cursorNow !== this.current.cursor;
  }

  /** Whether the row of a bundle may hold it. */
  get isShort(): boolean {
    return (this.cursorNow.value?.length ?? 0) <= MOST_CURSOR;
  }

  /** The head after a commit, as text for the row of its bundle. */
  next(change: Pick<HeadText, "last" | "ids" | "unsettled">): string {
    const revision = this.current.revision + 1;
    this.current = { ...change, revision, cursor: this.cursorNow };
    return storedHead.write(this.current);
  }

  /** Stores the head after a commit in a row of its own. */
  write(change: Pick<HeadText, "last" | "ids" | "unsettled">): void {
    this.store.setMeta("head", this.next(change));
  }

  /** After a transaction that was rolled back: the rows are what counts. */
  forget(): void {
    this.current = this.read();
    this.cursorNow = this.current.cursor;
  }

  private read(): HeadText {
    const newest = this.store.first<{ head: string | null }>(
      "SELECT head FROM bundles ORDER BY id DESC LIMIT 1",
    );
    const heads = [newest?.head ?? null, this.store.meta("head")].flatMap((text) =>
      text === null ? [] : storedHead.read(text),
    );
    return (
      heads.toSorted((left, right) => left.revision - right.revision).at(-1) ??
      this.ofVersionBefore()
    );
  }

  private ofVersionBefore(): HeadText {
    const cursor = this.store.meta("cursor");
    const last = this.store.meta("lastSeqs");
    return {
      revision: 0,
      cursor: cursor === null ? { version: 0, value: null } : storedCursor.read(cursor),
      last: last === null ? NONE : storedLast.read(last),
      ids: "",
      // A number alone, stored each thousand bundles.
      unsettled: { below: Number(this.store.meta("settledBelow") ?? 0), except: [] },
    };
  }
}

const NONE: Last = { event: 0, notification: 0 };
