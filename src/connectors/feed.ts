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
  /** The request for the position of the log's end. */
  start: FeedCall;
  page: (position: string) => FeedCall;
  /** @returns undefined when the answer does not have this feed's shape. */
  read: (answer: unknown) => { changes: Change[]; count: number; position: string } | undefined;
  /** Whether the vendor no longer knows the position. */
  isDead: (status: number, providerMessage: string) => boolean;
};

/** An entry of a tree feed: the path exists, or no longer exists. */
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

/** A tree of files, then its changes in order. Of a removed entry only the path is given. */
export type TreeFeed = {
  kind: "tree";
  /** The first request for the whole tree. */
  list: FeedCall;
  page: (position: string) => FeedCall;
  read: (answer: unknown) => { entries: TreeEntry[]; position: string; more: boolean } | undefined;
  isDead: (status: number, providerMessage: string) => boolean;
};

/** One request for the changes of many resources. An answer with `most` records may be incomplete. */
export type BulkFeed = {
  kind: "bulk";
  ask: (objectTypes: readonly string[], since: number) => FeedCall;
  /** Records by object type. */
  read: (answer: unknown, objectTypes: readonly string[]) => Map<string, unknown[]> | undefined;
  covers: (objectType: string) => boolean;
  /** An answer with this many records may be incomplete. */
  most: number;
  /** How far back the feed reaches. */
  maxAgeMs: number;
};

export type Feed = LogFeed | TreeFeed | BulkFeed;
