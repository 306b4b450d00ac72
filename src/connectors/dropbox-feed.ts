import type { TreeEntry, TreeFeed } from "./feed";
import { textOf } from "./read";
import { readPath } from "../values/path";
import { toInstant } from "../values/instant";

/** `/2/files/list_folder`: the whole tree, then its changes (reference vendors.md §3). */
export const dropboxFeed: TreeFeed = {
  kind: "tree",
  list: {
    method: "POST",
    path: "/2/files/list_folder",
    query: {},
    body: { path: "", recursive: true, include_deleted: false, limit: 2000 },
  },
  page: (cursor) => ({
    method: "POST",
    path: "/2/files/list_folder/continue",
    query: {},
    body: { cursor },
  }),
  read: (answer) => {
    const position = textOf(readPath(answer, "cursor"));
    const entries = readPath(answer, "entries");
    if (position === undefined || !Array.isArray(entries)) return undefined;
    const more = readPath(answer, "has_more") === true;
    return { entries: entries.flatMap(readEntry), position, more };
  },
  isDead: (status, message) => status === 409 && /(^|\W)reset(\W|$)/.test(message),
};

function readEntry(entry: unknown): TreeEntry[] {
  const path = textOf(readPath(entry, "path_lower"));
  const tag = textOf(readPath(entry, ".tag"));
  if (path === undefined) return [];
  if (tag === "deleted") return [{ kind: "gone", path, data: entry }];
  const id = textOf(readPath(entry, "id"));
  if (id === undefined) return [];
  return [
    {
      kind: "there",
      objectType: tag === "folder" ? "folders" : "files",
      id,
      path,
      rev: textOf(readPath(entry, "rev")) ?? "",
      date: toInstant(readPath(entry, "server_modified")),
      data: entry,
    },
  ];
}
