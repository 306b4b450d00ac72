import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concur } from "../../src/connectors/concur";
import { sandbox } from "../../src/connectors/sandbox";
import { mapWhere } from "../../src/hub/conditions";
import { OPERATORS, parseOrderBy, parseWhere } from "../../src/hub/where";
import type { Expression, Operator, Value } from "../../src/hub/where";

const string = (text: string): Value => ({ kind: "string", text });
const bare = (text: string): Value => ({ kind: "bare", text });
const number = (text: string): Value => ({ kind: "number", text });
const compare = (field: string, operator: Operator, value: Value): Expression => ({
  kind: "compare",
  field,
  operator,
  value,
});
const [a, b, c] = ["a", "b", "c"].map((field) => compare(field, "=", number("1"))) as [
  Expression,
  Expression,
  Expression,
];

const parsed = (text: string) => {
  const result = parseWhere(text);
  if (!result.ok) throw new Error(result.message);
  return result.expression;
};

describe("parseWhere", () => {
  it.each<[string, Expression]>([
    ["Name LIKE 'Acc%'", { kind: "like", field: "Name", pattern: "Acc%" }],
    [
      "LastModifiedDate>'2018-01-15T00:00:00.000Z' AND (Name='A' OR Industry='B')",
      {
        kind: "and",
        parts: [
          compare("LastModifiedDate", ">", string("2018-01-15T00:00:00.000Z")),
          {
            kind: "or",
            parts: [compare("Name", "=", string("A")), compare("Industry", "=", string("B"))],
          },
        ],
      },
    ],
    [
      "`metaData.lastUpdateTime`>2015-01-06T09:31:38-07:00",
      compare("metaData.lastUpdateTime", ">", bare("2015-01-06T09:31:38-07:00")),
    ],
    [
      "modifiedDateAfter='2017-08-30T19:19:29.123'",
      compare("modifiedDateAfter", "=", string("2017-08-30T19:19:29.123")),
    ],
    ["a IS NOT NULL", { kind: "null", field: "a", not: true }],
  ])("reads the reference's example %s", (text, expression) => {
    expect(parsed(text)).toEqual(expression);
  });

  it.each<[string, string, Expression]>([
    [
      "AND binds tighter than OR",
      "a=1 OR b=1 AND c=1",
      { kind: "or", parts: [a, { kind: "and", parts: [b, c] }] },
    ],
    [
      "parentheses bind first",
      "(a=1 OR b=1) AND c=1",
      { kind: "and", parts: [{ kind: "or", parts: [a, b] }, c] },
    ],
    ["nested conjunctions are one", "a=1 AND (b=1 AND (c=1))", { kind: "and", parts: [a, b, c] }],
    [
      "keywords in any case",
      "a=1 aNd b is nOt null",
      { kind: "and", parts: [a, { kind: "null", field: "b", not: true }] },
    ],
    ["two quotes are one", "Name='O''Brien'", compare("Name", "=", string("O'Brien"))],
    ["empty text", "Name=''", compare("Name", "=", string(""))],
    ["quoted keywords are text", "Name='a AND b'", compare("Name", "=", string("a AND b"))],
    ["keywords as fields in backticks", "`or`=1", compare("or", "=", number("1"))],
    ["fields with blanks in backticks", "`First name`=1", compare("First name", "=", number("1"))],
    [
      "dotted fields",
      "properties.last_modified>=-1.5e3",
      compare("properties.last_modified", ">=", number("-1.5e3")),
    ],
    [
      "digits beyond 2^53 survive",
      "id=12345678901234567890",
      compare("id", "=", number("12345678901234567890")),
    ],
    ["leading zeros are no number", "zip=01234", compare("zip", "=", bare("01234"))],
    ["booleans", "deleted!=TRUE", compare("deleted", "!=", { kind: "boolean", text: "true" })],
    ["blanks anywhere", " a\t<=\n x ", compare("a", "<=", bare("x"))],
    [
      "lists",
      "Stage IN ('won', lost,3)",
      { kind: "in", field: "Stage", values: [string("won"), bare("lost"), number("3")] },
    ],
    [
      "three conditions of a delivery search",
      "channel='webhook' and status='queued' and config.url='https://x.example/?a=b'",
      {
        kind: "and",
        parts: [
          compare("channel", "=", string("webhook")),
          compare("status", "=", string("queued")),
          compare("config.url", "=", string("https://x.example/?a=b")),
        ],
      },
    ],
  ])("%s: %s", (_, text, expression) => {
    expect(parsed(text)).toEqual(expression);
  });

  it.each([...OPERATORS])("compares with %s with and without blanks", (operator) => {
    expect(parsed(`a${operator}1`)).toEqual(compare("a", operator, number("1")));
    expect(parsed(`a ${operator} 1`)).toEqual(compare("a", operator, number("1")));
  });

  it.each([
    ["", "expected a field at position 1, found the end"],
    ["  ", "expected a field at position 3, found the end"],
    ["a", "expected =, !=, <, >, <=, >=, LIKE, IN or IS at position 2, found the end"],
    ["a=", "expected a value at position 3, found the end"],
    ["a==1", 'expected a value at position 3, found "="'],
    ["a = AND b=1", 'expected a value at position 5, found "AND"'],
    ["a=null", 'expected a value at position 3, found "null"'],
    ["a=1 b=2", 'expected AND, OR or the end at position 5, found "b"'],
    ["a=1 AND", "expected a field at position 8, found the end"],
    ["AND=1", 'expected a field at position 1, found "AND"'],
    ["1a=1", 'expected a field at position 1, found "1a"'],
    ["a..b=1", 'expected a field at position 1, found "a..b"'],
    ["(a=1", 'expected AND, OR or ")" at position 5, found the end'],
    ["a=1)", 'expected AND, OR or the end at position 4, found ")"'],
    ["a='x", 'expected text closed by a single quote at position 3, found "\'x"'],
    ["`a=1", 'expected a field closed by a backtick at position 1, found "`a=1"'],
    ['a="x"', 'expected text in single quotes at position 3, found ""x""'],
    ["a!1", 'expected != at position 2, found "!1"'],
    ["a NOT LIKE 'x'", 'expected =, !=, <, >, <=, >=, LIKE, IN or IS at position 3, found "NOT"'],
    ["a LIKE x", 'expected text in single quotes at position 8, found "x"'],
    ["a IN 1", 'expected "(" at position 6, found "1"'],
    ["a IN ()", 'expected a value at position 7, found ")"'],
    ["a IN (1 2)", 'expected "," or ")" at position 9, found "2"'],
    ["a IS 1", 'expected NULL or NOT NULL at position 6, found "1"'],
    [`a=${"x".repeat(50)}'`, 'expected text closed by a single quote at position 53, found "\'"'],
    [
      `a ${"x".repeat(50)}`,
      `expected =, !=, <, >, <=, >=, LIKE, IN or IS at position 3, found "${"x".repeat(40)}…"`,
    ],
    [`${"(".repeat(51)}a=1`, 'expected at most 50 nested parentheses at position 51, found "("'],
  ])("refuses %j", (text, message) => {
    expect(parseWhere(text)).toEqual({ ok: false, message: `Invalid where: ${message}` });
  });

  it("never throws on arbitrary text", () => {
    const fragment = fc.constantFrom(
      "a",
      "'",
      "''",
      "`",
      "(",
      ")",
      "=",
      "<",
      ">",
      "!",
      ",",
      " ",
      "AND",
      "IS",
      "IN",
      "'x'",
      "\u0000",
    );
    const soup = fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join(" "));
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      soup,
      fc.constantFrom("(".repeat(100_000), "'".repeat(100_001)),
    );
    fc.assert(
      fc.property(
        text,
        (it) => typeof parseWhere(it).ok === "boolean" && typeof parseOrderBy(it).ok === "boolean",
      ),
    );
  });

  it("reads back every printed expression", () => {
    fc.assert(
      fc.property(expressions(3), (expression) => {
        expect(parsed(print(expression))).toEqual(expression);
      }),
    );
  });
});

describe("mapWhere", () => {
  const map = (text: string, resource = concur.resources.reports!) =>
    mapWhere(parsed(text), resource);

  it("turns a conjunction of comparisons into request parameters", () => {
    expect(
      map("modifiedDateAfter='2017-08-30T19:19:29.123' and approvalStatusCode='A_PEND'"),
    ).toEqual({
      ok: true,
      parameters: { modifiedDateAfter: "2017-08-30T19:19:29.123", approvalStatusCode: "A_PEND" },
    });
  });

  it.each([">", ">="])("maps both %s to the sandbox's inclusive updated_since", (operator) => {
    expect(
      map(`updatedDate${operator}'2026-11-01T00:00:00.000Z'`, sandbox.resources.accounts!),
    ).toEqual({
      ok: true,
      parameters: { updated_since: "2026-11-01T00:00:00.000Z" },
    });
  });

  it.each([
    ["modifiedDateAfter='2026-11-20T12:00:00.000'", { lastModifiedDateAfter: "2026-11-19" }],
    ["lastModifiedDateAfter='2026-11-20'", { lastModifiedDateAfter: "2026-11-19" }],
    ["createDateBefore='2026-12-31T23:59:59'", { createDateBefore: "2027-01-01" }],
  ])("asks a vendor of whole days for one more: %s", (text, parameters) => {
    expect(map(text, concur.resources.invoices)).toEqual({ ok: true, parameters });
  });

  it("asks nothing where the vendor has no such filter, but for a date that can be read", () => {
    const entries = concur.resources.entries!;
    const where = "modifiedDateAfter='2026-11-20T12:00:00.000' AND reportID='R'";
    expect(map(where, entries)).toEqual({ ok: true, parameters: { reportID: "R" } });
    expect(map("modifiedDateAfter='yesterday'", entries)).toMatchObject({
      ok: false,
      message: expect.stringContaining('Unsupported date "yesterday" of "modifiedDateAfter"'),
    });
  });

  const supports = 'in where; it supports "updatedDate" (> >=), joined by AND';
  it.each([
    ["name='x'", `Unsupported field "name" ${supports}`],
    ["constructor='x'", `Unsupported field "constructor" ${supports}`],
    ["updatedDate<'x'", `Unsupported operator "<" of "updatedDate" ${supports}`],
    ["updatedDate LIKE 'x'", `Unsupported operator "LIKE" of "updatedDate" ${supports}`],
    ["updatedDate IN (1)", `Unsupported operator "IN" of "updatedDate" ${supports}`],
    ["updatedDate IS NOT NULL", `Unsupported operator "IS NOT NULL" of "updatedDate" ${supports}`],
    ["updatedDate>1 OR name=1", `Unsupported OR of "updatedDate", "name" ${supports}`],
    ["updatedDate>1 AND updatedDate>=2", 'Repeated condition on "updatedDate" in where'],
  ])("refuses %s", (text, message) => {
    expect(map(text, sandbox.resources.accounts!)).toEqual({ ok: false, message });
  });

  it("says so when a resource supports no conditions", () => {
    expect(mapWhere(a, { where: {} })).toEqual({
      ok: false,
      message: 'Unsupported field "a" in where; it supports no conditions',
    });
  });
});

describe("parseOrderBy", () => {
  it.each([
    ["Name", "Name", "asc"],
    ["Name asc", "Name", "asc"],
    [" metaData.createTime  DESC ", "metaData.createTime", "desc"],
    ["`First name` desc", "First name", "desc"],
  ])("reads %j", (text, field, direction) => {
    expect(parseOrderBy(text)).toEqual({ ok: true, orderBy: { field, direction } });
  });

  it.each([
    ["", "expected a field at position 1, found the end"],
    ["Name up", 'expected the end at position 6, found "up"'],
    ["Name asc desc", 'expected the end at position 10, found "desc"'],
    ["'Name'", "expected a field at position 1, found \"'Name'\""],
  ])("refuses %j", (text, message) => {
    expect(parseOrderBy(text)).toEqual({ ok: false, message: `Invalid orderBy: ${message}` });
  });
});

function print(expression: Expression): string {
  switch (expression.kind) {
    case "and":
    case "or":
      return expression.parts
        .map((part) => ("parts" in part ? `(${print(part)})` : print(part)))
        .join(` ${expression.kind.toUpperCase()} `);
    case "compare":
      return `${printField(expression.field)} ${expression.operator} ${printValue(expression.value)}`;
    case "like":
      return `${printField(expression.field)} LIKE ${printValue(string(expression.pattern))}`;
    case "in":
      return `${printField(expression.field)} IN (${expression.values.map(printValue).join(", ")})`;
    case "null":
      return `${printField(expression.field)} IS ${expression.not ? "NOT " : ""}NULL`;
  }
}

const printField = (field: string) => (/^x[a-z.]*$/.test(field) ? field : `\`${field}\``);
const printValue = ({ kind, text }: Value) =>
  kind === "string" ? `'${text.replaceAll("'", "''")}'` : text;

function expressions(depth: number, outer?: "and" | "or"): fc.Arbitrary<Expression> {
  const field = fc.oneof(
    fc.constantFrom("x", "xy.xz", "AND", "First name"),
    fc.string({ unit: "binary", minLength: 1 }).filter((text) => !text.includes("`")),
  );
  const value: fc.Arbitrary<Value> = fc.oneof(
    fc.string({ unit: "binary" }).map(string),
    fc.bigInt().map((it) => number(String(it))),
    fc.boolean().map((it): Value => ({ kind: "boolean", text: String(it) })),
    fc.date({ noInvalidDate: true }).map((it) => bare(it.toISOString())),
  );
  const condition = fc.oneof(
    fc.record({
      kind: fc.constant("compare"),
      field,
      operator: fc.constantFrom(...OPERATORS),
      value,
    }),
    fc.record({ kind: fc.constant("like"), field, pattern: fc.string() }),
    fc.record({
      kind: fc.constant("in"),
      field,
      values: fc.array(value, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant("null"), field, not: fc.boolean() }),
  ) as fc.Arbitrary<Expression>;
  if (depth === 0) return condition;
  const kinds = (["and", "or"] as const).filter((kind) => kind !== outer);
  const joined = kinds.map((kind) =>
    fc
      .array(expressions(depth - 1, kind), { minLength: 2, maxLength: 3 })
      .map((parts): Expression => ({ kind, parts })),
  );
  return fc.oneof(condition, ...joined);
}
