import * as z from "zod";
import { storedJson } from "../../values/stored-json";
import type { TreeEntry } from "../../connectors/feed";

/**
 * The index of a polled tree: what the last poll found where. A tree feed names what was deleted by its path only, and
 * a renamed file keeps its id, so both directions are kept, as keyed state of the stream:
 *
 *     p|/reports/june.csv   → id:42                                   the id at a path
 *     i|id:42               → {path, type, rev, generation, gone?}    what was last seen of an id
 *     t|01748772000000|id:42                                          a tombstone: deleted at that instant
 *
 * A deleted file keeps its node, with `gone`, for thirty days: when it is restored within that time it is the same file
 * and its event is UPDATED, later it is CREATED anew (reference vendors.md DB-6). Tombstones sort by the time of deletion, so
 * that nodes to forget are found without reading the whole index.
 */

const storedNode = storedJson(
  z.object({
    path: z.string(),
    type: z.string(),
    rev: z.string(),
    /** The listing that saw it last. */
    generation: z.number(),
    /** When it was deleted, epoch ms. */
    gone: z.number().optional(),
  }),
);
export type Node = ReturnType<typeof storedNode.read>;

/** The part of the index that was read from the stream, as it lies there. */
export type Index = Readonly<Record<string, string>>;

export type StateChange = { key: string; value: string | null };

const TOMBSTONE_MS = 30 * 86_400_000;

export const NODES = "i|";
export const TOMBSTONES = "t|";
const PATHS = "p|";

const pathKey = (path: string): string => `${PATHS}${path}`;
const nodeKey = (id: string): string => `${NODES}${id}`;
const tombstoneKey = (gone: number, id: string): string =>
  `${TOMBSTONES}${String(gone).padStart(14, "0")}|${id}`;

/** The keys that must be read before a page of entries is applied. */
export function keysOf(entries: readonly TreeEntry[]): string[] {
  return entries.flatMap((entry) =>
    entry.kind === "there" ? [pathKey(entry.path), nodeKey(entry.id)] : [pathKey(entry.path)],
  );
}

/** The prefixes that must be read too: a deleted folder takes along all that lies below it. */
export function prefixesOf(entries: readonly TreeEntry[]): string[] {
  return entries.flatMap((entry) => (entry.kind === "gone" ? [`${pathKey(entry.path)}/`] : []));
}

/** The keys of the nodes whose paths are in `index`. */
export function nodeKeysIn(index: Index): string[] {
  return Object.entries(index).flatMap(([key, id]) => (key.startsWith(PATHS) ? [nodeKey(id)] : []));
}

/** An index while a page is applied to it: reads see what was changed before. */
export class IndexDraft {
  private readonly index: Index;
  private readonly changed = new Map<string, string | null>();

  constructor(index: Index) {
    this.index = index;
  }

  private get(key: string): string | undefined {
    const changed = this.changed.get(key);
    return changed === undefined ? this.index[key] : (changed ?? undefined);
  }

  idAt(path: string): string | undefined {
    return this.get(pathKey(path));
  }

  node(id: string): Node | undefined {
    const text = this.get(nodeKey(id));
    return text === undefined ? undefined : storedNode.read(text);
  }

  /** The paths below a folder that hold something. */
  pathsBelow(folder: string): string[] {
    const below = `${pathKey(folder)}/`;
    const keys = new Set([...Object.keys(this.index), ...this.changed.keys()]);
    return [...keys].flatMap((key) =>
      key.startsWith(below) && this.get(key) !== undefined ? [key.slice(PATHS.length)] : [],
    );
  }

  place(id: string, node: Node): void {
    this.changed.set(nodeKey(id), storedNode.write(node));
    this.changed.set(pathKey(node.path), id);
  }

  clearPath(path: string): void {
    this.changed.set(pathKey(path), null);
  }

  delete(id: string, node: Node, now: number): void {
    for (const { key, value } of deletion(id, node, now)) this.changed.set(key, value);
  }

  /** What differs from the index as it was read. */
  changes(): StateChange[] {
    return [...this.changed]
      .filter(([key, value]) => (this.index[key] ?? null) !== value)
      .map(([key, value]) => ({ key, value }));
  }
}

/** Frees the path of a node and keeps the node, with a tombstone, in case it is restored. */
export function deletion(id: string, node: Node, now: number): StateChange[] {
  return [
    { key: pathKey(node.path), value: null },
    { key: nodeKey(id), value: storedNode.write({ ...node, gone: now }) },
    { key: tombstoneKey(now, id), value: "" },
  ];
}

/** Whether what was deleted at `gone` would be a new thing if it came back now. */
export const isForgotten = (gone: number | undefined, now: number): boolean =>
  gone !== undefined && gone < now - TOMBSTONE_MS;

/** The node keys that the outlived tombstones of a page name. */
export function forgottenNodes(tombstones: readonly { key: string }[], now: number): string[] {
  return tombstones.flatMap(({ key }) => {
    const [, gone = "", ...id] = key.split("|");
    return isForgotten(Number(gone), now) ? [nodeKey(id.join("|"))] : [];
  });
}

/** Removes the outlived tombstones of a page, and their nodes unless they were restored or deleted again since. */
export function prune(
  tombstones: readonly { key: string }[],
  nodes: Index,
  now: number,
): StateChange[] {
  return tombstones.flatMap(({ key }) => {
    const [nodeKeyOfIt] = forgottenNodes([{ key }], now);
    if (nodeKeyOfIt === undefined) return [];
    const text = nodes[nodeKeyOfIt];
    const node = text === undefined ? undefined : storedNode.read(text);
    const removed = isForgotten(node?.gone, now) ? [{ key: nodeKeyOfIt, value: null }] : [];
    return [{ key, value: null }, ...removed];
  });
}

/** The nodes of a page that the listing of `generation` did not see, though they were not deleted before. */
export function unseenNodes(
  page: readonly { key: string; value: string }[],
  generation: number,
): { id: string; node: Node }[] {
  return page.flatMap(({ key, value }) => {
    const node = storedNode.read(value);
    const isSeen = node.gone !== undefined || node.generation === generation;
    return isSeen ? [] : [{ id: key.slice(NODES.length), node }];
  });
}
