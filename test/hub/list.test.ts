import { describe, expect, it } from "vitest";
import { concur } from "../../src/connectors/concur";
import { type Connector, connectorSchema } from "../../src/connectors/definition";
import { sandbox } from "../../src/connectors/sandbox";
import { type HubQuery, planList } from "../../src/hub/list";
import { readList } from "../../src/hub/read-list";

const withResource = (changes: object): Connector =>
  connectorSchema.parse({
    ...sandbox,
    resources: { accounts: { ...sandbox.resources["accounts"], ...changes } },
  });
const planned = (
  query: HubQuery,
  connector = sandbox,
  configuration: Record<string, string | null> = {},
  path = "accounts",
) => {
  const result = planList(connector, path, query, configuration);
  if (!result.ok) throw new Error(result.message);
  return result.plan;
};
const refusal = (query: HubQuery, connector = sandbox, path = "accounts") => {
  const result = planList(connector, path, query, {});
  return result.ok ? "planned" : result.message;
};

describe("planList", () => {
  it("turns where and paging into parameters", () => {
    expect(
      planned({ where: "updatedDate>='2026-01-01T00:00:00.000Z'", pageSize: 20 }).given.parameters,
    ).toEqual({
      updated_since: "2026-01-01T00:00:00.000Z",
      page: 1,
      page_size: 20,
    });
    expect(
      planned({ where: "modifiedDateAfter='2017-08-30T19:19:29.123'" }, concur, {}, "reports").given
        .parameters,
    ).toEqual({ modifiedDateAfter: "2017-08-30T19:19:29.123", limit: 100 });
  });

  it.each<[HubQuery, Record<string, string | null>, number]>([
    [{}, {}, 100],
    [{ pageSize: 200 }, {}, 100],
    [{ pageSize: 20 }, {}, 20],
    [{ pageSize: 20 }, { "pagination.max": "10" }, 10],
    [{}, { "pagination.max": "500" }, 100],
    [{ pageSize: 20 }, { "pagination.max": null }, 20],
    [{ pageSize: 20 }, { "pagination.max": "many" }, 20],
    [{ position: { page: 2, size: 30 }, pageSize: 20 }, {}, 30],
  ])(
    "asks for the page size that resource and instance allow: %o %o",
    (query, configuration, size) => {
      expect(planned(query, sandbox, configuration).size).toBe(size);
    },
  );

  it("hands the whole where to a vendor that reads it itself", () => {
    const connector = withResource({ passThrough: "q" });
    expect(planned({ where: "anything ~ goes" }, connector).given.parameters).toMatchObject({
      q: "anything ~ goes",
    });
  });

  it("continues a feed with its cursor alone", () => {
    const connector = withResource({
      list: { method: "POST", path: "/list", body: { recursive: true }, root: "entries" },
      paging: {
        style: "cursor",
        cursorParameter: "cursor",
        cursorPath: "cursor",
        sizeParameter: "limit",
        continuePath: "/list/continue",
      },
      where: { path: { parameter: "path" } },
    });
    const query = { where: "path='/a'", pageSize: 10 };
    expect(planned(query, connector)).toMatchObject({
      operation: { path: "/list", body: { recursive: true } },
      given: { parameters: { path: "/a", limit: 10 } },
    });
    expect(planned({ ...query, position: { cursor: "c" } }, connector)).toMatchObject({
      operation: { method: "POST", path: "/list/continue", query: {}, body: {}, root: "entries" },
      given: { parameters: { cursor: "c" } },
    });
  });

  it.each<[string, HubQuery, string]>([
    [
      "a broken where",
      { where: "updatedDate>=" },
      "Invalid where: expected a value at position 14, found the end",
    ],
    [
      "a field the vendor cannot filter by",
      { where: "name='x'" },
      'Unsupported field "name" in where; it supports "updatedDate" (> >=), joined by AND',
    ],
    [
      "a broken orderBy",
      { orderBy: "a b" },
      'Invalid orderBy: expected the end at position 3, found "b"',
    ],
    [
      "an order the vendor does not give",
      { orderBy: "name asc" },
      `Unsupported orderBy "name"; 'accounts' comes in the vendor's own order`,
    ],
    [
      "a token of another list",
      { position: { cursor: "c" } },
      "nextPage: The token belongs to another list",
    ],
  ])("refuses %s", (_, query, message) => {
    expect(refusal(query)).toBe(message);
  });

  it("refuses a page number where pages follow one another, and unknown resources", () => {
    expect(refusal({ page: 2 }, sandbox, "contacts")).toContain("follow nextPage");
    expect(refusal({}, sandbox, "toString")).toBe("Resource 'toString' cannot be listed");
    expect(refusal({}, withResource({ list: undefined }))).toBe(
      "Resource 'accounts' cannot be listed",
    );
  });
});

describe("readList", () => {
  const headers = new Headers();
  const read = (query: HubQuery, answer: unknown, connector = sandbox) => {
    const page = readList(planned(query, connector), answer, headers);
    return page.ok ? page : page.message;
  };
  const record = (id: string, updatedDate: unknown) => ({ id, name: id, updatedDate });

  it("tells the total when everything is on the first page", () => {
    expect(read({ pageSize: 2 }, { data: [{ id: 1 }] })).toMatchObject({
      ok: true,
      records: [{ id: 1 }],
      next: null,
      total: 1,
    });
    expect(read({ pageSize: 1 }, { data: [{ id: 1 }] })).toMatchObject({
      ok: true,
      records: [{ id: 1 }],
      next: { page: 2, size: 1 },
    });
    expect(read({ page: 2, pageSize: 2 }, { data: [] })).toEqual({
      ok: true,
      records: [],
      ids: [],
      unnamed: 0,
      next: null,
    });
  });

  it("holds records against a bound that the vendor reads as inclusive", () => {
    const data = [
      record("before", "2026-01-01T00:00:00.000Z"),
      record("equal", "2026-01-01T01:00:00.5+01:00"),
      record("after", "2026-01-01T00:00:00.501Z"),
      record("unread", "yesterday"),
      record("absent", undefined),
    ];
    const ids = (operator: string) => {
      const page = read(
        { where: `updatedDate${operator}'2026-01-01T00:00:00.500Z'`, pageSize: 5 },
        { data },
      );
      return typeof page === "string" ? page : page.records.map((it) => (it as { id: string }).id);
    };
    expect(ids(">")).toEqual(["after", "unread", "absent"]);
    expect(ids(">=")).toEqual(["equal", "after", "unread", "absent"]);
  });

  it("counts records for paging before it filters them", () => {
    const where = "updatedDate>'2026-01-01T00:00:00.000Z'";
    expect(
      read({ where, pageSize: 1 }, { data: [record("x", "2026-01-01T00:00:00.000Z")] }),
    ).toMatchObject({ ids: ["x"], unnamed: 0, ok: true, records: [], next: { page: 2, size: 1 } });
  });

  it("gives the fields asked for", () => {
    expect(read({ fields: "id, name" }, { data: [record("x", "2026")] })).toMatchObject({
      records: [{ id: "x", name: "x" }],
    });
  });

  it.each<[string, unknown, unknown]>([
    ["data", { data: null }, []],
    ["data", { message: "Maintenance" }, "The answer has no list at 'data'"],
    ["data", { data: {} }, "The answer has no list at 'data'"],
    ["data", undefined, []],
    ["", undefined, []],
    ["QueryResponse.Invoice", undefined, []],
    ["data", null, "The answer has no list at 'data'"],
    ["QueryResponse.Invoice", { QueryResponse: {} }, []],
    ["QueryResponse.Invoice", { time: "x" }, "The answer has no list at 'QueryResponse.Invoice'"],
    ["", [1], [1]],
    ["", { a: 1 }, "The answer has no list at ''"],
    ["", null, "The answer has no list at ''"],
  ])("at root %j reads %j", (root, answer, expected) => {
    const page = read({}, answer, withResource({ list: { path: "/x", root } }));
    expect(typeof page === "string" ? page : page.records).toEqual(expected);
  });
});
