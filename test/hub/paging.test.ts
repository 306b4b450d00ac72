import { describe, expect, it } from "vitest";
import type { Paging } from "../../src/connectors/paging";
import { nextPosition, pageParameters, positionOfPage, totalOf } from "../../src/hub/paging";
import { type Position, samePosition } from "../../src/hub/position";

const none: Paging = { style: "none" };
const page: Paging = { style: "page", pageParameter: "page", sizeParameter: "size", first: 1 };
const fromZero: Paging = { style: "page", pageParameter: "p", first: 0 };
const offset: Paging = { style: "offset", offsetParameter: "skip", sizeParameter: "limit" };
const cursor: Paging = {
  style: "cursor",
  cursorParameter: "after",
  cursorPath: "paging.next.after",
};
const feed: Paging = {
  style: "cursor",
  cursorParameter: "cursor",
  cursorPath: "cursor",
  morePath: "has_more",
  sizeParameter: "limit",
  continuePath: "/list_folder/continue",
};
const nextUrl: Paging = { style: "nextUrl", urlPath: "NextPage", sizeParameter: "limit" };
const linkHeader: Paging = { style: "linkHeader", sizeParameter: "per_page" };

describe("pageParameters", () => {
  it.each<[string, Paging, Position | null, object]>([
    ["nothing where there are no pages", none, null, { parameters: {} }],
    ["the first page by number", page, null, { parameters: { page: 1, size: 50 } }],
    ["a first page that is 0", fromZero, null, { parameters: { p: 0 } }],
    [
      "a later page with the size it was counted with",
      page,
      { page: 3, size: 20 },
      { parameters: { page: 3, size: 20 }, size: 20 },
    ],
    ["no offset at the beginning", offset, null, { parameters: { limit: 50 } }],
    [
      "an offset",
      offset,
      { offset: 40, size: 20 },
      { parameters: { skip: 40, limit: 20 }, size: 20 },
    ],
    ["a cursor", cursor, { cursor: "54" }, { parameters: { after: "54" } }],
    [
      "a continuation with nothing but its cursor",
      feed,
      { cursor: "AAE" },
      { parameters: { cursor: "AAE" }, continuePath: "/list_folder/continue" },
    ],
    [
      "the vendor's own URL",
      nextUrl,
      { url: "https://v.example/x?o=1" },
      { parameters: {}, url: "https://v.example/x?o=1" },
    ],
    ["the size before there is a link", linkHeader, null, { parameters: { per_page: 50 } }],
  ])("gives %s", (_, paging, position, expected) => {
    expect(pageParameters(paging, position, 50)).toEqual({ ok: true, size: 50, ...expected });
  });

  it.each<[Paging, Position]>([
    [none, { cursor: "a" }],
    [page, { offset: 1, size: 1 }],
    [offset, { page: 2, size: 1 }],
    [cursor, { url: "https://v.example" }],
    [nextUrl, { cursor: "a" }],
    [linkHeader, { page: 2, size: 1 }],
  ])("refuses the position of another style: %o %o", (paging, position) => {
    expect(pageParameters(paging, position, 50)).toEqual({
      ok: false,
      message: "nextPage: The token belongs to another list",
    });
  });
});

describe("nextPosition", () => {
  const read = (
    paging: Paging,
    position: Position | null,
    answer: unknown,
    count: number,
    link?: string,
  ) =>
    nextPosition(paging, {
      position,
      size: 20,
      answer,
      headers: new Headers(link === undefined ? {} : { link }),
      count,
      records: [],
    });

  it.each<[string, Paging, Position | null, unknown, number, Position | null]>([
    ["a list without pages", none, null, [], 20, null],
    ["a full page", page, null, {}, 20, { page: 2, size: 20 }],
    ["a later full page", page, { page: 7, size: 20 }, {}, 20, { page: 8, size: 20 }],
    ["a short page", page, { page: 7, size: 20 }, {}, 19, null],
    ["a short page of the vendor's own size", fromZero, null, {}, 7, { page: 1, size: 20 }],
    ["an empty page of the vendor's own size", fromZero, { page: 4, size: 20 }, {}, 0, null],
    ["a full page by offset", offset, { offset: 40, size: 20 }, {}, 20, { offset: 60, size: 20 }],
    ["a short page by offset", offset, null, {}, 3, null],
    ["a cursor", cursor, null, { paging: { next: { after: "54" } } }, 20, { cursor: "54" }],
    [
      "an empty page with a cursor",
      cursor,
      { cursor: "1" },
      { paging: { next: { after: "54" } } },
      0,
      { cursor: "54" },
    ],
    [
      "a cursor that is a number",
      cursor,
      null,
      { paging: { next: { after: 54 } } },
      20,
      { cursor: "54" },
    ],
    ["no cursor", cursor, { cursor: "1" }, { paging: {} }, 20, null],
    [
      "an empty page with the cursor it was asked with",
      cursor,
      { cursor: "54" },
      { paging: { next: { after: "54" } } },
      0,
      null,
    ],
    ["has_more", feed, null, { cursor: "b", has_more: true }, 1, { cursor: "b" }],
    ["no more, with a cursor for later", feed, null, { cursor: "b", has_more: false }, 20, null],
    [
      "a next URL",
      nextUrl,
      null,
      { NextPage: "https://v.example/2" },
      1,
      { url: "https://v.example/2" },
    ],
    ["a next URL that is null", nextUrl, null, { NextPage: null }, 20, null],
  ])("reads %s", (_, paging, position, answer, count, expected) => {
    expect(read(paging, position, answer, count)).toEqual(expected);
  });

  it.each<[string, string | undefined, Position | null]>([
    [
      "the next of several",
      '<https://v.example/1>; rel="prev", <https://v.example/3?a=1,2>; rel="next"',
      { url: "https://v.example/3?a=1,2" },
    ],
    ["an unquoted rel in any case", "</3>; REL=NEXT; title=x", { url: "/3" }],
    ["one of many relations", '</3>; title="a, b"; rel="last next"', { url: "/3" }],
    ["no next", '<https://v.example/1>; rel="first"', null],
    ["no header", undefined, null],
  ])("reads a Link header with %s", (_, link, expected) => {
    expect(read(linkHeader, null, [], 20, link)).toEqual(expected);
  });
});

describe("a vendor that tells how many there are", () => {
  const told = (totals: object, given: object) => ({
    paging: { style: "offset", offsetParameter: "o", sizeParameter: "s", ...totals } as Paging,
    page: {
      position: null,
      size: 20,
      answer: {},
      headers: new Headers(),
      count: 20,
      records: [],
      ...given,
    },
  });

  it.each<[string, ReturnType<typeof told>, Position | null, number | undefined]>([
    [
      "a full page that is the last one",
      told({ totalPath: "meta.count" }, { answer: { meta: { count: 20 } } }),
      null,
      20,
    ],
    [
      "a full page before others",
      told({ totalPath: "meta.count" }, { answer: { meta: { count: 41 } } }),
      { offset: 20, size: 20 },
      41,
    ],
    [
      "a full page that is the last of many",
      told({ totalPath: "t" }, { answer: { t: "60" }, position: { offset: 40, size: 20 } }),
      null,
      60,
    ],
    [
      "a total in a header",
      told({ totalHeader: "x-total" }, { headers: new Headers({ "x-total": "20" }) }),
      null,
      20,
    ],
    [
      "no total where one was expected",
      told({ totalPath: "t" }, { answer: { t: null } }),
      { offset: 20, size: 20 },
      undefined,
    ],
    [
      "a total that is none",
      told({ totalPath: "t" }, { answer: { t: "many" } }),
      { offset: 20, size: 20 },
      undefined,
    ],
  ])("%s", (_, { paging, page }, next, total) => {
    expect(nextPosition(paging, page)).toEqual(next);
    expect(totalOf(paging, page)).toBe(total);
  });

  it("by pages, where a page behind the last one would be an error", () => {
    const paging: Paging = {
      style: "page",
      pageParameter: "page",
      sizeParameter: "per_page",
      first: 1,
      totalHeader: "x-wp-total",
    };
    const page = (number: number) => ({
      position: { page: number, size: 20 },
      size: 20,
      answer: {},
      headers: new Headers({ "x-wp-total": "40" }),
      count: 20,
      records: [],
    });
    expect(nextPosition(paging, { ...page(1), position: null })).toEqual({ page: 2, size: 20 });
    expect(nextPosition(paging, page(2))).toBeNull();
  });

  it("reads a cursor that is a field of the page's last record", () => {
    const paging: Paging = {
      style: "cursor",
      cursorParameter: "starting_after",
      lastField: "id",
      morePath: "has_more",
      sizeParameter: "limit",
    };
    const page = (has_more: boolean, records: object[]) => ({
      position: null,
      size: 2,
      answer: { has_more },
      headers: new Headers(),
      count: records.length,
      records,
    });
    const records = [{ id: "a" }, { id: "b" }];
    expect(nextPosition(paging, page(true, records))).toEqual({ cursor: "b" });
    expect(nextPosition(paging, page(false, records))).toBeNull();
    expect(nextPosition(paging, page(true, []))).toBeNull();
  });
});

describe("positionOfPage", () => {
  it.each<[Paging, number, Position | null]>([
    [page, 1, null],
    [page, 3, { page: 3, size: 20 }],
    [fromZero, 3, { page: 2, size: 20 }],
    [offset, 3, { offset: 40, size: 20 }],
    [cursor, 1, null],
  ])("%o: page %i begins at %o", (paging, number, position) => {
    expect(positionOfPage(paging, number, 20)).toEqual({ ok: true, position });
  });

  it("refuses a number where pages are only reached one after the other", () => {
    expect(positionOfPage(cursor, 2, 20)).toEqual({
      ok: false,
      message: "page: '2' cannot be reached by number here; follow nextPage",
    });
  });
});

describe("samePosition", () => {
  it.each<[Position | null, Position | null, boolean]>([
    [{ cursor: "a" }, { cursor: "a" }, true],
    [{ page: 2, size: 5 }, { size: 5, page: 2 } as Position, true],
    [{ cursor: "a" }, { cursor: "b" }, false],
    [{ cursor: "a" }, { url: "a" }, false],
    [null, { cursor: "a" }, false],
    [null, null, false],
  ])("%o and %o: %s", (a, b, same) => {
    expect(samePosition(a, b)).toBe(same);
  });
});
