import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { app } from "../../src/app";
import { ownOrganization } from "../organization";
import { create, createOrganizations } from "./build";

beforeAll(createOrganizations);

const QUIET = { "event.notification.callback.url": null };

/** How many statements a list takes, and how many instances it has. */
async function listed(path: string, authorization: string) {
  let statements = 0;
  const DB = new Proxy(env.DB, {
    get: (db, name) => {
      if (name === "prepare") statements += 1;
      const value = Reflect.get(db, name);
      return typeof value === "function" ? value.bind(db) : value;
    },
  });
  const response = await app.request(
    `/elements/api-v2${path}`,
    { headers: { authorization } },
    { ...env, DB },
  );
  const items = await response.json<unknown[]>();
  return { statements, items: items.length };
}

it.each(["/instances", "/elements/sandbox/instances"])(
  "asks as often for a page of many instances as for one of few: %s",
  async (path) => {
    const { authorization } = await ownOrganization();
    await create(QUIET, {}, authorization);
    await listed(path, authorization);
    const few = await listed(path, authorization);
    for (let made = 0; made < 4; made += 1) await create(QUIET, {}, authorization);
    const many = await listed(path, authorization);
    expect([few.items, many.items]).toEqual([1, 5]);
    expect(many.statements).toBe(few.statements);
  },
);
