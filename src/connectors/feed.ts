import type { Change } from "./webhook";

/** A request of a feed, relative to the connector's base. */
export type FeedCall = {
  method: "GET" | "POST";
  path: string;
  query: Record<string, string>;
  body?: Record<string, unknown>;
};

/** A log of what happened: its entries are events, its position is opaque text. */
export type LogFeed = {
  kind: "log";
  /** Asks where the log ends now. */
  start: FeedCall;
  page: (position: string) => FeedCall;
  /** @returns undefined when the answer is none of this feed's. */
  read: (answer: unknown) => { changes: Change[]; count: number; position: string } | undefined;
  /** Whether the vendor no longer knows the position. */
  isDead: (status: number, providerMessage: string) => boolean;
};

/** What a tree feed says of one path. */
export type TreeEntry =
  | { kind: "gone"; path: string; data: unknown }
  | {
      kind: "there";
      objectType: string;
      id: string;
      path: string;
      /** Changes with the content. */
      rev: string;
      date: number | undefined;
      data: unknown;
    };

/** A tree and its later changes, in order; what is gone is told by its path only. */
export type TreeFeed = {
  kind: "tree";
  /** Asks for the whole tree. */
  list: FeedCall;
  page: (position: string) => FeedCall;
  read: (answer: unknown) => { entries: TreeEntry[]; position: string; more: boolean } | undefined;
  isDead: (status: number, providerMessage: string) => boolean;
};

/** One request that tells the changes of many resources; a full answer may lack some. */
export type BulkFeed = {
  kind: "bulk";
  ask: (objectTypes: readonly string[], since: number) => FeedCall;
  /** Records by object type. */
  read: (answer: unknown, objectTypes: readonly string[]) => Map<string, unknown[]> | undefined;
  covers: (objectType: string) => boolean;
  /** An answer with this many records is not whole. */
  most: number;
  /** It does not reach further back. */
  maxAgeMs: number;
};

export type Feed = LogFeed | TreeFeed | BulkFeed;
