import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { app } from "../../src/app";

const first = (name: string) => ({
  organizationName: name,
  organizationSecret: `organization-secret-of-${name}`,
  userSecret: `user-secret-of-${name}`,
  apiKey: `an-api-key-of-${name}`,
  email: `${name}@example.com`,
  password: "password",
});

async function bootstrap(name: string, DB: D1Database = env.DB) {
  const headers = { authorization: "Bearer a-bootstrap-key-for-the-tests" };
  const body = JSON.stringify(first(name));
  const init = { method: "POST", headers, body };
  const response = await app.request("/v1/bootstrap", init, { ...env, DB });
  return { name, status: response.status, body: await response.json<any>() };
}

/** A database in which nobody writes before `count` are about to. */
function meetingPlace(count: number): D1Database {
  const { promise, resolve } = Promise.withResolvers<void>();
  let arrived = 0;
  const batch: D1Database["batch"] = async (statements) => {
    arrived += 1;
    if (arrived === count) resolve();
    await promise;
    return env.DB.batch(statements);
  };
  return { prepare: (query: string) => env.DB.prepare(query), batch } as D1Database;
}

it("makes one organization of several asked for at once, and tells all others of the conflict", async () => {
  const names = ["one", "two", "three", "four"];
  const database = meetingPlace(names.length);
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
  const rows = await env.DB.prepare(
    `SELECT (SELECT group_concat(name) FROM organizations) AS organizations,
      (SELECT group_concat(email) FROM users) AS users, (SELECT count(*) FROM api_keys) AS keys`,
  ).all();
  expect(rows.results).toEqual([{ organizations: name, users: `${name}@example.com`, keys: 1 }]);

  // Who asks again for what is there is told it; later ones meet the same conflict.
  expect(await bootstrap(name ?? "")).toMatchObject({ status: 200, body: made[0]?.body });
  expect(await bootstrap("late")).toMatchObject({ status: 409 });
});
