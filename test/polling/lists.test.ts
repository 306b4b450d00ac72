import fc from "fast-check";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { emulate, platform, VENDOR } from "../platform";
import { later, told } from "./pitfalls/connect";

/** Lists in numbered pages that shift, tie, repeat and forget, as real servers' lists do. */

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const MINUTE = 60_000;
type Post = { id: number; modified: number; trashed?: boolean; text?: string };
/**
 * `stable`: a list by id stays in its order. `lies`, `liesOfAll`: how many more records the total counts than are listed,
 * of changed ones and of all.
 */
type Manners = {
  tellsTotal: boolean;
  stable: boolean;
  lies: number;
  liesOfAll: number;
  swaps: boolean;
};

const iso = (at: number) => new Date(at).toISOString();
let connectors = 0;

/** A site like WordPress, whose list is by date; among equal dates each answer has an order of its own. */
async function site(manners: Partial<Manners>, deletion?: object) {
  const { tellsTotal = true, stable = true, lies = 0, liesOfAll = 0, swaps = true } = manners;
  const posts = new Map<number, Post>();
  const requests: URLSearchParams[] = [];
  const during: ((page: number) => void)[] = [];
  let salt = 1;
  const mixed = (id: number) => (swaps ? (id * 7_919 * salt) % 1_009 : id);
  emulate(({ query }) => {
    requests.push(query);
    salt += 1;
    const page = Number(query.get("page") ?? 1);
    const size = Number(query.get("per_page") ?? 10);
    const since = Date.parse(query.get("modified_after") ?? "1970-01-01T00:00:00Z");
    const byId = query.get("orderby") === "id" && stable;
    const listed = [...posts.values()]
      .filter(({ modified }) => modified >= since)
      .toSorted((a, b) =>
        byId ? a.id - b.id : a.modified - b.modified || mixed(a.id) - mixed(b.id),
      );
    const body = listed
      .slice((page - 1) * size, page * size)
      .map((post) => ({ ...post, modified: iso(post.modified) }));
    for (const change of during.splice(0)) change(page);
    const total = listed.length + (query.has("modified_after") ? lies : liesOfAll);
    const headers = tellsTotal ? { "x-total": String(total) } : {};
    return { status: 200, body, headers: { ...headers, "content-type": "application/json" } };
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const key = `site-${(connectors += 1)}`;
  const made = await on.call("POST", "/elements", {
    key,
    name: "Site",
    hub: "cms",
    authentication: { type: "apiKey", name: "authorization", configurationKey: "site.token" },
    baseUrl: VENDOR,
    configuration: [{ key: "site.token", name: "Token", type: "PASSWORD" }],
    resources: {
      posts: {
        list: { path: "/posts", query: { orderby: "modified" } },
        paging: {
          style: "page",
          pageParameter: "page",
          sizeParameter: "per_page",
          totalHeader: "x-total",
        },
        maxPageSize: 50,
        idField: "id",
        updatedField: "modified",
        deleted: { field: "trashed", equals: true },
        idOrder: { orderby: "id" },
        where: { modified: { parameter: "modified_after", operators: [">", ">="] } },
      },
    },
    events: { methods: ["polling"], defaultMode: "polling", polling: {} },
  });
  if (made.status !== 200) throw new Error(JSON.stringify(made.body));
  const { status, body } = await on.call("POST", "/instances", {
    element: { key },
    configuration: {
      "site.token": "t",
      "event.notification.enabled": true,
      "event.poller.since": iso(Date.now() - 60 * MINUTE),
      "event.poller.configuration": {
        posts: {
          url: "/hubs/cms/posts?where=modified>='${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'",
          idField: "id",
          pageSize: 50,
          datesConfiguration: { updatedDateField: "modified" },
          ...(deletion === undefined ? {} : { deletion }),
        },
      },
    },
  });
  if (status !== 200) throw new Error(JSON.stringify(body));
  const put = (post: Post) => void posts.set(post.id, post);
  return { id: body.id as number, posts, put, requests, during };
}

const seconds = (at: number) => Math.floor(at / 1000) * 1000;
const reportOf = async (id: number) => (await on.poll(id)).body;
const idsTold = async (id: number) => new Set((await told(on, id)).map(([, , one]) => Number(one)));

describe("a list in numbered pages", () => {
  it("whose records have one date, after a bulk edit of 250, is told whole", async () => {
    const { id, put, requests } = await site({});
    const at = seconds(Date.now() - 5 * MINUTE);
    for (let post = 1; post <= 251; post += 1) put({ id: post, modified: at });
    await reportOf(id);
    expect((await told(on, id)).length).toBe(251);
    expect(await idsTold(id)).toHaveLength(251);
    expect(requests.some((query) => query.get("orderby") === "id")).toBe(true);
  });

  it("that never adds up says so, keeps its cursor, and loses nothing of what comes", async () => {
    const { id, put } = await site({ lies: 1 });
    const at = seconds(Date.now() - 5 * MINUTE);
    for (let post = 1; post <= 60; post += 1) put({ id: post, modified: at });
    const { error } = await reportOf(id);
    expect(error.message).toContain("incomplete: 60 of 61 records were found");
    expect(await idsTold(id)).toHaveLength(60);
    put({ id: 61, modified: at });
    await reportOf(id);
    expect(await idsTold(id)).toHaveLength(61);
    expect(await told(on, id)).toHaveLength(61);
  });

  it("that doesn't tell its total and shows one record on two pages is read again", async () => {
    const { id, put } = await site({ tellsTotal: false });
    const at = seconds(Date.now() - 5 * MINUTE);
    for (let post = 1; post <= 120; post += 1) put({ id: post, modified: at });
    await reportOf(id);
    expect(await idsTold(id)).toHaveLength(120);
  });

  it("loses no record whatever is changed or removed while it is read", async () => {
    const change = fc.record({
      kind: fc.constantFrom("edit", "remove", "add"),
      which: fc.integer({ min: 1, max: 130 }),
      afterPage: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 4 }),
        fc.boolean(),
        async (changes, tellsTotal) => {
          const { id, put, posts, during } = await site({ tellsTotal, swaps: false });
          const at = seconds(Date.now() - 5 * MINUTE);
          for (let post = 1; post <= 130; post += 1) put({ id: post, modified: at + post * 1000 });
          const left = [...changes];
          const disturb = (page: number): void => {
            for (const one of left.splice(0)) {
              if (one.afterPage !== page) left.push(one);
              else if (one.kind === "remove") posts.delete(one.which);
              else if (one.kind === "edit") put({ id: one.which, modified: Date.now() });
              else put({ id: 1_000 + one.which, modified: Date.now() });
            }
            if (left.length > 0) during.push(disturb);
          };
          during.push(disturb);
          await on.poll(id);
          await on.poll(id);
          const seen = await idsTold(id);
          expect([...posts.keys()].filter((post) => !seen.has(post))).toEqual([]);
        },
      ),
      { numRuns: 5 },
    );
  });
});

describe("a snapshot", () => {
  const snapshot = { strategy: "snapshot", everyMinutes: 1, maxRatio: 1 };
  const OLD = seconds(Date.now() - 600 * MINUTE);

  it.each([
    ["of a list whose order has ties", {}],
    ["of one without a total", { tellsTotal: false }],
    ["of one that has no order by id", { stable: false }],
    ["of one that has neither", { stable: false, tellsTotal: false }],
    ["of one whose total counts what it never shows", { liesOfAll: 2 }],
  ])("%s tells no living record as deleted", async (_, manners) => {
    const { id, put } = await site(manners, snapshot);
    for (let post = 1; post <= 160; post += 1) put({ id: post, modified: OLD });
    for (let polls = 0; polls < 4; polls += 1) {
      await on.poll(id);
      later(61_000);
    }
    expect(await told(on, id)).toEqual([]);
  });

  it("takes no record for deleted that slips to another page while it is read", async () => {
    const { id, put, posts, during } = await site({ tellsTotal: false, swaps: false }, snapshot);
    for (let post = 1; post <= 160; post += 1) put({ id: post, modified: OLD + post * 1000 });
    await on.poll(id);
    later(61_000);
    during.push(
      () => undefined,
      () => posts.delete(3),
    );
    await on.poll(id);
    later(61_000);
    await on.poll(id);
    expect(await told(on, id)).toEqual([["DELETED", "posts", "3"]]);
  });

  it("says why it concludes nothing", async () => {
    const { id, put, posts } = await site({ liesOfAll: 3 }, snapshot);
    for (let post = 1; post <= 60; post += 1) put({ id: post, modified: OLD });
    await on.poll(id);
    posts.delete(7);
    later(61_000);
    const { error } = await reportOf(id);
    expect(error.message).toContain("incomplete: 59 of 62 records were found");
  });
});

describe("a deletion", () => {
  const snapshot = { strategy: "snapshot", everyMinutes: 1, maxRatio: 1 };

  it("seen by a field and by a snapshot is told once, and a record that is back is created once", async () => {
    const { id, put, posts } = await site({}, snapshot);
    const old = seconds(Date.now() - 600 * MINUTE);
    for (let post = 1; post <= 5; post += 1) put({ id: post, modified: old });
    const pollLater = async () => {
      await on.poll(id);
      later(61_000);
    };
    await pollLater();
    put({ id: 2, modified: seconds(Date.now()), trashed: true });
    await pollLater();
    await pollLater();
    posts.delete(2);
    await pollLater();
    await pollLater();
    expect(await told(on, id)).toEqual([["DELETED", "posts", "2"]]);
    put({ id: 2, modified: seconds(Date.now()) });
    await pollLater();
    await pollLater();
    put({ id: 2, modified: seconds(Date.now()), text: "edited" });
    await pollLater();
    expect((await told(on, id)).map(([type]) => type)).toEqual(["DELETED", "CREATED", "UPDATED"]);
    posts.delete(2);
    await pollLater();
    put({ id: 2, modified: old });
    await pollLater();
    await pollLater();
    expect((await told(on, id)).map(([type]) => type)).toEqual([
      "DELETED",
      "CREATED",
      "UPDATED",
      "DELETED",
      "CREATED",
    ]);
  });

  it("is told once although the deleted record is dated anew", async () => {
    const { id, put } = await site({});
    put({ id: 1, modified: seconds(Date.now()), trashed: true });
    await on.poll(id);
    later(MINUTE);
    put({ id: 1, modified: seconds(Date.now()), trashed: true, text: "purged soon" });
    await on.poll(id);
    expect(await told(on, id)).toEqual([["DELETED", "posts", "1"]]);
  });
});

describe("two versions in one instant of the vendor's clock", () => {
  it.each([
    ["a second", 1000],
    ["a minute", MINUTE],
  ])("of %s are two events, each told once", async (_, unit) => {
    const { id, put } = await site({});
    const at = Math.floor((Date.now() - MINUTE) / unit) * unit;
    put({ id: 1, modified: at, text: "first" });
    await on.poll(id);
    await on.poll(id);
    put({ id: 1, modified: at, text: "second" });
    await on.poll(id);
    await on.poll(id);
    expect(await told(on, id)).toHaveLength(2);
  });

  it("of a millisecond are one", async () => {
    const { id, put } = await site({});
    const at = seconds(Date.now() - MINUTE) + 7;
    put({ id: 1, modified: at, text: "first" });
    await on.poll(id);
    put({ id: 1, modified: at, text: "second" });
    await on.poll(id);
    expect(await told(on, id)).toHaveLength(1);
  });
});
