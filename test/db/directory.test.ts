import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { Directory } from "../../src/db/directory/directory.object";
import { Section } from "../../src/db/directory/find";
import { tellAll, tellDirectory } from "../../src/db/directory/tell";
import { step } from "../flows/build";
import { ask, madeUser } from "../accounts/ask";
import { cases } from "../cases";
import { create } from "../elements/build";
import { firstOrganization, ownOrganization } from "../organization";

beforeAll(async () => {
  await firstOrganization();
});

type Value = { settings: string };

/** An organization's settings, as isolates read them by the directory. */
async function watched() {
  const { id } = await ownOrganization();
  const key = `organization:${id}`;
  let reads = 0;
  const readRow = async () => {
    reads += 1;
    const row = await env.DB.prepare("SELECT settings FROM organizations WHERE id = ?")
      .bind(id)
      .first<Value>();
    return new Map(row === null ? [] : [[key, row]]);
  };
  const change = (settings: string) =>
    env.DB.prepare("UPDATE organizations SET settings = json(?) WHERE id = ?")
      .bind(settings, id)
      .run();
  return {
    key,
    change,
    readRow,
    reads: () => reads,
    tell: () => tellDirectory(env.DB, `organization:${id}`),
    /** A memory of its own, as an isolate has. */
    isolate: (form = "of the test") => {
      const section = new Section<Value>(form);
      return async (read = readRow) => (await section.find([key], read)).get(key)?.settings;
    },
  };
}

describe("the directory", () => {
  it("is asked in place of D1 until a change is told, and then says what changed, to every isolate", async () => {
    const { isolate, change, tell, reads } = await watched();
    const isolates = [isolate(), isolate(), isolate()];
    const all = () => Promise.all(isolates.map((find) => find()));
    expect(await isolates[0]?.()).toBe("{}");
    for (let round = 0; round < 3; round += 1) expect(await all()).toEqual(["{}", "{}", "{}"]);
    expect(reads()).toBe(1);
    await change('{"n":1}');
    await tell();
    expect(await isolates[1]?.()).toBe('{"n":1}');
    for (let round = 0; round < 3; round += 1)
      expect(await all()).toEqual(['{"n":1}', '{"n":1}', '{"n":1}']);
    expect(reads()).toBe(2);
  });

  it("keeps nothing that was read before a change, however reads and changes interleave", async () => {
    const { isolate, change, tell, readRow } = await watched();
    const isolates = [isolate(), isolate(), isolate()];
    let last = 0;
    let told = "{}";
    const write = async (isTold: boolean) => {
      const text = `{"n":${(last += 1)}}`;
      await change(text);
      if (!isTold) return;
      await tell();
      told = text;
    };
    /** A change while a reader has the row, and has not handed it on. */
    const during = async (isTold: boolean) => {
      const found = await readRow();
      await write(isTold);
      return found;
    };
    const step = fc.record({
      isolate: fc.nat(2),
      does: fc.constantFrom("find", "write", "write untold", "overtaken", "overtaken untold"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await write(true);
        for (const { isolate: index, does } of steps) {
          const find = isolates[index];
          if (does === "write" || does === "write untold") await write(does === "write");
          else if (does === "find") await find?.();
          else await find?.(() => during(does === "overtaken"));
          // What was told holds everywhere; what was not yet may hold.
          const seen = await Promise.all(isolates.map((one) => one()));
          for (const text of seen) expect(numberIn(text)).toBeGreaterThanOrEqual(numberIn(told));
        }
        await tellAll(env.DB);
        const seen = await Promise.all(isolates.map((one) => one()));
        expect(seen).toEqual(seen.map(() => `{"n":${last}}`));
      }),
      { numRuns: cases(10, 500) },
    );
  });

  it("hears by the next tick of what nobody told", async () => {
    const { isolate, change, key } = await watched();
    const find = isolate();
    await find();
    await change('{"n":1}');
    const left = env.DB.prepare("SELECT count(*) AS n FROM outdated WHERE key = ?").bind(key);
    expect(await left.first("n")).toBe(1);
    await tellAll(env.DB);
    expect(await left.first("n")).toBe(0);
    expect(await find()).toBe('{"n":1}');
  });

  it("is passed over while it can't be reached, and what can't be told stays written down", async () => {
    const { isolate, change, tell, key } = await watched();
    const find = isolate();
    await find();
    await change('{"n":1}');
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const away = vi.spyOn(Object.getPrototypeOf(env.DIRECTORY), "getByName");
    away.mockImplementation(() => {
      throw new Error("Out of reach");
    });
    await expect(tell()).rejects.toThrow("Out of reach");
    expect(await find()).toBe('{"n":1}');
    expect(await isolate()()).toBe('{"n":1}');
    away.mockRestore();
    error.mockRestore();
    const left = env.DB.prepare("SELECT count(*) AS n FROM outdated WHERE key = ?").bind(key);
    expect(await left.first("n")).toBe(1);
    await tell();
    expect(await left.first("n")).toBe(0);
    expect(await find()).toBe('{"n":1}');
  });

  it("is asked once for what one object holds, whichever sections ask in the same moment", async () => {
    const { key, readRow } = await watched();
    const [settings, guests] = [new Section<Value>("of the test"), new Section<Value>("guests")];
    await settings.find([key], readRow);
    const find = vi.spyOn(Directory.prototype, "find");
    const [known, unknown, both] = await Promise.all([
      settings.find([key], readRow),
      guests.peek(`${key}/guest`),
      settings.find([key, `${key}/guest`], async () => new Map()),
    ]);
    expect(find.mock.calls.map(([wanted]) => wanted.length)).toEqual([4]);
    expect([known.size, unknown, both.size]).toEqual([1, undefined, 1]);
    find.mockRestore();
  });

  it("reads nothing that another release kept in another form, and keeps nothing that isn't there or too large", async () => {
    const { isolate, reads, key } = await watched();
    const [old, fresh] = [isolate("form 1"), isolate("form 2")];
    await old();
    await fresh();
    expect(reads()).toBe(2);
    await old();
    expect(reads()).toBe(3);
    let asked = 0;
    const nobody = isolate("nobody");
    const large = isolate("large");
    for (let round = 0; round < 2; round += 1) {
      expect(
        await nobody(async () => {
          asked += 1;
          return new Map();
        }),
      ).toBeUndefined();
      await large(async () => {
        asked += 1;
        return new Map([[key, { settings: "x".repeat(2_000_000) }]]);
      });
    }
    expect(asked).toBe(4);
  });
});

const numberIn = (text: string | undefined): number => Number(/\d+/.exec(text ?? "")?.[0] ?? 0);

/** Columns that no entry of the directory is read by: what they say changes on its own, or nobody asks for it. */
const UNREAD: Record<string, readonly string[]> = {
  instances: ["id", "token_hash", "refresh_lease_until", "interval", "slot", "created_at"],
  destinations: [],
  flows: [],
  flow_triggers: ["flow_id", "component_id", "organization_id", "next_minute"],
  users: ["id", "first_name", "last_name", "secret_hash", "password_hash", "created_at"],
  organizations: ["id", "name", "secret_hash", "created_at"],
  user_connectors: [],
  event_types: [],
  api_keys: ["name", "last_used_at", "created_at"],
  tenants: [],
};

describe("a change of a row that the directory has an entry of", () => {
  it.each(Object.entries(UNREAD))(
    "%s is written down, in whatever column",
    async (table, unread) => {
      const { token } = await madeUser();
      const instance = await create();
      const flow = {
        T: {
          type: "tributary.events.instances.OnEvent",
          source: {},
          config: { properties: { instanceId: String(instance.id) } },
        },
        P: step(),
      };
      const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
      await ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command: "start" } });
      await env.DB.prepare(
        "INSERT OR IGNORE INTO api_keys (id, organization_id, name, key_hash, scopes, created_at) VALUES ('key_watched', 1, 'watched', 'watched', '[]', 1)",
      ).run();
      await env.DB.prepare(
        "INSERT OR IGNORE INTO user_connectors VALUES (1999999, 1, 'watched', '{}', 1, 1)",
      ).run();
      await env.DB.prepare(
        "INSERT OR IGNORE INTO tenants (organization_id, id, name, metadata, created_at, updated_at) VALUES (1, 'watched', 'watched', '{}', 1, 1)",
      ).run();
      await env.DB.prepare(
        "INSERT OR IGNORE INTO event_types VALUES (1, 'watched', 'r', '', NULL, 'null', 1, 0, '{}', 1)",
      ).run();
      // No file after this one should meet rows that nobody can read.
      onTestFinished(async () => {
        await env.DB.batch([
          env.DB.prepare("DELETE FROM api_keys WHERE id = 'key_watched'"),
          env.DB.prepare("DELETE FROM user_connectors WHERE id = 1999999"),
          env.DB.prepare("DELETE FROM tenants WHERE id = 'watched'"),
          env.DB.prepare("DELETE FROM event_types WHERE name = 'watched'"),
          env.DB.prepare("DELETE FROM outdated"),
        ]);
      });
      const { results } = await env.DB.prepare("SELECT name FROM pragma_table_info(?)")
        .bind(table)
        .all<{ name: string }>();
      const rows = await env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<number>("n");
      expect(rows).toBeGreaterThan(0);
      const silent: string[] = [];
      for (const { name } of results) {
        await env.DB.prepare("DELETE FROM outdated").run();
        await env.DB.prepare(`UPDATE ${table} SET ${name} = ${name}`).run();
        const left = await env.DB.prepare("SELECT count(*) AS n FROM outdated").first<number>("n");
        if (left === 0) silent.push(name);
      }
      await env.DB.prepare("DELETE FROM outdated").run();
      expect(silent.toSorted()).toEqual(unread.toSorted());
    },
  );
});
