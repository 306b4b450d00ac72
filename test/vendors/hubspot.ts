import { createHmac } from "node:crypto";
import { grants, jsonOf, limiter } from "./grants.ts";
import type { Answer, Incoming } from "./server.ts";

/** HubSpot CRM search: strict about property names and epoch filters, and never more than `most` results. */

export const PORTAL = 62515;

type Row = { id: string; createdAt: string; updatedAt: string };

export function hubspotEmulator({ now = Date.now, most = 10_000 } = {}) {
  const oauth = grants({
    now,
    clientAuthentication: "form",
    lifetimeSeconds: 1800,
    rotates: false,
    extra: () => ({ hub_id: PORTAL }),
    scopes: [
      "oauth",
      "crm.objects.contacts.read",
      "crm.objects.companies.read",
      "crm.objects.deals.read",
      "tickets",
    ],
  });
  const tables: Record<string, Row[]> = { contacts: [], companies: [], deals: [], tickets: [] };
  const refuse = (message: string, status = 400): Answer => ({
    status,
    body: { status: "error", message, category: "VALIDATION_ERROR" },
  });

  const rate = limiter(now, {
    status: 429,
    body: { status: "error", errorType: "RATE_LIMIT", policyName: "TEN_SECONDLY_ROLLING" },
  });

  const answer = (request: Incoming): Answer => {
    if (request.path === "/oauth/authorize") return oauth.authorize(request);
    if (request.path === "/oauth/2026-03/token") return oauth.token(request);
    const refusal = oauth.refusal(request) ?? rate.limited();
    if (refusal) return refusal;
    const [, type = "", rest] = /^\/crm\/v3\/objects\/(\w+)(?:\/(\w+))?$/.exec(request.path) ?? [];
    const rows = tables[type];
    if (!rows) return refuse("No such object type", 404);
    if (rest === "search" && request.method === "POST") return search(type, rows, jsonOf(request));
    if (rest === undefined && request.method === "GET")
      return { status: 200, body: { results: rows.slice(0, 1) } };
    if (rest === undefined && request.method === "POST") {
      const properties = jsonOf(request)?.["properties"];
      if (typeof properties !== "object") return refuse("Expected properties");
      return { status: 201, body: { id: "999", properties } };
    }
    const row = rows.find(({ id }) => id === rest);
    return row ? { status: 200, body: row } : refuse("resource not found", 404);
  };

  const search = (type: string, rows: Row[], body: any): Answer => {
    if (!body) return refuse("Expected JSON");
    const time = type === "contacts" ? "lastmodifieddate" : "hs_lastmodifieddate";
    const { filterGroups = [], sorts = [], limit = 10, after = "0" } = body;
    if (!(limit >= 1 && limit <= 200)) return refuse("limit");
    if (filterGroups.length > 5) return refuse("Too many filter groups");
    if (Number(after) + limit > most) return refuse("Over the maximum of results");
    const [sort] = sorts;
    if (sorts.length !== 1 || sort.direction !== "ASCENDING") return refuse("Expected one sort");
    const valueOf = (row: Row, name: string): number | undefined =>
      name === time
        ? Date.parse(row.updatedAt)
        : name === "hs_object_id"
          ? Number(row.id)
          : undefined;
    const compare: Record<string, (a: number, b: number) => boolean> = {
      EQ: (a, b) => a === b,
      GT: (a, b) => a > b,
      GTE: (a, b) => a >= b,
      LT: (a, b) => a < b,
      LTE: (a, b) => a <= b,
    };
    for (const { filters } of filterGroups)
      for (const filter of filters)
        if (
          !compare[filter.operator] ||
          !/^\d+$/.test(filter.value) ||
          ![time, "hs_object_id"].includes(filter.propertyName)
        )
          return refuse(`Property "${filter.propertyName}" does not exist, or bad filter`);
    const found = rows
      .filter(
        (row) =>
          filterGroups.length === 0 ||
          filterGroups.some(({ filters }: any) =>
            filters.every((filter: any) =>
              compare[filter.operator]?.(valueOf(row, filter.propertyName)!, Number(filter.value)),
            ),
          ),
      )
      .toSorted((a, b) => valueOf(a, sort.propertyName)! - valueOf(b, sort.propertyName)!);
    const from = Number(after);
    const results = found.slice(from, from + limit);
    const next =
      from + limit < found.length ? { paging: { next: { after: String(from + limit) } } } : {};
    return { status: 200, body: { total: found.length, results, ...next } };
  };

  return {
    answer,
    oauth,
    limit: rate.limit,
    put: (type: string, id: string, updated: number, created = updated) => {
      const rows = tables[type] ?? [];
      const row = {
        id,
        properties: {},
        createdAt: new Date(created).toISOString(),
        updatedAt: new Date(updated).toISOString(),
        archived: false,
      };
      const at = rows.findIndex((one) => one.id === id);
      if (at === -1) rows.push(row);
      else rows[at] = row;
    },
    remove: (type: string, ...ids: string[]) => {
      tables[type] = (tables[type] ?? []).filter(({ id }) => !ids.includes(id));
    },
  };
}

/** What HubSpot signs, version 3, made here by the book; `url` is the address as it is registered. */
export function hubspotHeaders(
  body: string,
  { secret, url, at = Date.now() }: { secret: string; url: string; at?: number },
): Record<string, string> {
  const signature = createHmac("sha256", secret).update(`POST${url}${body}${at}`).digest("base64");
  return { "x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": String(at) };
}
