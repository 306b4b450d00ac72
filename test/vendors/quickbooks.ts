import { createHmac } from "node:crypto";
import { grants, jsonOf, limiter } from "./grants.ts";
import { type Answer, type Incoming, wrongParameter } from "./server.ts";

/** QuickBooks Online: `/cdc` with its cap, `/query`, and records that want their SyncToken. */

type Row = {
  Id: string;
  SyncToken: string;
  status?: string;
  MetaData: { CreateTime?: string; LastUpdatedTime: string };
};

export const REALM = "310687";
const QUERY =
  /^SELECT \* FROM (?<entity>\w+)(?: WHERE (?<where>.+))? ORDERBY MetaData\.LastUpdatedTime ASC STARTPOSITION (?<start>\d+) MAXRESULTS (?<most>\d+)$/;

export function quickbooksEmulator({ now = Date.now, cap = 1000 } = {}) {
  const oauth = grants({
    now,
    clientAuthentication: "basic",
    lifetimeSeconds: 3600,
    // The value changes and the one before holds for another day.
    rotates: true,
    graceSeconds: 86_400,
    refreshLifetimeSeconds: 8_726_400,
    extra: () => ({ x_refresh_token_expires_in: 8_726_400 }),
    scopes: ["com.intuit.quickbooks.accounting"],
    redirected: { realmId: REALM },
  });
  const tables = new Map<string, Row[]>();
  const calls: string[] = [];
  const fault = (Message: string, status = 400): Answer => ({
    status,
    body: { Fault: { Error: [{ Message, code: "4000" }], type: "ValidationFault" } },
  });
  /** Company-local, with the offset of Los Angeles in winter. */
  const local = (at: number) => `${new Date(at - 8 * 3_600_000).toISOString().slice(0, 19)}-08:00`;
  const at = (row: Row) => Date.parse(row.MetaData.LastUpdatedTime);

  const rate = limiter(now, fault("ThrottleExceeded", 429));

  const answer = (request: Incoming): Answer => {
    if (request.path === "/connect/oauth2") return oauth.authorize(request);
    if (request.path === "/oauth2/v1/tokens/bearer") return oauth.token(request);
    const refusal = oauth.refusal(request) ?? rate.limited();
    if (refusal) return refusal;
    const [, realm, rest = ""] = /^\/v3\/company\/(\d+)\/(.+)$/.exec(request.path) ?? [];
    if (realm !== REALM) return fault("No such company", 403);
    if (request.query.get("minorversion") !== "75") return fault("Expected minorversion 75");
    calls.push(rest);
    if (rest === "cdc") return cdc(request.query);
    if (rest === "query") return query(request.query.get("query") ?? "");
    if (rest.startsWith("companyinfo/")) return { status: 200, body: { CompanyInfo: {} } };
    const [name = "", id] = rest.split("/");
    const entity = [...tables.keys()].find((key) => key.toLowerCase() === name) ?? "";
    const rows = tables.get(entity) ?? [];
    const row = rows.find((one) => one.Id === id);
    if (request.method === "GET")
      return row
        ? { status: 200, body: { [entity]: row, time: local(now()) } }
        : fault("Object Not Found", 400);
    const body = jsonOf(request) as any;
    if (!body) return fault("Expected JSON");
    const target = rows.find((one) => one.Id === body.Id);
    if (body.Id === undefined) return { status: 200, body: { [entity]: { Id: "900", ...body } } };
    if (target?.SyncToken !== body.SyncToken) return fault("Stale Object Error");
    if (request.query.get("operation") === "delete")
      return { status: 200, body: { [entity]: { Id: body.Id, status: "Deleted" } } };
    return body.sparse === true
      ? { status: 200, body: { [entity]: { ...target, ...body } } }
      : fault("Expected a sparse update");
  };

  const cdc = (parameters: URLSearchParams): Answer => {
    const wrong = wrongParameter(parameters, ["entities", "changedSince", "minorversion"]);
    if (wrong !== undefined) return fault(`Unknown parameter ${wrong}`);
    const since = Date.parse(parameters.get("changedSince") ?? "");
    if (Number.isNaN(since)) return fault("Invalid changedSince");
    if (since < now() - 30 * 86_400_000) return fault("changedSince is older than 30 days");
    const entities = (parameters.get("entities") ?? "").split(",");
    if (entities.some((entity) => ["TaxCode", "TaxRate", "TimeActivity"].includes(entity)))
      return fault("Entity is not supported by CDC");
    let left = cap;
    const blocks: object[] = entities.map((entity) => {
      const found = (tables.get(entity) ?? []).filter((row) => at(row) >= since).slice(0, left);
      left -= found.length;
      return found.length === 0 ? {} : { [entity]: found };
    });
    return {
      status: 200,
      body: { CDCResponse: [{ QueryResponse: blocks.toReversed() }], time: local(now()) },
    };
  };

  const query = (text: string): Answer => {
    const groups = QUERY.exec(text)?.groups;
    if (!groups) return fault(`QueryParserError: ${text}`);
    const { entity = "", where = "", start, most } = groups;
    let found = (tables.get(entity) ?? []).filter(({ status }) => status !== "Deleted");
    for (const part of where.split(" AND ").filter((one) => one !== "")) {
      if (part === "Active IN (true,false)") continue;
      const [, since] = /^MetaData\.LastUpdatedTime >= '([^']+)'$/.exec(part) ?? [];
      if (since === undefined) return fault(`QueryValidationError: ${part}`);
      found = found.filter((row) => at(row) >= Date.parse(since));
    }
    const from = Number(start) - 1;
    const page = found.toSorted((a, b) => at(a) - at(b)).slice(from, from + Number(most));
    return {
      status: 200,
      body: { QueryResponse: page.length === 0 ? {} : { [entity]: page }, time: local(now()) },
    };
  };

  return {
    answer,
    oauth,
    limit: rate.limit,
    calls,
    put(entity: string, Id: string, updated: number, created = updated) {
      const rows = tables.get(entity) ?? [];
      const row: Row = {
        Id,
        SyncToken: "3",
        MetaData: { CreateTime: local(created), LastUpdatedTime: local(updated) },
      };
      tables.set(entity, [...rows.filter((one) => one.Id !== Id), row]);
    },
    remove(entity: string, Id: string, when: number) {
      const rows = tables.get(entity) ?? [];
      const row: Row = {
        Id,
        SyncToken: "4",
        status: "Deleted",
        MetaData: { LastUpdatedTime: local(when) },
      };
      tables.set(entity, [...rows.filter((one) => one.Id !== Id), row]);
    },
  };
}

/** What Intuit signs: the whole body, with the verifier token of the webhook. */
export function quickbooksHeaders(body: string, verifierToken: string): Record<string, string> {
  return { "intuit-signature": createHmac("sha256", verifierToken).update(body).digest("base64") };
}
