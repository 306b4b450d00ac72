import type { PollMessage } from "./poll-message";
import type { Attempt, Next } from "../delivery/attempt";
import type { Millis } from "../values/instant";

/**
 * One normalised change, as a source commits it to its stream. `id` is derived from source, object and
 * version, so the same change seen twice is one event. `data` is JSON text, which the stream never parses.
 */
export type NewEvent = {
  id: string;
  objectType: string;
  objectId: string;
  eventType: string;
  /** When the object changed, as far as the source knows. */
  date: Millis;
  data: string;
  /** How many requests of this platform led to it, one after the other (`delivery/own-address.ts`); absent: none. */
  hops?: number;
  /** Indexes into the commit's `targets`; empty: the event is stored without a notification. */
  to: number[];
  /** None of its notifications is sent before; absent: at once. */
  deliverAt?: Millis;
  /** A filter turned it away from a destination, and no other destination hears of it. */
  filtered?: true;
  /** The id it would have had from the release before this one: an event that came under that id is the same. */
  formerly?: string;
  /** Its id was made for it (`onceId`), so nobody can send it again, and the ledger need not hold the id. */
  once?: true;
};

/** An event of which nobody has been asked yet who hears of it (`subscriptions/`). */
export type Happened = Omit<NewEvent, "to" | "filtered">;

/** An event as the stream stores it, with its number and those of the notifications that carry it. */
export type StoredEvent = Omit<NewEvent, "to" | "formerly"> & {
  seq: number;
  receivedAt: Millis;
  notifications: number[];
};

/** How the events of a notification become the bytes of its body (`body.ts`). */
export type Envelope =
  | {
      format: "elements";
      elementKey: string;
      hubKey: string;
      instanceId: number;
      instanceName: string;
      /** Only if a poll found it: the resource, and when the poll began. */
      polled?: { objectType: string; pollDate: Millis };
      /** How many instances of this platform handed the change on to one another before. */
      hops?: number;
    }
  | { format: "verbatim" }
  | {
      /** For an endpoint that was made by API (`endpoint-body.ts`). */
      format: "endpoint";
      /** The tenant that the source belongs to. */
      tenant: string | null;
      /** It takes several events at a time, so even one comes in a list. */
      isList?: true;
    }
  | FlowStep;

/** A step of a flow. Its request is rendered from the event each time it is sent. */
export type FlowStep = {
  format: "flow-step";
  flowId: string;
  componentId: string;
  /** The component whose output this step takes, and from which of its ports. */
  sender: { componentId: string; port: string };
  /** The id of the run: the same for all its steps. */
  correlationId: string;
  /** The start of the flow that this run belongs to: a later start, or a stop, ends the run. */
  startedAt: Millis;
  /** What the event's data is: a trigger's content, a vendor's record, or the outputs of all steps so far. */
  input: "content" | "record" | "scope";
};

/** A destination of a commit's events. `destinationId` null: its notifications are kept, not sent. */
export type Target = {
  destinationId: string | null;
  envelope: Envelope;
  /** The most events one notification may hold. */
  most: number;
  ordering: "none" | "object" | "source";
  /**
   * Its notifications wait so long for more events: for `most` of them, or, with `isLatest`, for later ones of the same
   * object, of which the last replaces the others.
   */
  gather?: { waitMs: number } & ({ isLatest: true } | { most: number; isLatest?: never });
  /** A dead notification holds up those after it in its order until somebody replays or acknowledges it. */
  blocks?: true;
  /** Its owner switched the destination off: its notifications are dead from the start, and shown as such. */
  skipped?: true;
  /** Somebody asked for it by hand: its first try is made even if the destination is switched off. */
  forced?: true;
  /** Remarks for the delivery log. */
  warnings?: string[];
};

/**
 * What a source asks its stream to store in one transaction. Polls give `expect` and `lease`, so that a poll that was
 * overtaken writes nothing; other sources give neither.
 */
export type Commit = {
  /** The version of the cursor that the source read. If another commit moved the cursor since, this one is stale. */
  expect?: number;
  /** The token that `open` gave. If the lease was granted to another poll since, this commit is stale. */
  lease?: string;
  cursor?: string;
  state?: { key: string; value: string | null }[];
  events: NewEvent[];
  targets: Target[];
  /** The vendor's whole body, shared by every notification of this commit. */
  raw?: string;
  /** The source may show changes from this instant on again, so the ids of such events outlive the purge. */
  keepIdsSince?: Millis;
  retentionMs?: number;
  /** Asks for a poll at an instant; null withdraws what an earlier commit asked for; absent leaves it. */
  wake?: Wake | null;
};

/** A message that the alarm puts on the polls queue at `at`. */
export type Wake = { at: Millis; message: PollMessage };

export type Committed =
  | {
      kind: "committed";
      version: number;
      /** Ids of the events that were new. */
      accepted: string[];
      notifications: number;
      /** Its share of the rows that its flush wrote, the alarm's too, and of the queue messages. */
      rowsWritten: number;
      /** Its share of the alarm that was set for it, which goes off as one request. Absent in older versions. */
      alarms?: number;
      messages: number;
    }
  | { kind: "stale"; version: number };

export type Opened =
  | { kind: "opened"; lease: string; version: number; cursor: string | null }
  | { kind: "busy"; until: Millis };

/**
 * Where a notification stands: a state after a try (`Next`), or
 * `waiting` for an earlier one of its order, or `kept`, without a destination.
 * A new one is `pending`, whether it is on a queue or not (its lease is in memory).
 */
export type DeliveryState = Next | { kind: "waiting" } | { kind: "kept" };

/** What one destination gets in one POST, and what became of it. The body is composed from its events (`body.ts`). */
export type Notification = {
  seq: number;
  createdAt: Millis;
  destinationId: string | null;
  envelope: Envelope;
  /** Sequence numbers of its events. */
  events: number[];
  /** The most hops that one of its events has; absent: none. */
  hops?: number;
  /** The number of the event that the vendor's body is stored with, if there is one. */
  raw?: number;
  /** Its ordering keys: earlier notifications with one of these keys go first. */
  keys?: string[];
  /** It takes in more events while it waits (`gathering.io.ts`). `types`: of its events, as they are looked for. */
  gathers?: { key: string; units: number; types: string[]; isLatest?: true };
  /** While it is dead, those after it in its order wait. */
  blocks?: true;
  state: DeliveryState;
  /** Tries since it was created or made due anew (a replay); `attempts` has the earlier ones too. */
  tries: number;
  firstFailedAt?: Millis;
  /** An operator asked for this very one: it is tried once, even if its destination is switched off. */
  forced?: true;
  /** The number of a try that was under way when it was cancelled or sent again: unless it delivers, it decides nothing. */
  overtaken?: number;
  /** An operator acknowledged that it is dead. */
  acknowledged?: true;
  /** Somebody took it out of the lists of the connector surface. */
  hidden?: true;
  /** It was made due anew at least once, so the list of exceptions in D1 may have an entry to clear. */
  released?: true;
  attempts: Attempt[];
  /** Remarks of the source for the delivery log. */
  warnings?: string[];
};
