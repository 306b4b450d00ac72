import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { tellAll } from "../../src/db/directory/tell";
import { findEventType } from "../../src/event-types/find.io";
import { countD1 } from "../d1-rows";
import { callV1 } from "../elements/build";
import { type Own, ownOrganization } from "../organization";

let own: Own;
beforeAll(async () => {
  own = await ownOrganization();
});

const ask = (method: string, path: string, body?: unknown) =>
  callV1(method, path, own.authorization, body);

const paid = () => ({
  name: `order.paid-${crypto.randomUUID()}`,
  description: "An order was paid",
  schema: { type: "object", required: ["id"], properties: { id: { type: "string" } } },
  example: { id: "7" },
});

describe("an event type", () => {
  it("is made, read, replaced, and deleted; another schema is another version", async () => {
    const type = paid();
    const made = { ...type, version: 1, deprecated: false, conversions: {}, builtIn: false };
    const path = `/event-types/${type.name}`;
    expect(await ask("POST", "/event-types", type)).toMatchObject({ status: 201, body: made });
    expect((await ask("GET", path)).body).toEqual(made);
    expect(await ask("POST", "/event-types", type)).toMatchObject({ status: 409 });
    const { schema, example } = type;
    const reordered = { required: ["id"], properties: schema.properties, type: "object" };
    const same = (await ask("PUT", path, { ...made, schema: reordered, deprecated: true })).body;
    expect(same).toMatchObject({ version: 1, deprecated: true });
    const conversions = { "1": "{'id': number}" };
    const second = {
      schema: { properties: { number: { type: "string" } } },
      example: { number: "7" },
      conversions,
    };
    expect((await ask("PUT", path, second)).body).toEqual({
      ...made,
      ...second,
      description: "",
      version: 2,
    });
    expect(await ask("PUT", path, { schema, example, version: 1 })).toMatchObject({
      status: 409,
      body: { error: { message: "version: The type is at version 2", field: "version" } },
    });
    expect(
      await ask("PUT", path, { schema, example, conversions: { "3": "a" }, version: 2 }),
    ).toMatchObject({
      status: 400,
      body: { error: { field: "conversions.3" } },
    });
    expect((await ask("GET", path)).body.version).toBe(2);
    expect((await ask("DELETE", path)).status).toBe(200);
    for (const [method, body] of [["GET"], ["PUT", {}], ["DELETE"]] as const)
      expect((await ask(method, path, body)).status).toBe(404);
    const { items } = (await callV1("GET", "/audit", own.authorization)).body;
    const done = items.filter(({ target }: any) => target === type.name);
    expect(done.map(({ action }: any) => action)).toEqual(
      ["delete", "update", "update", "create"].map((verb) => `event-type.${verb}`),
    );
    expect(done[1].after).toMatchObject({ version: 2 });
  });

  it("that is wrong is refused by the field that is", async () => {
    const table: [change: object, field: string][] = [
      [{ name: "a/b" }, "name"],
      [{ name: undefined }, "name"],
      [{ schema: "text" }, "schema"],
      [{ schema: { properties: { a: { type: "text" } } } }, "schema.properties.a.type"],
      [{ example: { id: 7 } }, "example.id"],
      [{ example: "x".repeat(65_536) }, "example"],
      [{ conversions: { "1": "a(" } }, "conversions.1"],
      [{ conversions: { "1": "a" } }, "conversions.1"],
      [{ conversions: { latest: "a" } }, "conversions.latest"],
      [{ version: 3 }, "version"],
      [{ more: 1 }, "more"],
    ];
    for (const [change, field] of table)
      expect(await ask("POST", "/event-types", { ...paid(), ...change }), field).toMatchObject({
        status: 400,
        body: { error: { field } },
      });
  });

  it("is in the list beside those of built-in connectors, which nobody changes", async () => {
    const type = { ...paid(), name: "contacts.ZZZ" };
    await ask("POST", "/event-types", type);
    const names: string[] = [];
    let path: string | null = "/event-types?limit=2&search=CONTACTS.";
    while (path !== null) {
      const { items, next }: { items: any[]; next: string | null } = (await ask("GET", path)).body;
      expect(items.length).toBeLessThanOrEqual(2);
      names.push(...items.map(({ name }) => name));
      path = next === null ? null : `/event-types?limit=2&search=CONTACTS.&cursor=${next}`;
    }
    expect(names).toEqual(["contacts.CREATED", "contacts.DELETED", "contacts.UPDATED", type.name]);
    const list = async (query: string) =>
      (await ask("GET", `/event-types?search=contacts&${query}`)).body.items.map(
        ({ name }: any) => name,
      );
    expect(await list("builtIn=false")).toEqual([type.name]);
    expect(await list("builtIn=true")).toEqual(names.slice(0, 3));
    const theirs = await ask("GET", "/event-types/contacts.CREATED");
    expect(theirs.body).toMatchObject({ builtIn: true, version: 1, schema: null });
    expect((await ask("PUT", "/event-types/contacts.CREATED", {})).status).toBe(404);
    // Its owner may say what it looks like, by a type of that name.
    await ask("POST", "/event-types", { ...paid(), name: "contacts.CREATED" });
    expect((await ask("GET", "/event-types/contacts.CREATED")).body.builtIn).toBe(false);
    expect(await list("limit=200")).toEqual(names);
    await ask("DELETE", "/event-types/contacts.CREATED");
  });

  it("is exported as AsyncAPI and OpenAPI, those of connectors if they are asked for", async () => {
    const type = paid();
    await ask("POST", "/event-types", type);
    for (const kind of ["asyncapi", "openapi"]) {
      const path = `/event-types.${kind}.json`;
      const [mine, all] = [
        (await ask("GET", path)).body,
        (await ask("GET", `${path}?builtIn=true`)).body,
      ];
      expect(mine[kind]).toMatch(/^3\./);
      expect(JSON.stringify(mine)).toContain(type.name);
      expect(JSON.stringify(mine)).not.toContain("contacts.CREATED");
      expect(JSON.stringify(all)).toContain("contacts.CREATED");
      expect((await ask("GET", `${path}?search=a`)).status).toBe(400);
    }
  });

  it("of which there are a thousand is the last one", async () => {
    const { id, authorization } = await ownOrganization();
    await env.DB.prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO event_types SELECT ?, 'n' || i, 'r' || i, '', NULL, 'null', 1, 0, '{}', 1 FROM n",
    )
      .bind(id)
      .run();
    expect(await callV1("POST", "/event-types", authorization, paid())).toMatchObject({
      status: 409,
      body: { error: { message: "An organization has at most 1000 event types" } },
    });
    await env.DB.prepare("DELETE FROM event_types WHERE organization_id = ?").bind(id).run();
    await tellAll(env.DB);
  });
});

describe("the type of an event that is published", () => {
  it("is exact after each change, and costs no read of the database, whether there is one or not", async () => {
    const type = paid();
    const find = (name = type.name) => findEventType(env.DB, own.id, name);
    expect(await find()).toBeUndefined();
    await ask("POST", "/event-types", type);
    expect(await find()).toMatchObject({ ...type, version: 1 });
    await ask("PUT", `/event-types/${type.name}`, { schema: {}, example: 1 });
    expect(await find()).toMatchObject({ schema: {}, version: 2 });
    const known = await find();
    const counted = countD1();
    for (let round = 0; round < 3; round += 1) {
      expect(await find(crypto.randomUUID())).toBeUndefined();
      expect(await find("__proto__")).toBeUndefined();
      // The very same, so that its schema is made ready once.
      expect(await find()).toBe(known);
    }
    counted.end();
    expect(counted.asked).toBe(0);
    await ask("DELETE", `/event-types/${type.name}`);
    expect(await find()).toBeUndefined();
    await ask("POST", "/event-types", { ...type, description: "Again" });
    expect(await find()).toMatchObject({ description: "Again", version: 1 });
    const { id } = await ownOrganization();
    expect(await findEventType(env.DB, id, type.name)).toBeUndefined();
  });
});
