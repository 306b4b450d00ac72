import { createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { emulate, platform, stored, VENDOR } from "../../platform";
import type { Answer, Incoming } from "../../vendors/server";
import directus from "./described/directus.json";
import gitea from "./described/gitea.json";
import github from "./described/github.json";
import stripe from "./described/stripe.json";
import wordpress from "./described/wordpress.json";

/** Five vendors that need no code: each is a file of data, as an organization would post it. */

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);
afterEach(() => vi.unstubAllGlobals());

const HOUR = 3_600_000;
const AT = Math.floor((Date.now() - HOUR) / 1000) * 1000;
const iso = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;
const hmac = (encoding: "hex" | "base64", key: string, text: string) =>
  createHmac("sha256", key).update(text).digest(encoding);
const SECRET = "the-webhook-secret";

/** A list of counted pages, with its total where the vendor tells it. */
const counted =
  (records: object[], position: (query: URLSearchParams) => [from: number, size: number]) =>
  (query: URLSearchParams) => {
    const [from, size] = position(query);
    return records.slice(from, from + size);
  };

type Case = {
  name: string;
  definition: { key: string; [member: string]: unknown };
  configuration: Record<string, string>;
  authorization: string;
  resource: string;
  /** The first request of a list. */
  listed: string;
  /** What the vendor answers to it, with what follows. */
  sample: { answer: unknown; headers?: Record<string, string> };
  next: unknown;
  vendor: (request: Incoming) => Answer;
  /** What a poll tells. */
  polled: [eventType: string, objectId: string][];
  /** As the vendor posts it. */
  delivery: { body: object; headers: Record<string, string> };
  /** Its own scheme; none where it does not sign and an instance's token stands in. */
  sign?: (body: string) => Record<string, string>;
  told: { objectType: string; objectId: string; eventType: string }[];
};

const posts = [1, 2, 3].map((id) => ({
  id,
  modified_gmt: new Date(AT).toISOString().slice(0, 19),
  date_gmt: new Date(id === 2 ? AT - HOUR : AT).toISOString().slice(0, 19),
}));
const issues = [1, 2].map((number) => ({
  number,
  updated_at: iso(AT),
  created_at: iso(number === 2 ? AT - HOUR : AT),
}));
const articles = [1, 2, 3, 4].map((id) => ({
  id,
  date_updated: new Date(AT + 250).toISOString(),
  date_created: new Date(AT - id * HOUR).toISOString(),
}));
const stripeSigned = (body: string) => {
  const at = Math.floor(Date.now() / 1000);
  return { "stripe-signature": `t=${at},v1=${hmac("hex", SECRET, `${at}.${body}`)},v0=00` };
};
const customers = ["cus_1", "cus_2", "cus_3"].map((id) => ({ id, created: AT / 1000 }));

const cases: Case[] = [
  {
    name: "WordPress",
    definition: wordpress,
    configuration: { "wordpress.address": VENDOR, username: "anna", password: "app pass word" },
    authorization: `Basic ${btoa("anna:app pass word")}`,
    resource: "posts",
    listed:
      "/wp-json/wp/v2/posts?context=edit&status=publish%2Cfuture%2Cdraft%2Cpending%2Cprivate%2Ctrash&orderby=id&order=asc&page=1&per_page=100",
    sample: { answer: posts, headers: { "x-wp-total": "103" } },
    next: null,
    vendor: ({ path, query }) => {
      if (path === "/wp-json/wp/v2/comments")
        return { status: 200, headers: { "x-wp-total": "0" }, body: [] };
      if (path !== "/wp-json/wp/v2/posts") return { status: 404, body: {} };
      // Without a zone it would be the site's own.
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(query.get("modified_after") ?? ""))
        return { status: 400, body: { code: "rest_invalid_param" } };
      const [page, size] = [Number(query.get("page")), Number(query.get("per_page"))];
      // A page behind the last one is an error, not an empty list.
      if ((page - 1) * size >= posts.length)
        return { status: 400, body: { code: "rest_post_invalid_page_number" } };
      return {
        status: 200,
        headers: { "x-wp-total": String(posts.length), "x-wp-totalpages": "1" },
        body: posts.slice((page - 1) * size, page * size),
      };
    },
    polled: [
      ["CREATED", "1"],
      ["UPDATED", "2"],
      ["CREATED", "3"],
    ],
    delivery: {
      body: { id: 77, name: "Cup", date_modified_gmt: "2026-11-01T10:00:00" },
      headers: {
        "x-wc-webhook-resource": "product",
        "x-wc-webhook-event": "updated",
        "x-wc-webhook-delivery-id": "9",
      },
    },
    sign: (body) => ({ "x-wc-webhook-signature": hmac("base64", SECRET, body) }),
    told: [{ objectType: "products", objectId: "77", eventType: "UPDATED" }],
  },
  {
    name: "GitHub",
    definition: github,
    configuration: { "github.token": "t", "github.repository": "o/r", "base.url": VENDOR },
    authorization: "Bearer t",
    resource: "pulls",
    listed: "/repos/o/r/pulls?state=all&sort=updated&direction=desc&per_page=100",
    sample: {
      answer: issues,
      headers: { link: '<https://api.github.com/repos/o/r/pulls?page=2>; rel="next"' },
    },
    next: { url: "https://api.github.com/repos/o/r/pulls?page=2" },
    vendor: ({ path }) =>
      path === "/repos/o/r/pulls" ? { status: 200, body: issues } : { status: 404, body: {} },
    polled: [
      ["CREATED", "1"],
      ["UPDATED", "2"],
    ],
    delivery: {
      body: {
        action: "opened",
        number: 9,
        pull_request: { updated_at: iso(AT) },
        repository: { full_name: "o/r" },
      },
      headers: { "x-github-event": "pull_request", "x-github-delivery": "d9" },
    },
    sign: (body) => ({ "x-hub-signature-256": `sha256=${hmac("hex", SECRET, body)}` }),
    told: [{ objectType: "pulls", objectId: "9", eventType: "CREATED" }],
  },
  {
    name: "Gitea",
    definition: gitea,
    configuration: {
      "gitea.token": "t",
      "gitea.address": VENDOR,
      "gitea.repository": "o/r",
    },
    authorization: "token t",
    resource: "issues",
    listed: "/api/v1/repos/o/r/issues?state=all&type=issues&page=1&limit=50",
    sample: { answer: issues, headers: { "x-total-count": "2" } },
    next: null,
    vendor: ({ path, query }) => {
      if (path !== "/api/v1/repos/o/r/issues") return { status: 404, body: {} };
      if (query.get("since")?.endsWith("Z") !== true) return { status: 422, body: {} };
      const cut = counted(issues, (one) => [
        (Number(one.get("page")) - 1) * Number(one.get("limit")),
        Number(one.get("limit")),
      ]);
      return { status: 200, headers: { "x-total-count": "2" }, body: cut(query) };
    },
    polled: [
      ["CREATED", "1"],
      ["UPDATED", "2"],
    ],
    delivery: {
      body: { action: "closed", issue: { number: 5, updated_at: iso(AT) } },
      headers: { "x-gitea-event": "issues", "x-gitea-delivery": "d5" },
    },
    sign: (body) => ({ "x-gitea-signature": hmac("hex", SECRET, body) }),
    told: [{ objectType: "issues", objectId: "5", eventType: "UPDATED" }],
  },
  {
    name: "Stripe",
    definition: stripe,
    configuration: { "stripe.key": "sk", "base.url": VENDOR },
    authorization: "Bearer sk",
    resource: "customers",
    listed: "/v1/customers?limit=100",
    sample: { answer: { object: "list", data: customers, has_more: true } },
    next: { cursor: "cus_3" },
    vendor: ({ path, query }) => {
      if (path !== "/v1/customers") return { status: 404, body: {} };
      if (!/^\d{10}$/.test(query.get("created[gte]") ?? "")) return { status: 400, body: {} };
      const after = customers.findIndex(({ id }) => id === query.get("starting_after"));
      const data = customers.slice(after + 1, after + 3);
      return {
        status: 200,
        body: { object: "list", data, has_more: after + 3 < customers.length },
      };
    },
    polled: [
      ["CREATED", "cus_1"],
      ["CREATED", "cus_2"],
      ["CREATED", "cus_3"],
    ],
    delivery: {
      body: {
        id: "evt_1",
        type: "customer.deleted",
        created: AT / 1000,
        account: "acct_1",
        data: { object: { object: "customer", id: "cus_9" } },
      },
      headers: {},
    },
    sign: stripeSigned,
    told: [{ objectType: "customers", objectId: "cus_9", eventType: "DELETED" }],
  },
  {
    name: "Directus",
    definition: directus,
    configuration: { "directus.token": "t", "directus.address": VENDOR },
    authorization: "Bearer t",
    resource: "items/articles",
    listed: "/items/articles?sort=date_updated&meta=filter_count&limit=100",
    sample: { answer: { data: articles, meta: { filter_count: 4 } } },
    next: null,
    vendor: ({ path, query }) => {
      if (path !== "/items/articles") return { status: 403, body: { errors: [] } };
      const since = Date.parse(query.get("filter[date_updated][_gte]") ?? "");
      if (Number.isNaN(since)) return { status: 400, body: { errors: [] } };
      const cut = counted(articles, (one) => [
        Number(one.get("offset") ?? 0),
        Number(one.get("limit")),
      ]);
      return { status: 200, body: { data: cut(query), meta: { filter_count: articles.length } } };
    },
    polled: articles.map(({ id }) => ["UPDATED", String(id)]),
    delivery: {
      body: { event: "items.delete", collection: "articles", keys: [7, 8] },
      headers: {},
    },
    told: [
      { objectType: "items/articles", objectId: "7", eventType: "DELETED" },
      { objectType: "items/articles", objectId: "8", eventType: "DELETED" },
    ],
  },
];

describe.each(cases)("$name, described as data", (one) => {
  beforeAll(async () => {
    const made = await on.call("POST", "/elements", one.definition);
    expect(made.status, JSON.stringify(made.body)).toBe(200);
  });

  it("says by a dry run what it would ask, the records and events of a sample, and the page after it", async () => {
    const { status, body } = await on.call("POST", "/elements/test", {
      definition: one.definition,
      configuration: one.configuration,
      resource: one.resource,
      sample: one.sample,
      webhook: one.delivery,
    });
    expect(status, JSON.stringify(body)).toBe(200);
    const url = new URL(body.request.url);
    expect(`${url.pathname}${url.search}`).toBe(one.listed);
    expect(body.records.length).toBeGreaterThan(1);
    expect(body.next).toEqual(one.next);
    expect(body.webhook.changes).toMatchObject(one.told);
  });

  it("is polled, page after page, each change told once", async () => {
    emulate((request) =>
      request.headers["authorization"] === one.authorization
        ? one.vendor(request)
        : { status: 401, body: {} },
    );
    const { id } = await on.instance(one.definition.key, {
      ...one.configuration,
      "event.vendor.type": "polling",
      "event.poller.since": new Date(AT - 2 * HOUR).toISOString(),
    });
    const polled = await on.poll(id);
    const errors = polled.body.resources.map(({ error }: any) => error);
    expect(new Set(errors), JSON.stringify(polled.body)).toEqual(new Set([null]));
    await on.poll(id);
    const events = await stored(on, id);
    expect(events.map(({ eventType, objectId }) => [eventType, objectId])).toEqual(one.polled);
  });

  it("takes a webhook in the vendor's own scheme, and refuses one that is not the vendor's", async () => {
    const instance = await on.instance(one.definition.key, {
      ...one.configuration,
      ...(one.sign === undefined ? {} : { "event.vendor.signature.key": SECRET }),
    });
    const path = `/events/${one.definition.key}/${btoa(String(instance.id))}`;
    const body = JSON.stringify(one.delivery.body);
    const token = instance.configuration["event.vendor.token"] ?? "";
    const send = async (text: string, proof: Record<string, string>, query = `?token=${token}`) => {
      const address = one.sign === undefined ? `${path}${query}` : path;
      return (await on.deliver(address, text, { ...one.delivery.headers, ...proof })).status;
    };
    const proof = one.sign?.(body) ?? {};
    if (one.sign === undefined) expect(await send(body, {}, "?token=wrong")).toBe(401);
    else expect(await send(`${body} `, proof)).toBe(401);
    expect(await send(body, {}, "")).toBe(401);
    expect(await stored(on, instance.id)).toEqual([]);
    expect(await send(body, proof)).toBe(200);
    expect(await send(body, proof)).toBe(200);
    expect(await stored(on, instance.id)).toMatchObject(one.told);
  });
});

it("Stripe polled and with webhooks: what no list shows, changes and other types, is the webhook's to tell", async () => {
  emulate(() => ({ status: 200, body: { object: "list", data: [], has_more: false } }));
  const { id } = await on.instance("our-stripe", {
    "stripe.key": "sk",
    "base.url": VENDOR,
    "event.vendor.signature.key": SECRET,
    "event.vendor.type": "polling,webhook",
  });
  const told = (type: string, objectId: string) =>
    JSON.stringify({
      id: `evt_${objectId}`,
      type,
      created: AT / 1000,
      data: { object: { object: type.split(".")[0], id: objectId } },
    });
  for (const body of [
    told("customer.created", "cus_1"),
    told("customer.updated", "cus_2"),
    told("invoice.created", "in_1"),
  ])
    expect(
      (await on.deliver(`/events/our-stripe/${btoa(String(id))}`, body, stripeSigned(body))).status,
    ).toBe(200);
  expect(await stored(on, id)).toMatchObject([
    { objectType: "customers", objectId: "cus_2", eventType: "UPDATED" },
    { objectType: "invoices", objectId: "in_1", eventType: "CREATED" },
  ]);
});

describe("an app-wide address of a connector that an organization made", () => {
  const send = (id: number, body: string, headers: Record<string, string> = {}) =>
    on.deliver(`/events/${id}`, body, {
      "x-github-event": "pull_request",
      "x-github-delivery": "wide",
      ...headers,
    });
  const signed = (body: string) => ({
    "x-hub-signature-256": `sha256=${hmac("hex", SECRET, body)}`,
  });
  const pull = (repository: string) =>
    JSON.stringify({ action: "opened", number: 1, repository: { full_name: repository } });

  it("is its id, and routes by what the payload names", async () => {
    const definition = { ...github, key: "wide-github" };
    const { body: connector } = await on.call("POST", "/elements", definition);
    const at = (repository: string) =>
      on.instance("wide-github", {
        "github.token": "t",
        "github.repository": repository,
        "event.vendor.signature.key": SECRET,
      });
    const [one, two] = [await at("o/one"), await at("o/two")];
    const body = pull("o/two");
    expect((await send(connector.id, body)).status).toBe(401);
    expect((await send(connector.id, body, signed(body))).status).toBe(200);
    expect(await stored(on, one.id)).toEqual([]);
    expect(await stored(on, two.id)).toMatchObject([{ objectType: "pulls", objectId: "1" }]);
    const nobody = pull("o/three");
    expect((await send(connector.id, nobody, signed(nobody))).status).toBe(200);
  });

  it("is nobody's under the key, which another organization may have too", async () => {
    const body = pull("o/one");
    const { status } = await on.deliver("/events/wide-github", body, signed(body));
    expect(status).toBe(404);
    expect((await send(9_999_999, body, signed(body))).status).toBe(404);
  });

  it("follows a definition that routes by something else from now on", async () => {
    const definition = { ...github, key: "moved-github" };
    const { body: connector } = await on.call("POST", "/elements", definition);
    const { id } = await on.instance("moved-github", {
      "github.token": "t",
      "github.repository": "o/moved",
      "event.vendor.signature.key": SECRET,
      "github.owner": "the-owner",
    });
    const moved = {
      ...definition,
      webhook: {
        ...github.webhook,
        route: { tenants: [{ path: "organization.login" }], equals: ["github.owner"] },
      },
    };
    expect((await on.call("PUT", "/elements/moved-github", moved)).status).toBe(200);
    const body = JSON.stringify({
      action: "opened",
      number: 3,
      repository: { full_name: "o/moved" },
      organization: { login: "the-owner" },
    });
    expect((await send(connector.id, body, signed(body))).status).toBe(200);
    await expect.poll(() => stored(on, id)).toHaveLength(1);
  });
});
