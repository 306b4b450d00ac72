import { describe, expect, it } from "vitest";
import type { Position } from "../../src/hub/position";
import { parseQuery } from "../../src/hub/query";

const readToken = (token: string): Position | undefined =>
  token === "t" ? { cursor: "c" } : undefined;

describe("parseQuery", () => {
  it("reads every parameter and ignores others", () => {
    expect(
      parseQuery(
        {
          where: "a=1",
          orderBy: "a",
          fields: "a,b",
          pageSize: "200",
          page: "2",
          other: "x",
        },
        readToken,
      ),
    ).toEqual({
      ok: true,
      query: { where: "a=1", orderBy: "a", fields: "a,b", pageSize: 200, page: 2 },
    });
    expect(parseQuery({}, readToken)).toEqual({ ok: true, query: {} });
  });

  it("reads the token of the page before", () => {
    expect(parseQuery({ nextPage: "t" }, readToken)).toEqual({
      ok: true,
      query: { position: { cursor: "c" } },
    });
    expect(parseQuery({ nextPage: "" }, readToken)).toEqual({ ok: true, query: {} });
  });

  it.each<[string, string]>([
    ["pageSize", "0"],
    ["pageSize", "201"],
    ["pageSize", "1.5"],
    ["pageSize", "-1"],
    ["pageSize", ""],
    ["page", "0"],
    ["page", "x"],
    ["nextPage", "?"],
  ])("names %s when it is %j", (field, value) => {
    expect(parseQuery({ [field]: value }, readToken)).toMatchObject({
      ok: false,
      field,
      message: expect.stringContaining(`${field}: `),
    });
  });
});
