import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Index, serve, wrongParameter } from "./server.ts";
import type { Answer, Incoming, Server } from "./server.ts";

/**
 * A small CRM: a real HTTP server, strict as vendors are. `/v1/accounts` is paged by page, `/v1/contacts`
 * by cursor, `/v1/deals` by offset; lists stand in the order (updatedDate, id) and hold deleted records
 * with `deleted: true`; `updated_since` (inclusive) wants `yyyy-MM-ddTHH:mm:ss.SSSZ`.
 */

export type SandboxResource = "accounts" | "contacts" | "deals";

export interface SandboxRecord {
  id: string;
  createdDate: string;
  updatedDate: string;
  deleted: boolean;
  [field: string]: unknown;
}

type Fields = Record<string, unknown>;

export interface Change {
  action: "created" | "updated" | "removed";
  resource: SandboxResource;
  record: SandboxRecord;
}

/** Times are epoch milliseconds; `at` is now when absent, and `visibleAt` is when lists begin to show the change. */
export interface Sandbox extends Server {
  readonly apiKey: string;
  create(
    resource: SandboxResource,
    fields?: Fields,
    at?: number,
    visibleAt?: number,
  ): SandboxRecord;
  update(
    resource: SandboxResource,
    id: string,
    fields?: Fields,
    at?: number,
    visibleAt?: number,
  ): SandboxRecord;
  remove(resource: SandboxResource, id: string, at?: number, visibleAt?: number): SandboxRecord;
  records(resource: SandboxResource): SandboxRecord[];
  /** A random plausible change. */
  makeChange(): Change;
}

export interface SandboxOptions {
  port?: number;
  now?: () => number;
  /** Counted in whole minutes of the clock; 600 when absent. */
  rateLimitPerMinute?: number;
}

const API_KEY = "sandbox-local-key";

const shapes = {
  accounts: {
    prefix: "acc",
    required: "name",
    fields: { name: "string", industry: "string", website: "string" },
  },
  contacts: {
    prefix: "con",
    required: "lastName",
    fields: { firstName: "string", lastName: "string", email: "string", accountId: "string" },
  },
  deals: {
    prefix: "deal",
    required: "name",
    fields: { name: "string", amount: "number", stage: "string", accountId: "string" },
  },
} satisfies Record<
  SandboxResource,
  { prefix: string; required: string; fields: Record<string, string> }
>;

const paging = {
  accounts: ["page", "page_size"],
  contacts: ["cursor", "limit"],
  deals: ["offset", "limit"],
} satisfies Record<SandboxResource, string[]>;

const refuse = (
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Answer => ({
  status,
  headers,
  body: { error: { code, message } },
});
const invalid = (message: string) => refuse(400, "invalid_request", message);
const notFound = refuse(404, "not_found", "No such record");

const iso = (at: number) => new Date(at).toISOString();
const order = (a: SandboxRecord, b: SandboxRecord) =>
  compare(a.updatedDate, b.updatedDate) || compare(a.id, b.id);
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { now = Date.now, rateLimitPerMinute = 600 } = options;
  const tables: Record<SandboxResource, Index<SandboxRecord>> = {
    accounts: new Index(order),
    contacts: new Index(order),
    deals: new Index(order),
  };
  // Ids go on from the clock, so that a restarted sandbox does not give the same ones again.
  let lastId = Math.floor(now() / 1000);
  let minute = { number: 0, requests: 0 };

  const answer = (request: Incoming): Answer => {
    if (request.headers.authorization !== `Bearer ${API_KEY}`) {
      return refuse(401, "unauthorized", "Missing or wrong API key", {
        "www-authenticate": "Bearer",
      });
    }
    const number = Math.floor(now() / 60_000);
    minute = { number, requests: minute.number === number ? minute.requests + 1 : 1 };
    if (minute.requests > rateLimitPerMinute) {
      const seconds = Math.ceil(((number + 1) * 60_000 - now()) / 1000);
      return refuse(429, "rate_limited", `More than ${rateLimitPerMinute} requests a minute`, {
        "retry-after": String(seconds),
      });
    }
    if (request.path === "/v1/me" && request.method === "GET")
      return { status: 200, body: { name: "Sandbox CRM" } };
    const [, resource, id] =
      /^\/v1\/(accounts|contacts|deals)(?:\/([^/]+))?$/.exec(request.path) ?? [];
    if (!resource) return refuse(404, "not_found", `No such path "${request.path}"`);
    return id === undefined
      ? answerAll(request, resource as SandboxResource)
      : answerOne(request, resource as SandboxResource, decodeURIComponent(id));
  };

  const answerAll = (request: Incoming, resource: SandboxResource): Answer => {
    switch (request.method) {
      case "GET":
        return list(resource, request.query, tables[resource].visible(now()));
      case "POST": {
        const read = readFields(resource, request.text);
        if (!read.ok) return invalid(read.message);
        const { required } = shapes[resource];
        if (!(required in read.fields)) return invalid(`Missing field "${required}"`);
        return { status: 201, body: create(resource, read.fields) };
      }
      default:
        return refuse(405, "method_not_allowed", `Unexpected method "${request.method}"`);
    }
  };

  const answerOne = (request: Incoming, resource: SandboxResource, id: string): Answer => {
    const wrong = wrongParameter(request.query, []);
    if (wrong !== undefined) return invalid(`Unknown parameter "${wrong}"`);
    const record = tables[resource].latest(id);
    if (!record) return notFound;
    if (request.method === "GET") return { status: 200, body: record };
    if (record.deleted) return notFound;
    switch (request.method) {
      case "PATCH": {
        const read = readFields(resource, request.text);
        return read.ok
          ? { status: 200, body: update(resource, id, read.fields) }
          : invalid(read.message);
      }
      case "DELETE":
        return { status: 200, body: remove(resource, id) };
      default:
        return refuse(405, "method_not_allowed", `Unexpected method "${request.method}"`);
    }
  };

  const create: Sandbox["create"] = (resource, fields = {}, at = now(), visibleAt) => {
    lastId += 1;
    const date = iso(at);
    const record = {
      id: `${shapes[resource].prefix}_${lastId}`,
      createdDate: date,
      updatedDate: date,
      deleted: false,
      ...fields,
    };
    tables[resource].put(record, visibleAt);
    return record;
  };

  const update: Sandbox["update"] = (resource, id, fields = {}, at, visibleAt) => {
    const old = tables[resource].latest(id);
    if (!old) throw new Error(`No record "${id}" in ${resource}`);
    // Unless told otherwise, two changes in one millisecond are two versions.
    const updatedDate = iso(at ?? Math.max(now(), Date.parse(old.updatedDate) + 1));
    const record = { ...old, ...fields, id, updatedDate };
    tables[resource].put(record, visibleAt);
    return record;
  };

  const remove: Sandbox["remove"] = (resource, id, at, visibleAt) =>
    update(resource, id, { deleted: true }, at, visibleAt);

  const makeChange = (): Change => {
    const resource = pick(["accounts", "contacts", "deals"] as const);
    const living = tables[resource].all().filter((record) => !record.deleted);
    const chance = Math.random();
    if (living.length < 3 || chance < 0.45) {
      const accountId = tables.accounts.all().findLast((account) => !account.deleted)?.id;
      const fields = {
        ...plausible[resource](),
        ...(resource !== "accounts" && accountId && { accountId }),
      };
      return { action: "created", resource, record: create(resource, fields) };
    }
    const { id } = pick(living);
    if (chance > 0.92) return { action: "removed", resource, record: remove(resource, id) };
    return {
      action: "updated",
      resource,
      record: update(resource, id, pickField(plausible[resource]())),
    };
  };

  const server = await serve(answer, { port: options.port, now });
  const records: Sandbox["records"] = (resource) => tables[resource].all();
  return Object.assign(server, { apiKey: API_KEY, create, update, remove, records, makeChange });
}

const SINCE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function list(resource: SandboxResource, query: URLSearchParams, records: SandboxRecord[]): Answer {
  const [positionParameter, sizeParameter] = paging[resource] as [string, string];
  const wrong = wrongParameter(query, [...paging[resource], "updated_since"]);
  if (wrong !== undefined) return invalid(`Unknown or repeated parameter "${wrong}"`);

  const size = wholeNumber(query.get(sizeParameter) ?? "25");
  if (size === undefined || size < 1 || size > 100) {
    return invalid(`Expected ${sizeParameter} from 1 to 100, got "${query.get(sizeParameter)}"`);
  }
  const since = query.get("updated_since");
  if (since !== null && !(SINCE.test(since) && roundTrips(since))) {
    return invalid(`Expected updated_since as yyyy-MM-ddTHH:mm:ss.SSSZ, got "${since}"`);
  }
  const found = since === null ? records : records.filter((record) => record.updatedDate >= since);
  const position = query.get(positionParameter);
  const badPosition = invalid(`Unexpected ${positionParameter} "${position}"`);

  switch (resource) {
    case "accounts": {
      const page = wholeNumber(position ?? "1");
      if (page === undefined || page < 1) return badPosition;
      const data = found.slice((page - 1) * size, page * size);
      return { status: 200, body: { data, page, pageSize: size, total: found.length } };
    }
    case "contacts": {
      const after = position === null ? null : readCursor(position);
      if (after === undefined) return badPosition;
      const rest = after ? found.filter((record) => order(record, after) > 0) : found;
      const data = rest.slice(0, size);
      const last = data.at(-1);
      return {
        status: 200,
        body: { data, paging: rest.length > size && last ? { next: cursorOf(last) } : {} },
      };
    }
    case "deals": {
      const offset = wholeNumber(position ?? "0");
      if (offset === undefined) return badPosition;
      const data = found.slice(offset, offset + size);
      return { status: 200, body: { data, offset, limit: size, total: found.length } };
    }
  }
}

const wholeNumber = (digits: string) => (/^\d{1,9}$/.test(digits) ? Number(digits) : undefined);

const roundTrips = (date: string) => {
  const at = Date.parse(date);
  return !Number.isNaN(at) && iso(at) === date;
};

const cursorOf = ({ updatedDate, id }: SandboxRecord) =>
  Buffer.from(JSON.stringify([updatedDate, id])).toString("base64url");

function readCursor(cursor: string): SandboxRecord | undefined {
  try {
    const [updatedDate, id] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as [
      unknown,
      unknown,
    ];
    if (typeof updatedDate !== "string" || typeof id !== "string") return undefined;
    return { id, updatedDate, createdDate: updatedDate, deleted: false };
  } catch {
    return undefined;
  }
}

type ReadFields = { ok: true; fields: Fields } | { ok: false; message: string };

function readFields(resource: SandboxResource, body: string): ReadFields {
  let fields: unknown;
  try {
    fields = JSON.parse(body);
  } catch {
    return { ok: false, message: "Malformed JSON" };
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    return { ok: false, message: "Expected an object" };
  }
  const types = new Map<string, string>(Object.entries(shapes[resource].fields));
  for (const [name, value] of Object.entries(fields)) {
    if (!types.has(name)) return { ok: false, message: `Unknown field "${name}"` };
    if (typeof value !== types.get(name))
      return { ok: false, message: `Expected "${name}" as a ${types.get(name)}` };
  }
  return { ok: true, fields: { ...fields } };
}

const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;
const pickField = (fields: Fields): Fields => Object.fromEntries([pick(Object.entries(fields))]);

const companies = [
  "Acme",
  "Borealis",
  "Calico",
  "Dovetail",
  "Elmwood",
  "Fjord",
  "Granite",
  "Harbor",
];
const first = ["Ada", "Bruno", "Chidi", "Dalia", "Emil", "Farah", "Grace", "Hugo"];
const last = ["Abara", "Berg", "Costa", "Dvorak", "Endo", "Fischer", "Gupta", "Haddad"];
const industries = ["Energy", "Finance", "Health", "Logistics", "Retail"];
const stages = ["qualified", "proposal", "negotiation", "won", "lost"];

const plausible: Record<SandboxResource, () => Fields> = {
  accounts: () => {
    const company = pick(companies);
    return {
      name: `${company} Ltd`,
      industry: pick(industries),
      website: `https://${company.toLowerCase()}.example`,
    };
  },
  contacts: () => {
    const [firstName, lastName] = [pick(first), pick(last)];
    return { firstName, lastName, email: `${firstName}.${lastName}@example.com`.toLowerCase() };
  },
  deals: () => ({
    name: `${pick(companies)} renewal`,
    amount: 500 * Math.ceil(Math.random() * 100),
    stage: pick(stages),
  }),
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { port: { type: "string", default: "9001" } } });
  const sandbox = await startSandbox({ port: Number(values.port) });
  console.log(sandbox.url);
  const stop = () => void sandbox.close();
  process.once("SIGINT", stop).once("SIGTERM", stop);
}
