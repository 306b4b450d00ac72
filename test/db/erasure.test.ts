import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { endpointName } from "../../src/delivery/endpoint-name";
import { erase, type ErasureDoors } from "../../src/operations/erasure/erase.io";
import { firstOrganization, ownOrganization } from "../organization";

/**
 * Reads the schema: every table has an organization, or hangs on a row that has one, or stands here with why it has
 * none. Each gets a row, and none is left once its organization, or its user, is deleted.
 */

/** What a table without an organization hangs on: the column, and the table whose key it holds. */
const HANGS_ON: Record<string, [column: string, table: string]> = {
  flow_tickets: ["user_id", "users"],
  unprocessed: ["user_id", "users"],
  flow_streams: ["flow_id", "flows"],
  inbound_routes: ["instance_id", "instances"],
  members: ["id", "members"],
  member_totp: ["member_id", "members"],
  member_recovery_codes: ["member_id", "members"],
  member_passkeys: ["member_id", "members"],
  consumers: ["stream", "stream"],
  organizations: ["id", "organizations"],
};
const OF_NOBODY: Record<string, string> = {
  counters: "ids that were given out",
  database_sizes: "what the database is",
  d1_migrations: "what the database is",
  outdated: "what the directory is to drop, for a minute at most",
  oauth_challenges: "digests, of before migration 0004",
  oauth_verifiers: "digests and sealed values, for an hour",
  schedule: "the last minute",
  sign_in_failures: "names and addresses that failed, for a day",
  usage_flushes: "counts of the last minutes, of whichever organizations",
  used_challenges: "digests, until they expire",
};
/** What a user's deletion leaves: it is the organization's, or of no user. */
const OF_A_USER = new Set([
  "flow_tickets",
  "unprocessed",
  "flow_streams",
  "flow_triggers",
  "flows",
  "inbound_routes",
  "instances",
  "users",
]);

type Column = { name: string; type: string; notnull: number; pk: number; dflt_value: unknown };
type Row = { table: string; values: Record<string, unknown>; keys: string[] };

const columns = new Map<string, Column[]>();
beforeAll(async () => {
  await firstOrganization();
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
  ).all<{ name: string }>();
  for (const { name } of results) {
    const info = await env.DB.prepare("SELECT * FROM pragma_table_info(?)")
      .bind(name)
      .all<Column>();
    columns.set(name, info.results);
  }
});

const hasOrganization = (table: string): boolean =>
  columns.get(table)?.some(({ name }) => name === "organization_id") ?? false;
const owned = (): string[] =>
  [...columns.keys()].filter((table) => OF_NOBODY[table] === undefined).toSorted(byDependence);

/** What others refer to is made first. */
const FIRST = ["organizations", "tenants", "users", "members", "memberships", "flows", "instances"];
const rank = (table: string): number =>
  (FIRST.indexOf(table) + FIRST.length + 1) % (FIRST.length + 1);
const byDependence = (a: string, b: string): number => rank(a) - rank(b);

let last = 700_000_000;
/** Downwards: what the database numbers itself goes on above the highest. */
const unique = (): number => (last -= 1);

/** One row of every table, of a new organization with nothing else in it. */
async function fill(): Promise<{ id: number; user: number; rows: Row[] }> {
  const id = unique();
  const known: Record<string, unknown> = { organization_id: id, organizations: id };
  const rows = owned().map((table): Row => {
    const values: Record<string, unknown> = {};
    for (const { name, type, notnull, pk, dflt_value } of columns.get(table) ?? []) {
      const parent = HANGS_ON[table]?.[0] === name ? known[HANGS_ON[table][1]] : undefined;
      const named = known[name] ?? known[`${name.replace(/_id$/, "")}s`];
      const given = SPECIAL[`${table}.${name}`]?.(id) ?? parent ?? named;
      if (given !== undefined) values[name] = given;
      else if (pk > 0 || (notnull > 0 && dflt_value === null))
        values[name] = type.toLowerCase() === "integer" ? unique() : `${unique()}`;
    }
    known[table] ??= values["id"];
    const keys = (columns.get(table) ?? []).filter(({ pk }) => pk > 0).map(({ name }) => name);
    return { table, values, keys };
  });
  await env.DB.batch(
    rows.map(({ table, values }) => {
      const names = Object.keys(values);
      return env.DB.prepare(
        `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
      ).bind(...names.map((name) => values[name]));
    }),
  );
  return { id, user: Number(known["users"]), rows };
}

const SPECIAL: Record<string, (id: number) => unknown> = {
  "organizations.id": (id) => id,
  "objects.kind": () => "stream",
  "objects.name": (id) => `${id}/instance:1`,
  "consumers.stream": (id) => `${id}/instance:1`,
  "exceptions.stream": (id) => `${id}/instance:1`,
  "destinations.url": () => "https://app.example/erased",
  "rollups.source": () => "instance:1",
};

/** The tables that still have the row they were given. */
async function left(rows: readonly Row[]): Promise<string[]> {
  const answers = await env.DB.batch<{ n: number }>(
    rows.map(({ table, values, keys }) =>
      env.DB.prepare(
        `SELECT count(*) AS n FROM ${table} WHERE ${keys.map((key) => `${key} = ?`).join(" AND ")}`,
      ).bind(...keys.map((key) => values[key])),
    ),
  );
  return rows.flatMap(({ table }, index) => (answers[index]?.results[0]?.n === 0 ? [] : table));
}

const doors: ErasureDoors = {
  db: env.DB,
  streams: env.EVENT_STREAMS,
  endpoints: env.ENDPOINTS,
  budgets: env.VENDOR_BUDGETS,
};
const plenty = () => ({ rows: 10_000, objects: 10_000 });

it("knows of every table whose it is", () => {
  const unexplained = [...columns.keys()].filter(
    (table) =>
      !hasOrganization(table) && HANGS_ON[table] === undefined && OF_NOBODY[table] === undefined,
  );
  expect(unexplained).toEqual([]);
});

/** What a tenant's deletion leaves to that of its users. */
const OF_A_TENANT = new Set([
  "inbound_routes",
  "instances",
  "destinations",
  "portal_sessions",
  "connect_sessions",
]);

describe("a tenant's deletion", () => {
  it.each([1, 4, 8, 12])(
    "leaves nothing of it, and waits for its users, though it is killed at call %i",
    async (nth) => {
      const { id, user, rows } = await fill();
      const tenant = String(rows.find(({ table }) => table === "tenants")?.values["id"]);
      const subject = { kind: "tenant", id: tenant, organizationId: id } as const;
      await erase(subject, killedAt(nth, "after"), plenty(), true).catch(() => undefined);
      expect(await erase(subject, doors, plenty(), true)).toBe(true);
      const rest = owned().filter((table) => !OF_A_TENANT.has(table));
      expect(await left(rows)).toEqual(rest);
      await erase({ kind: "user", id: user, organizationId: id }, doors, plenty(), true);
      await erase(subject, doors, plenty(), true);
      const gone = new Set([...OF_A_USER, "tenants"]);
      expect(await left(rows)).toEqual(rest.filter((table) => !gone.has(table)));
    },
  );
});

describe("an organization's deletion", () => {
  it("leaves no row of it in any table, and every row of another one", async () => {
    const [gone, stays] = [await fill(), await fill()];
    expect(await left(gone.rows)).toEqual(owned());
    expect(await erase({ kind: "organization", id: gone.id }, doors, plenty(), true)).toBe(true);
    expect(await left(gone.rows)).toEqual([]);
    expect(await left(stays.rows)).toEqual(owned());
  });

  it("keeps its own row until everything has been looked through once more", async () => {
    const { id, rows } = await fill();
    await erase({ kind: "organization", id }, doors, plenty(), false);
    expect(await left(rows)).toEqual(["organizations"]);
  });

  it("keeps members who belong elsewhere, too", async () => {
    const { id, rows } = await fill();
    const other = await ownOrganization();
    const member = rows.find(({ table }) => table === "members")?.values["id"];
    await env.DB.prepare(
      "INSERT INTO memberships (organization_id, member_id, role, created_at) VALUES (?, ?, 'viewer', 1)",
    )
      .bind(other.id, member)
      .run();
    await erase({ kind: "organization", id }, doors, plenty(), true);
    expect((await left(rows)).toSorted()).toEqual([
      "member_passkeys",
      "member_recovery_codes",
      "member_totp",
      "members",
    ]);
  });

  it("does as much at a time as it may, and goes on", async () => {
    const { id, rows } = await fill();
    let rounds = 0;
    while (!(await erase({ kind: "organization", id }, doors, { rows: 3, objects: 2 }, true)))
      rounds += 1;
    expect(rounds).toBeGreaterThan(5);
    expect(await left(rows)).toEqual([]);
  });

  it.each([1, 4, 10, 18, 29, 43])(
    "is done all the same when it is killed at call %i, before and after it took effect",
    async (nth) => {
      for (const when of ["before", "after"] as const) {
        const { id, rows } = await fill();
        const subject = { kind: "organization", id } as const;
        await erase(subject, killedAt(nth, when), plenty(), true).catch(() => undefined);
        expect(await erase(subject, doors, plenty(), true)).toBe(true);
        expect(await left(rows)).toEqual([]);
      }
    },
  );
});

/** The same doors, of which the nth call never comes back. */
function killedAt(nth: number, when: "before" | "after"): ErasureDoors {
  let calls = 0;
  const killing = async <T>(call: () => Promise<T>): Promise<T> => {
    calls += 1;
    if (calls === nth && when === "before") throw new Error("killed");
    const answer = await call();
    if (calls === nth) throw new Error("killed");
    return answer;
  };
  const statement = (of: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(of, {
      get: (target, name) => {
        if (name === "bind") return (...values: unknown[]) => statement(target.bind(...values));
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return async (...given: unknown[]) => killing(async () => method.apply(target, given));
      },
    });
  const objects = <T extends object>(of: T): T =>
    new Proxy(of, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (name !== "getByName" || typeof method !== "function") return method;
        return (...given: unknown[]) => {
          const stub = method.apply(target, given);
          return { erase: () => killing(async () => stub.erase()) };
        };
      },
    });
  return {
    db: { prepare: (sql: string) => statement(env.DB.prepare(sql)) } as D1Database,
    streams: objects(env.EVENT_STREAMS),
    endpoints: objects(env.ENDPOINTS),
    budgets: objects(env.VENDOR_BUDGETS),
  };
}

/** The endpoint of a step that renders its address, with an open circuit; the step is the user's, in an organization of its own. */
async function unwellStep(): Promise<{ id: number; user: number; name: string }> {
  const { id, user, rows } = await fill();
  const valueOf = (table: string) => rows.find((row) => row.table === table)?.values["id"];
  const stepId = String(valueOf("destinations"));
  await env.DB.prepare(
    "UPDATE destinations SET kind = 'flow-step', owner_id = ?, url = NULL WHERE id = ?",
  )
    .bind(valueOf("flows"), stepId)
    .run();
  const name = endpointName(id, `https://app.example/${crypto.randomUUID()}`, stepId);
  await fails(name);
  return { id, user, name };
}

/** Its circuit opens, and it writes itself down. */
async function fails(name: string): Promise<void> {
  const results = Array.from({ length: 10 }, () => ({ status: 500 }));
  await env.ENDPOINTS.getByName(name).report({ results, ended: 0, unreported: 0 });
  await expect.poll(() => notes(name)).toBe(1);
}

const notes = (name: string) =>
  env.DB.prepare("SELECT count(*) AS n FROM objects WHERE kind = 'endpoint' AND name = ?")
    .bind(name)
    .first<number>("n");

const stateOf = async (name: string) => (await env.ENDPOINTS.getByName(name).view()).state;

describe("the endpoint of a step that renders its address", () => {
  it("goes with its organization", async () => {
    const { id, name } = await unwellStep();
    expect(await erase({ kind: "organization", id }, doors, plenty(), true)).toBe(true);
    expect([await stateOf(name), await notes(name)]).toEqual(["closed", 0]);
  });

  it("goes with its user, and no other of the organization does", async () => {
    const { id, user, name } = await unwellStep();
    const other = endpointName(id, "https://app.example/", "of-another-user");
    await fails(other);
    const subject = { kind: "user", id: user, organizationId: id } as const;
    expect(await erase(subject, doors, plenty(), true)).toBe(true);
    expect([await stateOf(name), await notes(name)]).toEqual(["closed", 0]);
    expect([await stateOf(other), await notes(other)]).toEqual(["open", 1]);
  });
});

describe("a user's deletion", () => {
  it("leaves nothing of theirs, and all that is the organization's", async () => {
    const { id, user, rows } = await fill();
    const subject = { kind: "user", id: user, organizationId: id } as const;
    expect(await erase(subject, doors, plenty(), true)).toBe(true);
    expect(await left(rows)).toEqual(owned().filter((table) => !OF_A_USER.has(table)));
  });
});
