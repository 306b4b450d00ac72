import type { TreeEntry } from "../../connectors/feed";
import { digest, eventId } from "../../stream/event-id";
import type { NewEvent } from "../../stream/event";

/**
 * What a tree feed's entries mean, against an index of what was known (reference vendors.md §3). The index
 * is the stream's keyed state: `p|<path>` → id and `i|<id>` → what was known of it.
 */

type Node = {
  path: string;
  type: string;
  rev: string;
  generation: number;
  /** Deleted, and when: it may come back. */
  gone?: number;
};

/** What comes back within this time is the same thing, later a new one (reference vendors.md DB-6). */
const TOMBSTONE_MS = 30 * 86_400_000;

/** Keyed state as far as it was read. */
export type Index = Readonly<Record<string, string>>;

export type TreeReading = {
  source: string;
  /** The position that was asked: what makes this change another than the same one later. */
  position: string;
  generation: number;
  /** Records without telling, except what is newer than the baseline. */
  quiet: boolean;
  baseline: number;
  startedAt: number;
};

export type TreeWork = { events: NewEvent[]; state: { key: string; value: string | null }[] };

const pathKey = (path: string): string => `p|${path}`;
const idKey = (id: string): string => `i|${id}`;

/** Tombstones stand in the order of their deletion. */
export const TOMBSTONE = "t|";
const tombstoneKey = (gone: number, id: string): string =>
  `${TOMBSTONE}${String(gone).padStart(14, "0")}|${id}`;

/** The nodes that the oldest tombstones of a page name. */
export function longGone(page: readonly { key: string }[], now: number): string[] {
  return page.flatMap(({ key }) => {
    const [, gone = "", ...id] = key.split("|");
    return Number(gone) < now - TOMBSTONE_MS ? [idKey(id.join("|"))] : [];
  });
}

/** What is forgotten: tombstones that are over, and their nodes unless they live again. */
export function pruned(
  page: readonly { key: string }[],
  nodes: Index,
  now: number,
): { key: string; value: null }[] {
  return page.flatMap(({ key }) => {
    const [node] = longGone([{ key }], now);
    if (node === undefined) return [];
    const text = nodes[node];
    const known: Node | undefined = text === undefined ? undefined : JSON.parse(text);
    const isOver = known?.gone !== undefined && known.gone < now - TOMBSTONE_MS;
    return [{ key, value: null }, ...(isOver ? [{ key: node, value: null }] : [])];
  });
}

/** The state that must be read before a page is applied. */
export function keysOf(entries: readonly TreeEntry[]): string[] {
  return entries.flatMap((entry) =>
    entry.kind === "there" ? [pathKey(entry.path), idKey(entry.id)] : [pathKey(entry.path)],
  );
}

/** Prefixes below which everything goes when these paths go. */
export function prefixesOf(entries: readonly TreeEntry[]): string[] {
  return entries.flatMap((entry) => (entry.kind === "gone" ? [`${pathKey(entry.path)}/`] : []));
}

/** The ids that paths in `index` name: their nodes are needed too. */
export function nodeKeysIn(index: Index): string[] {
  return Object.entries(index).flatMap(([key, id]) => (key.startsWith("p|") ? [idKey(id)] : []));
}

/** The events of a page, in the order of the feed, and what the index becomes. */
export function applyTree(
  entries: readonly TreeEntry[],
  index: Index,
  reading: TreeReading,
): TreeWork {
  const written = new Map<string, string | null>();
  const get = (key: string): string | undefined =>
    written.has(key) ? (written.get(key) ?? undefined) : index[key];
  const nodeOf = (id: string): Node | undefined => {
    const text = get(idKey(id));
    return text === undefined ? undefined : JSON.parse(text);
  };
  const put = (id: string, node: Node): void => {
    written.set(idKey(id), JSON.stringify(node));
  };
  const events = new Map<string, NewEvent>();
  const { startedAt } = reading;

  const remove = (path: string, data: unknown): void => {
    const id = get(pathKey(path));
    if (id === undefined) return;
    written.set(pathKey(path), null);
    const node = nodeOf(id);
    // Moved meanwhile: the path goes, the thing stays.
    if (node === undefined || node.path !== path) return;
    put(id, { ...node, gone: startedAt });
    written.set(tombstoneKey(startedAt, id), "");
    events.set(id, eventOf(reading, node.type, id, "DELETED", undefined, data));
  };

  for (const entry of entries) {
    if (entry.kind === "gone") {
      if (get(pathKey(entry.path)) === undefined && !reading.quiet)
        events.set(
          entry.path,
          eventOf(reading, "files", entry.path, "DELETED", undefined, entry.data),
        );
      const below = `${pathKey(entry.path)}/`;
      const keys = new Set([...Object.keys(index), ...written.keys()]);
      for (const key of keys)
        if (key.startsWith(below) && get(key) !== undefined) remove(key.slice(2), entry.data);
      remove(entry.path, entry.data);
      continue;
    }
    const { id, path, rev, objectType, date, data } = entry;
    const found = nodeOf(id);
    const isLongGone = found?.gone !== undefined && found.gone < startedAt - TOMBSTONE_MS;
    const known = isLongGone ? undefined : found;
    const other = get(pathKey(path));
    if (other !== undefined && other !== id) remove(path, data);
    const isSame =
      known !== undefined && known.gone === undefined && known.rev === rev && known.path === path;
    if (known !== undefined && known.path !== path && get(pathKey(known.path)) === id)
      written.set(pathKey(known.path), null);
    if (!isSame || known.generation !== reading.generation) {
      put(id, { path, type: objectType, rev, generation: reading.generation });
      written.set(pathKey(path), id);
    }
    const isNew = date !== undefined && date > reading.baseline;
    if (isSame || (reading.quiet && !isNew)) {
      events.delete(id);
      continue;
    }
    events.delete(id);
    events.set(
      id,
      eventOf(
        reading,
        objectType,
        id,
        known === undefined ? "CREATED" : "UPDATED",
        date,
        data,
        rev,
      ),
    );
  }
  const state = [...written]
    .filter(([key, value]) => (index[key] ?? null) !== value)
    .map(([key, value]) => ({ key, value }));
  return { events: [...events.values()], state };
}

/** What a finished listing did not see: a page of the index's nodes. */
export function sweep(
  page: readonly { key: string; value: string }[],
  reading: TreeReading,
): TreeWork {
  const work: TreeWork = { events: [], state: [] };
  for (const { key, value } of page) {
    const node: Node = JSON.parse(value);
    if (node.gone !== undefined || node.generation === reading.generation) continue;
    const id = key.slice(2);
    work.events.push(
      eventOf(reading, node.type, id, "DELETED", undefined, { id, path: node.path }),
    );
    work.state.push({ key, value: JSON.stringify({ ...node, gone: reading.startedAt }) });
    work.state.push({ key: tombstoneKey(reading.startedAt, id), value: "" });
    work.state.push({ key: pathKey(node.path), value: null });
  }
  return work;
}

function eventOf(
  { source, position, startedAt }: TreeReading,
  objectType: string,
  objectId: string,
  eventType: "CREATED" | "UPDATED" | "DELETED",
  date: number | undefined,
  data: unknown,
  rev = "",
): NewEvent {
  return {
    id: eventId(source, objectType, objectId, `${eventType}|${rev}|${digest(position)}`),
    objectType,
    objectId,
    eventType,
    date: date ?? startedAt,
    data: JSON.stringify(data),
    to: [],
  };
}
