import { createHmac } from "node:crypto";
import { grants, jsonOf, limiter } from "./grants.ts";
import type { Answer, Incoming } from "./server.ts";

/** Dropbox: a tree with a log of its changes; cursors are opaque and may die. */

type Entry = Record<string, unknown> & {
  ".tag": "file" | "folder" | "deleted";
  path_lower: string;
};

export function dropboxEmulator({ now = Date.now, pageSize = 2, account = "dbid:AAH4" } = {}) {
  const oauth = grants({
    now,
    clientAuthentication: "form",
    lifetimeSeconds: 14_400,
    rotates: false,
    silent: true,
    extra: () => ({ account_id: account }),
    scopes: ["files.metadata.read", "files.content.read", "account_info.read"],
    authorizeParameters: { token_access_type: "offline" },
  });
  const rate = limiter(now, {
    status: 429,
    headers: { "retry-after": "30" },
    body: {
      error_summary: "too_many_requests/..",
      error: { reason: { ".tag": "too_many_requests" }, retry_after: 30 },
    },
  });
  const tree = new Map<string, Entry>();
  const log: Entry[] = [];
  let epoch = 1;
  let lastRev = 0;

  const cursor = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const refuse = (status: number, tag: string): Answer => ({
    status,
    body: { error_summary: `${tag}/..`, error: { ".tag": tag } },
  });

  const answer = (request: Incoming): Answer => {
    const { path, method } = request;
    if (path === "/oauth2/authorize") return oauth.authorize(request);
    if (path === "/oauth2/token") return oauth.token(request);
    if (method !== "POST") return { status: 405 };
    const refusal = oauth.refusal(request) ?? rate.limited();
    if (refusal) return refusal;
    const body = jsonOf(request);
    if (!body) return { status: 400, body: "Expected application/json" };
    switch (path) {
      case "/2/check/user":
        return { status: 200, body: { result: body["query"] } };
      case "/2/files/list_folder": {
        if (body["path"] !== "" || body["recursive"] !== true || "cursor" in body)
          return refuse(409, "path");
        return page({ epoch, kind: "list", at: 0, head: log.length, of: [...tree.values()] });
      }
      case "/2/files/list_folder/continue": {
        if (Object.keys(body).join() !== "cursor")
          return { status: 400, body: "Unexpected member" };
        const position = JSON.parse(Buffer.from(String(body["cursor"]), "base64url").toString());
        if (position.epoch !== epoch) return refuse(409, "reset");
        return page(position);
      }
      case "/2/files/get_metadata": {
        const found = [...tree.values()].find(
          (entry) => entry["id"] === body["path"] || entry.path_lower === body["path"],
        );
        return found ? { status: 200, body: found } : refuse(409, "path/not_found");
      }
      default:
        return { status: 404 };
    }
  };

  const page = (position: any): Answer => {
    const all: Entry[] = position.kind === "list" ? position.of : log;
    const entries = all.slice(position.at, position.at + pageSize);
    const at = position.at + entries.length;
    const isListed = position.kind === "list" && at >= all.length;
    const next = isListed ? { epoch, kind: "log", at: position.head } : { ...position, at };
    const has_more = isListed ? position.head < log.length : at < all.length;
    return { status: 200, body: { entries, cursor: cursor(next), has_more } };
  };

  const put = (id: string, path: string, kind: "file" | "folder" = "file", at = now()) => {
    const entry: Entry = {
      ".tag": kind,
      id,
      name: path.split("/").at(-1),
      path_lower: path,
      ...(kind === "folder"
        ? {}
        : {
            rev: `rev${(lastRev += 1)}`,
            server_modified: `${new Date(at).toISOString().slice(0, 19)}Z`,
          }),
    };
    tree.set(path, entry);
    log.push(entry);
  };
  const remove = (path: string) => {
    for (const below of tree.keys())
      if (below === path || below.startsWith(`${path}/`)) tree.delete(below);
    log.push({ ".tag": "deleted", path_lower: path });
  };

  return {
    answer,
    oauth,
    limit: rate.limit,
    put,
    remove,
    /** As when a file is renamed: the old path is deleted, the same id stands at the new one. */
    move(id: string, from: string, to: string) {
      const entry = tree.get(from);
      remove(from);
      const moved = { ...entry, path_lower: to } as Entry;
      tree.set(to, moved);
      log.push(moved);
      return id;
    },
    /** All cursors die. */
    reset: () => void (epoch += 1),
    /** Changes without a word in the log. */
    silently: (change: () => void) => {
      const length = log.length;
      change();
      log.length = length;
    },
  };
}

/** What Dropbox posts when files of these accounts changed, spaces and all. */
export function dropboxNotification(accounts: string[], appSecret: string) {
  const body = `{"list_folder": {"accounts": [${accounts.map((one) => JSON.stringify(one)).join(", ")}]}}`;
  const signature = createHmac("sha256", appSecret).update(body).digest("hex");
  return { body, headers: { "x-dropbox-signature": signature } };
}
