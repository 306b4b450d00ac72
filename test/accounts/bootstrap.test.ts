import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { app } from "../../src/app";
import { firstOrganization } from "../organization";

// Some queries name tables in a way that stays as it is: they see that organization 1 is there.
beforeAll(firstOrganization);

const first = (name: string) => ({
  organizationName: name,
  organizationSecret: `organization-secret-of-${name}`,
  userSecret: `user-secret-of-${name}`,
  apiKey: `an-api-key-of-${name}`,
  email: `${name}@example.com`,
  password: `password-of-${name}`,
});

async function bootstrap(name: string, DB: D1Database) {
  const headers = { authorization: "Bearer a-bootstrap-key-for-the-tests" };
  const body = JSON.stringify(first(name));
  const init = { method: "POST", headers, body };
  const response = await app.request("/v1/bootstrap", init, { ...env, DB });
  return { name, status: response.status, body: await response.json<any>() };
}

const TABLES = /([`"])(organizations|users|members|memberships|api_keys|audit)(_\w+)?\1/g;
const own = (sql: string): string => sql.replaceAll(TABLES, "$1own_$2$3$1");

/** A database with nobody in it yet, in which nobody writes before `count` are about to. */
async function meetingPlace(count: number): Promise<D1Database> {
  const { results } = await env.DB.prepare(
    "SELECT sql FROM sqlite_master WHERE tbl_name IN ('organizations', 'users', 'members', 'memberships', 'api_keys', 'audit') AND type <> 'trigger' AND sql IS NOT NULL",
  ).all<{ sql: string }>();
  await env.DB.batch(results.map(({ sql }) => env.DB.prepare(own(sql))));
  const { promise, resolve } = Promise.withResolvers<void>();
  let arrived = 0;
  const batch: D1Database["batch"] = async (statements) => {
    arrived += 1;
    if (arrived === count) resolve();
    await promise;
    return env.DB.batch(statements);
  };
  return { prepare: (query: string) => env.DB.prepare(own(query)), batch } as D1Database;
}

it("makes one organization of several asked for at once, and tells all others of the conflict", async () => {
  const names = ["one", "two", "three", "four"];
  const database = await meetingPlace(names.length);
  const answers = await Promise.all(names.map((name) => bootstrap(name, database)));
  const made = answers.filter(({ status }) => status === 200);
  expect(made).toHaveLength(1);
  expect(made[0]?.body).toEqual({ organizationId: "1", userId: "1" });
  for (const { status, body } of answers.filter((one) => one !== made[0]))
    expect({ status, body }).toEqual({
      status: 409,
      body: {
        error: {
          code: "conflict",
          message: "This deployment has an organization already",
          requestId: expect.stringMatching(/^[0-9a-f]{24}$/),
        },
      },
    });
  const name = made[0]?.name;
  const rows = await database
    .prepare(
      `SELECT (SELECT group_concat(name) FROM "organizations") AS names,
        (SELECT group_concat(email) FROM "users") AS emails,
        (SELECT group_concat(email || ' ' || role) FROM "members" JOIN "memberships" ON member_id = id) AS members, (SELECT count(*) FROM "api_keys") AS keys`,
    )
    .all();
  const email = `${name}@example.com`;
  expect(rows.results).toEqual([
    { names: name, emails: email, members: `${email} owner`, keys: 1 },
  ]);
  // The log begins with it.
  const entries = await database.prepare(`SELECT actor, action, target FROM "audit"`).all();
  expect(entries.results).toEqual([
    { actor: "bootstrap", action: "organization.create", target: "1" },
  ]);

  // Who asks again for what is there is told it; later ones meet the same conflict.
  expect(await bootstrap(name ?? "", database)).toMatchObject({ status: 200, body: made[0]?.body });
  expect(await bootstrap("late", database)).toMatchObject({ status: 409 });
});
