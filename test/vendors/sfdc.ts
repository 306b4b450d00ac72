import { grants, limiter } from "./grants.ts";
import type { Answer, Incoming } from "./server.ts";

/** Salesforce: `queryAll` over one kind of object, strict about SOQL; locators may be made to die. */

export const ORGANIZATION = "00Dak000000abcdEAA";

type Row = { Id: string; SystemModstamp: string; CreatedDate: string; IsDeleted: boolean };

const QUERY =
  /^SELECT (?<columns>[\w,]+) FROM (?<object>\w+)(?: WHERE (?<where>.+))? ORDER BY SystemModstamp, Id$/;
const BOUND = /^SystemModstamp (?<operator>>=|>) (?<at>\S+)$/;
const KEYSET =
  /^\(\(SystemModstamp = (?<same>\S+) AND Id > '(?<id>\w+)'\) OR SystemModstamp > (?<later>\S+)\)$/;
const LITERAL = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?(?:Z|[+-]\d\d:?\d\d)$/;

export function sfdcEmulator({
  now = Date.now,
  pageSize = 2000,
  pkce,
}: { now?: () => number; pageSize?: number; pkce?: { challenge: string } } = {}) {
  const oauth = grants({
    now,
    clientAuthentication: "form",
    rotates: true,
    // Rotated tokens die at once; one that is idle for thirty days dies too.
    refreshLifetimeSeconds: 30 * 86_400,
    scopes: ["api", "refresh_token"],
    ...(pkce === undefined ? {} : { pkce }),
    extra: () => ({
      instance_url: "https://acme.my.salesforce.com",
      id: `https://login.salesforce.com/id/${ORGANIZATION}/005ak0000000001AAA`,
      issued_at: String(now()),
    }),
    unauthorized: {
      status: 401,
      body: [{ message: "Session expired or invalid", errorCode: "INVALID_SESSION_ID" }],
    },
  });
  const rows: Row[] = [];
  const locators = new Map<string, Row[]>();
  const queries: string[] = [];

  const refuse = (errorCode: string, message: string, status = 400): Answer => ({
    status,
    body: [{ message, errorCode }],
  });
  const date = (at: number) => new Date(at).toISOString().replace("Z", "+0000");

  // Over the limit Salesforce names no time to come back.
  const rate = limiter(now, refuse("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403));

  const answer = (request: Incoming): Answer => {
    if (request.path === "/services/oauth2/authorize") return oauth.authorize(request);
    if (request.path === "/services/oauth2/token") return oauth.token(request);
    const refusal = oauth.refusal(request) ?? rate.limited();
    if (refusal) return refusal;
    const [, rest = ""] = /^\/services\/data\/v\d\d\.0(\/.*)$/.exec(request.path) ?? [];
    if (rest === "/limits") return { status: 200, body: {} };
    if (rest === "/queryAll" && request.method === "GET")
      return query(request.query.get("q") ?? "");
    const [, locator] = /^\/query\/([\w-]+)$/.exec(rest) ?? [];
    if (locator !== undefined) {
      const found = locators.get(locator);
      return found ? result(found) : refuse("INVALID_QUERY_LOCATOR", "invalid query locator");
    }
    const [, id] = /^\/sobjects\/\w+\/(\w+)$/.exec(rest) ?? [];
    const row = rows.find((one) => one.Id === id);
    if (id !== undefined && row === undefined)
      return refuse("NOT_FOUND", "The requested resource does not exist", 404);
    if (row !== undefined && request.method === "GET") return { status: 200, body: row };
    if (row !== undefined && request.method === "PATCH") return { status: 204 };
    if (/^\/sobjects\/\w+$/.test(rest) && request.method === "POST")
      return { status: 201, body: { id: "003ak00000IiFInAAN", success: true, errors: [] } };
    return refuse("NOT_FOUND", "The requested resource does not exist", 404);
  };

  const query = (text: string): Answer => {
    queries.push(text);
    const groups = QUERY.exec(text)?.groups;
    if (!groups) return refuse("MALFORMED_QUERY", `unexpected token: ${text}`);
    let found = rows.toSorted(
      (a, b) =>
        Date.parse(iso(a.SystemModstamp)) - Date.parse(iso(b.SystemModstamp)) ||
        (a.Id < b.Id ? -1 : 1),
    );
    for (const part of (groups["where"] ?? "")
      .split(/ AND (?!Id > )/)
      .filter((one) => one !== "")) {
      const [bound, keyset] = [BOUND.exec(part)?.groups, KEYSET.exec(part)?.groups];
      const literals = [bound?.["at"], keyset?.["same"], keyset?.["later"]];
      if (!bound && !keyset) return refuse("MALFORMED_QUERY", `unexpected token: ${part}`);
      if (literals.some((one) => one !== undefined && !LITERAL.test(one)))
        return refuse("INVALID_FIELD", "value of filter criterion must be of type dateTime");
      const at = (literal: string | undefined) => Date.parse(iso(literal ?? ""));
      found = found.filter((row) => {
        const stamp = at(row.SystemModstamp);
        if (bound)
          return bound["operator"] === ">" ? stamp > at(bound["at"]) : stamp >= at(bound["at"]);
        const { same, id = "", later } = keyset ?? {};
        return (stamp === at(same) && row.Id > id) || stamp > at(later);
      });
    }
    return result(found);
  };

  const result = (found: Row[]): Answer => {
    const records = found
      .slice(0, pageSize)
      .map((row) => ({ attributes: { type: "Contact" }, ...row }));
    if (found.length <= pageSize)
      return { status: 200, body: { totalSize: found.length, done: true, records } };
    const locator = `01g${locators.size}-${pageSize}`;
    locators.set(locator, found.slice(pageSize));
    return {
      status: 200,
      body: {
        totalSize: found.length,
        done: false,
        nextRecordsUrl: `/services/data/v62.0/query/${locator}`,
        records,
      },
    };
  };

  return {
    answer,
    oauth,
    limit: rate.limit,
    queries,
    put(id: string, modified: number, created = modified, IsDeleted = false) {
      const row = { Id: id, CreatedDate: date(created), SystemModstamp: date(modified), IsDeleted };
      const at = rows.findIndex((one) => one.Id === id);
      if (at === -1) rows.push(row);
      else rows[at] = row;
    },
    /** Out of the recycle bin: no query shows it any more. */
    purge: (id: string) => void rows.splice(0, rows.length, ...rows.filter((row) => row.Id !== id)),
    forgetLocators: () => locators.clear(),
  };
}

const iso = (text: string) => text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2");

/** An Outbound Message as an org sends it: SOAP, unsigned. */
export function outboundMessage(
  object: string,
  rows: { notification: string; id: string }[],
  organization = ORGANIZATION,
): string {
  const notifications = rows.map(
    ({ notification, id }) =>
      `<Notification><Id>${notification}</Id><sObject xsi:type="sf:${object}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>${id}</sf:Id><sf:Name xsi:nil="true"/></sObject></Notification>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>${organization}</OrganizationId><SessionId xsi:nil="true"/>${notifications.join("")}</notifications></soapenv:Body></soapenv:Envelope>`;
}
