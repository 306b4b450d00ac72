import { createHash, type KeyObject, sign } from "node:crypto";
import { type ConcurList, ConcurRecords, type ConcurRecord } from "./concur-lists.ts";
import { limiter } from "./grants.ts";
import { Index, serve, wrongParameter } from "./server.ts";
import type { Answer, Incoming, Server } from "./server.ts";

/**
 * SAP Concur: OAuth, expense reports v3 and the other v3 lists (reference vendors.md §2), strict. Lists stand in the order of
 * `ID`, not of dates; dates have no zone, come with trailing zeros cut and are taken with exactly three
 * fraction digits; bounds are inclusive.
 */

export interface ConcurReport {
  id: string;
  /** Epoch milliseconds. */
  created: number;
  modified: number;
  submitted: number | null;
  fields: Record<string, unknown>;
}

export interface NewReport {
  /** 20 hex digits made from a counter when absent. */
  id?: string;
  created: number;
  modified: number;
  submitted?: number;
  /** Laid over the vendor's names: `Name`, `Total`, `ApprovalStatusCode`, `OwnerLoginID`. */
  fields?: Record<string, unknown>;
  /** When lists begin to show it. */
  visibleAt?: number;
}

export interface Concur extends Server {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Requests to `/oauth2/v0/token`, refused ones too, those of `failNext` apart. */
  tokenRequests: number;
  /** What a consenting user brings back; single use. */
  issueCode(redirectUri?: string): string;
  addReport(report: NewReport): ConcurReport;
  /** Changed at `at`; `visibleAt` is when lists show that. */
  touch(id: string, at: number, visibleAt?: number): ConcurReport;
  reports(): ConcurReport[];
  /** Adds or changes a record of another list. */
  put(list: ConcurList, record: ConcurRecord): void;
  /** No access token given so far is good any more; refresh tokens still are. */
  expireTokens(): void;
  /** For so many milliseconds every request with a token is turned away. */
  limit(ms: number): void;
  /** The `geolocation` of later token answers (`http://localhost:<port>` reaches this server too). */
  moveTo(geolocation: string): void;
}

export interface ConcurOptions {
  port?: number;
  now?: () => number;
  /** A refresh gives a new refresh token and the old one ends. */
  rotateRefreshTokens?: boolean;
  /** 3600 when absent. */
  expiresInSeconds?: number;
}

const CLIENT_ID = "concur-client";
const CLIENT_SECRET = "concur-secret";
/** Whose reports are listed without `user=ALL`. */
const ADMINISTRATOR = "wsadmin@example.com";

const REPORTS = "/api/v3.0/expense/reports";
const PARAMETERS = [
  "user",
  "limit",
  "offset",
  "approvalStatusCode",
  "modifiedDateAfter",
  "modifiedDateBefore",
  "createDateAfter",
  "createDateBefore",
  "submitDateAfter",
  "submitDateBefore",
];

const refuse = (status: number, message: string): Answer => ({
  status,
  body: { Message: message },
});
const refuseToken = (status: number, error: string, description: string): Answer => ({
  status,
  body: { code: status === 401 ? 61 : 108, error, error_description: description },
});

export async function startConcur(options: ConcurOptions = {}): Promise<Concur> {
  const { now = Date.now, rotateRefreshTokens = false, expiresInSeconds = 3600 } = options;
  const reports = new Index<ConcurReport>((a, b) => (a.id < b.id ? -1 : 1));
  const others = new ConcurRecords();
  const codes = new Map<string, { redirectUri: string | undefined }>();
  const accessTokens = new Map<string, { expiresAt: number }>();
  const refreshTokens = new Set<string>();
  // Its Retry-After says nothing.
  const rate = limiter(now, {
    ...refuse(429, "API rate limit exceeded"),
    headers: { "retry-after": "0" },
  });
  let made = 0;
  let geolocation: string | undefined;

  const make = (kind: string) => `${kind}-${digest(`${kind} ${(made += 1)} ${now()}`)}`;
  const home = () => geolocation ?? server.url;

  const answer = (request: Incoming): Answer => {
    switch (`${request.method} ${request.path}`) {
      case "GET /oauth2/v0/authorize":
        return authorize(request.query);
      case "POST /oauth2/v0/token":
        concur.tokenRequests += 1;
        return giveToken(request);
    }
    const isReports = request.path === REPORTS || request.path.startsWith(`${REPORTS}/`);
    const other = others.answer(request.path, request.query, home(), now());
    if (!isReports && other === undefined) {
      return refuse(
        404,
        `No HTTP resource was found that matches the request URI "${request.path}"`,
      );
    }
    if (request.method !== "GET")
      return refuse(405, `The requested resource does not support "${request.method}"`);
    const [, token = ""] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "") ?? [];
    if (!((accessTokens.get(token)?.expiresAt ?? 0) > now()))
      return refuse(401, "Invalid or expired access token");
    const limited = rate.limited();
    if (limited) return limited;
    if (other !== undefined) return other;
    if (request.path === REPORTS) return listReports(request.query, reports.visible(now()), home());
    const wrong = wrongParameter(request.query, ["user"]);
    if (wrong !== undefined) return refuse(400, `Unknown or repeated parameter "${wrong}"`);
    const report = reports.latest(decodeURIComponent(request.path.slice(REPORTS.length + 1)));
    return report ? { status: 200, body: print(report, home()) } : refuse(404, "No data found");
  };

  const authorize = (query: URLSearchParams): Answer => {
    const redirectUri = query.get("redirect_uri");
    const wrong = wrongParameter(query, [
      "client_id",
      "redirect_uri",
      "response_type",
      "scope",
      "state",
    ]);
    if (wrong !== undefined)
      return refuseToken(400, "invalid_request", `Unknown or repeated "${wrong}"`);
    if (query.get("client_id") !== CLIENT_ID)
      return refuseToken(400, "invalid_client", "The client does not exist");
    if (query.get("response_type") !== "code")
      return refuseToken(400, "invalid_request", "Expected response_type=code");
    if (!query.get("scope")) return refuseToken(400, "invalid_scope", "Missing scope");
    if (!redirectUri || !URL.canParse(redirectUri)) {
      return refuseToken(400, "invalid_request", `Unexpected redirect_uri "${redirectUri}"`);
    }
    const back = new URL(redirectUri);
    back.searchParams.set("code", issueCode(redirectUri));
    const state = query.get("state");
    if (state !== null) back.searchParams.set("state", state);
    return { status: 302, headers: { location: back.href } };
  };

  const giveToken = (request: Incoming): Answer => {
    if (!request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) {
      return refuseToken(400, "invalid_request", "Expected a form");
    }
    const form = new URLSearchParams(request.text);
    if (form.get("client_id") !== CLIENT_ID || form.get("client_secret") !== CLIENT_SECRET) {
      return refuseToken(401, "invalid_client", "The client does not exist or its secret is wrong");
    }
    const grant = form.get("grant_type") ?? "";
    switch (grant) {
      case "authorization_code": {
        const code = form.get("code") ?? "";
        const issued = codes.get(code);
        codes.delete(code);
        if (!issued) return refuseToken(400, "invalid_grant", "Unknown or used code");
        if (issued.redirectUri !== undefined && issued.redirectUri !== form.get("redirect_uri")) {
          return refuseToken(400, "invalid_grant", "The redirect_uri is not that of the code");
        }
        return newTokens(make("refresh"));
      }
      case "refresh_token": {
        const old = form.get("refresh_token") ?? "";
        if (!refreshTokens.has(old))
          return refuseToken(400, "invalid_grant", "Unknown or used refresh token");
        if (!rotateRefreshTokens) return newTokens(old);
        refreshTokens.delete(old);
        return newTokens(make("refresh"));
      }
      default:
        return refuseToken(400, "unsupported_grant_type", `Unsupported grant_type "${grant}"`);
    }
  };

  const newTokens = (refreshToken: string): Answer => {
    const accessToken = make("access");
    accessTokens.set(accessToken, { expiresAt: now() + expiresInSeconds * 1000 });
    refreshTokens.add(refreshToken);
    return {
      status: 200,
      body: {
        expires_in: String(expiresInSeconds),
        scope: "EXPRPT",
        token_type: "Bearer",
        access_token: accessToken,
        refresh_token: refreshToken,
        geolocation: home(),
      },
    };
  };

  const issueCode = (redirectUri?: string) => {
    const code = make("code");
    codes.set(code, { redirectUri });
    return code;
  };

  const addReport = ({ id, created, modified, submitted, fields = {}, visibleAt }: NewReport) => {
    const report: ConcurReport = {
      id:
        id ??
        digest(`report ${(made += 1)}`)
          .slice(0, 20)
          .toUpperCase(),
      created,
      modified,
      submitted: submitted ?? null,
      fields,
    };
    reports.put(report, visibleAt);
    return report;
  };

  const touch = (id: string, at: number, visibleAt?: number) => {
    const old = reports.latest(id);
    if (!old) throw new Error(`No report "${id}"`);
    const report = { ...old, modified: at };
    reports.put(report, visibleAt);
    return report;
  };

  const server = await serve(answer, { port: options.port, now });
  const concur: Concur = Object.assign(server, {
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    tokenRequests: 0,
    issueCode,
    addReport,
    touch,
    reports: () => reports.all(),
    put: (list: ConcurList, record: ConcurRecord) => others.put(list, record),
    expireTokens: () => accessTokens.clear(),
    limit: rate.limit,
    moveTo: (url: string) => void (geolocation = url),
  });
  return concur;
}

function listReports(query: URLSearchParams, reports: ConcurReport[], home: string): Answer {
  const wrong = wrongParameter(query, PARAMETERS);
  if (wrong !== undefined) return refuse(400, `Unknown or repeated parameter "${wrong}"`);

  const limitText = query.get("limit") ?? "25";
  const limit = /^\d{1,3}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > 100)
    return refuse(400, `Expected limit from 1 to 100, got "${limitText}"`);

  const bounds = new Map<string, number>();
  for (const [name, value] of query) {
    if (!/Date(?:After|Before)$/.test(name)) continue;
    const at = readDate(value);
    if (at === undefined)
      return refuse(400, `Expected ${name} as yyyy-MM-ddTHH:mm:ss.SSS, got "${value}"`);
    bounds.set(name, at);
  }
  const within = (name: string, at: number | null) => {
    const [after, before] = [bounds.get(`${name}After`), bounds.get(`${name}Before`)];
    if (at === null) return after === undefined && before === undefined;
    return at >= (after ?? -Infinity) && at <= (before ?? Infinity);
  };

  const user = query.get("user") ?? ADMINISTRATOR;
  const statuses = query.get("approvalStatusCode")?.split(",");
  const offset = query.get("offset");
  const afterId = offset === null ? "" : readOffset(offset);
  if (afterId === undefined) return refuse(400, `Unexpected offset "${offset}"`);

  const found = reports.filter((report) => {
    const { OwnerLoginID, ApprovalStatusCode } = print(report, home);
    return (
      report.id > afterId &&
      (user === "ALL" || user === OwnerLoginID) &&
      (!statuses || statuses.includes(String(ApprovalStatusCode))) &&
      within("modifiedDate", report.modified) &&
      within("createDate", report.created) &&
      within("submitDate", report.submitted)
    );
  });
  const page = found.slice(0, limit);
  let next: string | null = null;
  if (found.length > limit) {
    const url = new URL(REPORTS, home);
    url.search = String(query);
    url.searchParams.set("offset", Buffer.from(`after ${page.at(-1)!.id}`).toString("base64url"));
    next = url.href;
  }
  return {
    status: 200,
    body: { Items: page.map((report) => print(report, home)), NextPage: next },
  };
}

const print = (report: ConcurReport, home: string): Record<string, unknown> => ({
  ID: report.id,
  URI: `${home}${REPORTS}/${report.id}`,
  Name: "Trip to Denver",
  Total: 120.5,
  CurrencyCode: "USD",
  CreateDate: printDate(report.created),
  SubmitDate: report.submitted === null ? null : printDate(report.submitted),
  LastModifiedDate: printDate(report.modified),
  OwnerLoginID: "anna@example.com",
  ApprovalStatusCode: "A_APPR",
  ...report.fields,
});

/** As .NET prints it: no zone, trailing zeros of the fraction cut, the point too. */
const printDate = (at: number) => new Date(at).toISOString().replace(/\.?0*Z$/, "");

function readDate(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/.test(text)) return undefined;
  const at = Date.parse(`${text}Z`);
  return Number.isNaN(at) || new Date(at).toISOString() !== `${text}Z` ? undefined : at;
}

const readOffset = (offset: string) =>
  /^after (.+)$/.exec(Buffer.from(offset, "base64url").toString())?.[1];

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

/** What the Event Subscription Service posts of a report. */
export function concurEvent(eventType: string, reportId: string, companyId: string): string {
  const now = new Date().toISOString();
  return JSON.stringify({
    id: `event-${eventType}-${reportId}`,
    eventType,
    topic: "public.concur.expense.report",
    timeStamp: now,
    facts: { companyId, reportId, lastModifiedDate: now, href: "https://us2.example/reports" },
  });
}

/** `Concur-Signature` by the default of the reference: RSASSA-PKCS1-v1_5 with SHA-256 over the body. */
export function concurHeaders(body: string, privateKey: KeyObject): Record<string, string> {
  return { "concur-signature": sign("sha256", Buffer.from(body), privateKey).toString("base64") };
}
