import type { TreeEntry } from "../../connectors/feed";
import { eventId } from "../../stream/event-id";
import type { Happened } from "../../stream/event";
import {
  deletion,
  type Index,
  IndexDraft,
  isForgotten,
  type Node,
  type StateChange,
  unseenNodes,
} from "./tree-index";
import { sha256 } from "../../values/bytes";

/** What the entries of a tree feed mean, compared with the index of what was there before (reference vendors.md §3). */

export type TreeReading = {
  source: string;
  /** Where in the feed this page was read. Part of the event ids: the same change made again later is another event. */
  position: string;
  /** The number of the listing, counted up each time the whole tree is listed anew. */
  generation: number;
  /** First listing: what was there before the instance was created is recorded without an event. */
  quiet: boolean;
  baseline: number;
  startedAt: number;
};

export type TreeWork = { events: Happened[]; state: StateChange[] };

/** The events of a page, at most one for each id, in the order of the feed; and what the index becomes. */
export function applyTree(
  entries: readonly TreeEntry[],
  index: Index,
  reading: TreeReading,
): TreeWork {
  const draft = new IndexDraft(index);
  const events = new Map<string, Happened>();
  for (const entry of entries)
    if (entry.kind === "gone") applyGone(entry, draft, events, reading);
    else applyThere(entry, draft, events, reading);
  return { events: [...events.values()], state: draft.changes() };
}

type Gone = Extract<TreeEntry, { kind: "gone" }>;
type There = Extract<TreeEntry, { kind: "there" }>;
type Events = Map<string, Happened>;

/** Deletes what is at a path and below it. A path that was never seen is reported under its own name. */
function applyGone({ path, data }: Gone, draft: IndexDraft, events: Events, reading: TreeReading) {
  if (draft.idAt(path) === undefined && !reading.quiet)
    events.set(path, eventOf(reading, { type: "files", id: path, eventType: "DELETED", data }));
  for (const below of draft.pathsBelow(path)) removeAt(below, data, draft, events, reading);
  removeAt(path, data, draft, events, reading);
}

/** A file or folder as it is now: new, changed, moved here, or as it was. */
function applyThere(entry: There, draft: IndexDraft, events: Events, reading: TreeReading): void {
  const { id, path, rev, objectType, date, data } = entry;
  const before = knownNode(draft, id, reading.startedAt);
  const occupant = draft.idAt(path);
  if (occupant !== undefined && occupant !== id) removeAt(path, data, draft, events, reading);
  if (before !== undefined && before.path !== path && draft.idAt(before.path) === id)
    draft.clearPath(before.path);
  const isSame = before !== undefined && isUnchanged(before, entry);
  if (!isSame || before.generation !== reading.generation)
    draft.place(id, { path, type: objectType, rev, generation: reading.generation });
  // A later entry replaces an earlier event of the same id, and its place in the order.
  events.delete(id);
  const isHistory = reading.quiet && !(date !== undefined && date > reading.baseline);
  if (isSame || isHistory) return;
  const eventType = before === undefined ? "CREATED" : "UPDATED";
  events.set(id, eventOf(reading, { type: objectType, id, eventType, date, data, rev }));
}

/** What was seen of an id before, unless that was deleted too long ago. */
function knownNode(draft: IndexDraft, id: string, now: number): Node | undefined {
  const node = draft.node(id);
  return isForgotten(node?.gone, now) ? undefined : node;
}

const isUnchanged = (before: Node, { path, rev }: There): boolean =>
  before.gone === undefined && before.rev === rev && before.path === path;

/** Clears a path. What was at it is deleted, unless the feed has moved it elsewhere already. */
function removeAt(
  path: string,
  data: unknown,
  draft: IndexDraft,
  events: Events,
  reading: TreeReading,
): void {
  const id = draft.idAt(path);
  if (id === undefined) return;
  draft.clearPath(path);
  const node = draft.node(id);
  if (node === undefined || node.path !== path) return;
  draft.delete(id, node, reading.startedAt);
  events.set(id, eventOf(reading, { type: node.type, id, eventType: "DELETED", data }));
}

/** After a whole listing: what the index still has and the listing did not show is deleted. One page of nodes. */
export function sweep(
  page: readonly { key: string; value: string }[],
  reading: TreeReading,
): TreeWork {
  const unseen = unseenNodes(page, reading.generation);
  const events = unseen.map(({ id, node: { type, path } }) =>
    eventOf(reading, { type, id, eventType: "DELETED", data: { id, path } }),
  );
  return { events, state: unseen.flatMap(({ id, node }) => deletion(id, node, reading.startedAt)) };
}

type TreeChange = {
  type: string;
  id: string;
  eventType: "CREATED" | "UPDATED" | "DELETED";
  date?: number | undefined;
  data: unknown;
  rev?: string;
};

function eventOf(
  { source, position, startedAt }: TreeReading,
  { type, id, eventType, date, data, rev = "" }: TreeChange,
): Happened {
  return {
    id: eventId(source, type, id, `${eventType}|${rev}|${sha256(position, "hex")}`),
    objectType: type,
    objectId: id,
    eventType,
    date: date ?? startedAt,
    data: JSON.stringify(data),
  };
}
