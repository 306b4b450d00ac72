import type { Millis } from "../values/instant";
import type { HubFailure } from "./answer";

/** Accompanies the requests of one poll: how far it may go, and whether the vendor answers. */
export type Course = {
  /** Whether one more request may be made; the others are for later. */
  mayAsk(now: Millis): boolean;
  /** What an answer holds of memory, until the next request is made or the poll ends. */
  hold(held: { release(): void }): void;
  /** An answer came, so many UTF-16 units long. */
  read(units: number): void;
  /** What came of a request; `silence`: why there was no answer. */
  heard(silence: string | undefined): void;
};

/** Why the vendor gave no answer; undefined when it gave one, or was not asked. */
export const silenceOf = (failure: HubFailure): string | undefined =>
  failure.kind === "unreachable" && failure.isSilent === true ? failure.message : undefined;
