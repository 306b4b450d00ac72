import { createHmac } from "node:crypto";
import { grants, jsonOf, limiter } from "./grants.ts";
import { type Answer, type Incoming, wrongParameter } from "./server.ts";

/** Box v2: webhooks one per item, `/2.0/events` with positions above 2^53, refresh tokens of single use. */

const refuse = (status: number, code: string, message = code): Answer => ({
  status,
  body: { type: "error", status, code, message },
});

export interface BoxEvent {
  event_id: string;
  event_type: string;
  created_at: string;
  source: unknown;
}

export function boxEmulator({
  now = Date.now,
  items = { file: ["7"], folder: ["8"] },
}: { now?: () => number; items?: Record<string, string[]> } = {}) {
  const oauth = grants({
    now,
    clientAuthentication: "form",
    lifetimeSeconds: 3600,
    refreshLifetimeSeconds: 60 * 86_400,
    rotates: true,
    scopes: ["root_readwrite", "manage_webhook"],
  });
  const rate = limiter(now, {
    ...refuse(429, "rate_limit_exceeded"),
    headers: { "retry-after": "30" },
  });
  const hooks = new Map<string, { id: string; target: any; address: string; triggers: string[] }>();
  const events: BoxEvent[] = [];
  const FIRST = 1_152_922_976_252_290_800n;
  let lastHook = 100;

  const answer = (request: Incoming): Answer => {
    const { method, path, query } = request;
    if (path === "/api/oauth2/authorize") return oauth.authorize(request);
    if (path === "/oauth2/token") return oauth.token(request);
    const refusal = oauth.refusal(request) ?? rate.limited();
    if (refusal) return refusal;
    if (path === "/2.0/users/me") return { status: 200, body: { type: "user", id: "1" } };
    if (path === "/2.0/events" && method === "GET") return stream(query);
    const [, kind = "", item = ""] = /^\/2\.0\/(file|folder)s\/(\d+)$/.exec(path) ?? [];
    if (kind !== "" && method === "GET")
      return items[kind]?.includes(item)
        ? { status: 200, body: { type: kind, id: item, etag: "0", name: `${kind} ${item}` } }
        : refuse(404, "not_found");
    if (path === "/2.0/webhooks" && method === "POST") return createHook(request);
    const [, hook] = /^\/2\.0\/webhooks\/(\d+)$/.exec(path) ?? [];
    if (hook !== undefined) {
      const found = hooks.get(hook);
      if (!found) return refuse(404, "not_found");
      if (method === "DELETE") {
        hooks.delete(hook);
        return { status: 204 };
      }
      if (method === "PUT") {
        const body = jsonOf(request) as any;
        hooks.set(hook, { ...found, ...body, id: hook });
      }
      return { status: 200, body: { ...hooks.get(hook), type: "webhook" } };
    }
    if (path === "/2.0/webhooks" && method === "GET") {
      const limit = Number(query.get("limit") ?? 100);
      const all = [...hooks.values()];
      const from = query.get("marker") ? Number(query.get("marker")) : 0;
      const entries = all.slice(from, from + limit);
      const next_marker = from + limit < all.length ? String(from + limit) : null;
      return { status: 200, body: { entries, limit, next_marker } };
    }
    return refuse(404, "not_found");
  };

  const createHook = (request: Incoming): Answer => {
    const body = jsonOf(request) as any;
    const { target, address, triggers } = body ?? {};
    if (!/^https:\/\/[^/:]+(\/|$)/.test(String(address)))
      return refuse(400, "bad_request", "Expected an https address on port 443");
    if (!["file", "folder"].includes(target?.type) || typeof target.id !== "string")
      return refuse(400, "bad_request", "Expected a target");
    if (target.id === "0") return refuse(400, "bad_request", "Not the root folder");
    if (!items[target.type]?.includes(target.id)) return refuse(404, "not_found");
    if (!Array.isArray(triggers) || triggers.length === 0)
      return refuse(400, "bad_request", "Expected triggers");
    for (const hook of hooks.values())
      if (hook.target.id === target.id && hook.target.type === target.type)
        return refuse(409, "conflict", "Webhook already exists");
    const id = String((lastHook += 1));
    hooks.set(id, { id, target, address, triggers });
    return { status: 201, body: { type: "webhook", ...hooks.get(id) } };
  };

  const stream = (query: URLSearchParams): Answer => {
    const wrong = wrongParameter(query, ["stream_type", "stream_position", "limit"]);
    if (wrong !== undefined) return refuse(400, "bad_request", `Unknown parameter ${wrong}`);
    const limit = Number(query.get("limit") ?? 100);
    if (!(limit >= 1 && limit <= 500)) return refuse(400, "bad_request", "limit");
    const text = query.get("stream_position") ?? "now";
    const head = FIRST + BigInt(events.length);
    let from: bigint;
    if (text === "now") from = head;
    else if (/^\d+$/.test(text)) from = BigInt(text);
    else return refuse(400, "bad_request", "Invalid stream_position");
    if (from < FIRST || from > head) return refuse(400, "bad_request", "Invalid stream_position");
    // Short pages on purpose: they do not end the stream.
    const start = Number(from - FIRST);
    const entries = text === "now" ? [] : events.slice(start, start + Math.min(limit, 3));
    const next = from + BigInt(entries.length);
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      // The position is a number with all its digits.
      body: `{"chunk_size":${entries.length},"next_stream_position":${next},"entries":${JSON.stringify(entries)}}`,
    };
  };

  return {
    answer,
    oauth,
    hooks,
    log: (event_id: string, event_type: string, source: unknown) =>
      void events.push({ event_id, event_type, created_at: new Date(now()).toISOString(), source }),
    limit: rate.limit,
    /** What Box posts for a change of an item: one delivery for each webhook that wants it. */
    deliveries: (
      trigger: string,
      source: { id: string; type: string; etag?: string },
      key: string,
    ) =>
      [...hooks.values()]
        .filter(({ target, triggers }) => target.id === source.id && triggers.includes(trigger))
        .map(({ id, address }) => {
          const body = JSON.stringify({
            type: "webhook_event",
            id: `delivery-${id}-${trigger}-${now()}`,
            created_at: new Date(now()).toISOString(),
            trigger,
            webhook: { id, type: "webhook" },
            source,
            additional_info: [],
          });
          return { address, body, headers: boxHeaders(body, key, now()) };
        }),
  };
}

/** The headers Box sends with a body: made here, by the book. */
export function boxHeaders(body: string, key: string, at = Date.now()): Record<string, string> {
  const timestamp = new Date(at).toISOString().replace("Z", "+00:00");
  return {
    "box-delivery-id": `${at}`,
    "box-delivery-timestamp": timestamp,
    "box-signature-version": "1",
    "box-signature-algorithm": "HmacSHA256",
    "box-signature-primary": createHmac("sha256", key)
      .update(body + timestamp)
      .digest("base64"),
  };
}
