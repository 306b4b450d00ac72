import type { PollMessage } from "./poll-message";
import type { Attempt, Next } from "../delivery/attempt";
import type { Millis } from "../values/instant";

/**
 * One normalised change, as a source hands it to its stream. `id` is derived from source, object and
 * version, so the same change seen twice is one event. `data` is JSON text: the stream never parses it.
 */
export type NewEvent = {
  id: string;
  objectType: string;
  objectId: string;
  eventType: string;
  /** When it changed, as far as the source knows. */
  date: Millis;
  data: string;
  /** Indexes into the commit's `targets`; empty: the event is kept, and goes nowhere. */
  to: number[];
  /** Its id was made for it (`onceId`): nobody can bring it again, so no row needs to know it. */
  once?: true;
};

/** An event as it lies in the stream. */
export type StoredEvent = Omit<NewEvent, "to"> & {
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
      /** Polled: the resource, and when the poll began. */
      polled?: { objectType: string; pollDate: Millis };
      /** Instances of this platform that its news came through. */
      hops?: number;
    }
  | { format: "verbatim" }
  | FlowStep;

/** A step of a flow: its request is made from the event when it is sent. */
export type FlowStep = {
  format: "flow-step";
  flowId: string;
  componentId: string;
  /** Whose message it takes, and from which of its ports. */
  sender: { componentId: string; port: string };
  /** The same for all steps of one run. */
  correlationId: string;
  /** When its flow was started, as the run found it. */
  startedAt: Millis;
  /** What the event's data is: a trigger's content, a vendor's record, or what the run knows so far. */
  input: "content" | "record" | "scope";
};

/** One destination of a commit's events. `null` keeps the notification without sending it. */
export type Target = {
  destinationId: string | null;
  envelope: Envelope;
  /** The most events one notification may hold. */
  most: number;
  ordering: "none" | "object" | "source";
  /** What is dead holds up what is behind it in its order, until somebody replays or acknowledges it. */
  blocks?: true;
  /** Recorded, never sent: its owner switched it off. */
  skipped?: true;
  /** Remarks for the delivery log. */
  warnings?: string[];
};

export type Commit = {
  /** The cursor's version the source read; another one committed since: the commit is refused. */
  expect?: number;
  /** The token of `open`; a lease that was given to somebody else since: refused. */
  lease?: string;
  cursor?: string;
  state?: { key: string; value: string | null }[];
  events: NewEvent[];
  targets: Target[];
  /** The vendor's whole body, shared by every notification of this commit. */
  raw?: string;
  /** Ids of events dated at or after this instant outlive the purge: the source may see them again. */
  keepIdsSince?: Millis;
  retentionMs?: number;
  /** Put `message` on the polls queue at `at`, unless a later commit clears it. */
  wake?: Wake | null;
};

/** A poll that the stream asks for at an instant. */
export type Wake = { at: Millis; message: PollMessage };

export type Committed =
  | {
      kind: "committed";
      version: number;
      accepted: string[];
      notifications: number;
      /** What it cost: this commit's part of the rows its flush wrote, and of the messages it sends. */
      rowsWritten: number;
      messages: number;
    }
  | { kind: "stale"; version: number };

export type Opened =
  | { kind: "opened"; lease: string; version: number; cursor: string | null }
  | { kind: "busy"; until: Millis };

/**
 * Where a notification stands. `pending` covers both "ready" and "on the queue" (its lease is in memory);
 * `waiting` for one before it; `held` while its subscription is inactive; `kept`: it has no destination.
 */
export type DeliveryState = Next | { kind: "waiting" } | { kind: "kept" };

/** The bytes one destination gets in one POST, and what became of them. */
export type Notification = {
  seq: number;
  createdAt: Millis;
  destinationId: string | null;
  envelope: Envelope;
  /** Sequence numbers of its events. */
  events: number[];
  /** First event of the commit that carried the vendor's body, if one did. */
  raw?: number;
  /** What must be settled before it may leave, when its destination wants order. */
  keys?: string[];
  /** Dead, it keeps its place in the order: what is behind it waits. */
  blocks?: true;
  state: DeliveryState;
  /** Tries since it was created or last released; all tries ever are in `attempts`. */
  tries: number;
  firstFailedAt?: Millis;
  /** Somebody asked for this one: it is tried once whatever the state of its destination. */
  forced?: true;
  /** Somebody has taken note of it. */
  acknowledged?: true;
  /** It was held, dead or replayed before: operators may have a note of it. */
  released?: true;
  attempts: Attempt[];
  /** What the source had to say of this delivery. */
  warnings?: string[];
};
