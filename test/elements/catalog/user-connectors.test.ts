import { createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ownOrganization } from "../../organization";
import { emulate, platform, stored, VENDOR } from "../../platform";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);
afterEach(() => vi.unstubAllGlobals());

const DATES = {
  updatedDateField: "updated_at",
  updatedDateFormat: "yyyy-MM-dd'T'HH:mm:ssXXX",
  createdDateField: "created_at",
  createdDateFormat: "yyyy-MM-dd'T'HH:mm:ssXXX",
};

/** Gitea, as somebody would describe it. */
const gitea = (key: string) => ({
  key,
  name: "Gitea",
  hub: "helpdesk",
  authentication: {
    type: "apiKey",
    name: "Authorization",
    prefix: "token ",
    configurationKey: "gitea.token",
  },
  baseUrl: "${gitea.address}/api/v1",
  configuration: [
    { key: "gitea.token", name: "Token", type: "PASSWORD" },
    { key: "gitea.address", name: "Address", type: "TEXTFIELD_128" },
    { key: "gitea.repository", name: "Repository", type: "TEXTFIELD_128" },
  ],
  resources: {
    issues: {
      list: { path: "/repos/${gitea.repository}/issues", query: { state: "all", type: "issues" } },
      get: { path: "/repos/${gitea.repository}/issues/{id}" },
      paging: { style: "page", pageParameter: "page", sizeParameter: "limit" },
      maxPageSize: 2,
      idField: "number",
      updatedField: "updated_at",
      createdField: "created_at",
      where: { updated_at: { parameter: "since", operators: [">", ">="] } },
    },
  },
  events: {
    methods: ["polling", "webhook"],
    defaultMode: "polling",
    polling: {
      issues: {
        url: "/hubs/helpdesk/issues?where=updated_at>='${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'",
        idField: "number",
        datesConfiguration: DATES,
      },
    },
  },
  webhook: {
    signatures: [{ header: "x-gitea-signature", encoding: "hex" }],
    extraction: {
      by: "paths",
      objectType: { value: "issues" },
      objectId: { path: "issue.number" },
      eventType: { path: "action", map: { opened: "CREATED" }, otherwise: "UPDATED" },
      date: { path: "issue.updated_at" },
      version: { header: "x-gitea-delivery" },
    },
  },
});

/** Stripe: signed pairs in one header, events by JSONata. */
const stripe = {
  key: "stripe",
  name: "Stripe",
  hub: "finance",
  authentication: {
    type: "apiKey",
    name: "Authorization",
    prefix: "Bearer ",
    configurationKey: "stripe.key",
  },
  baseUrl: "https://api.stripe.com",
  configuration: [{ key: "stripe.key", name: "Key", type: "PASSWORD" }],
  resources: {
    customers: {
      list: { path: "/v1/customers", root: "data" },
      paging: {
        style: "cursor",
        cursorParameter: "starting_after",
        cursorPath: "next",
        morePath: "has_more",
        sizeParameter: "limit",
      },
      idField: "id",
    },
  },
  events: { methods: ["webhook"], defaultMode: "webhook" },
  webhook: {
    signatures: [
      {
        header: "stripe-signature",
        encoding: "hex",
        pairs: { signature: "v1", timestamp: "t" },
        content: "${timestamp}.${body}",
        timestamp: { unit: "s", maxAgeSeconds: 300 },
      },
    ],
    extraction: {
      by: "jsonata",
      expression:
        '{"objectType": data.object.object & "s", "objectId": data.object.id, "version": id, "date": $string(created * 1000), "eventType": $contains(type, "deleted") ? "DELETED" : $contains(type, "created") ? "CREATED" : "UPDATED"}',
    },
  },
};

const issue = (number: number, at: number, created = at) => ({
  number,
  updated_at: `${new Date(at).toISOString().slice(0, 19)}Z`,
  created_at: `${new Date(created).toISOString().slice(0, 19)}Z`,
});

describe("a connector that an organization describes", () => {
  it("is polled, and takes webhooks, like a built-in one", async () => {
    expect((await on.call("POST", "/elements", gitea("gitea"))).status).toBe(200);
    const at = Date.now() - 3_600_000;
    const issues = [issue(1, at), issue(2, at, at - 60_000), issue(3, at)];
    emulate(({ path, query, headers }) => {
      if (headers["authorization"] !== "token t") return { status: 401, body: {} };
      expect(path).toBe("/api/v1/repos/a/b/issues");
      expect(query.get("since")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const [page, limit] = [Number(query.get("page")), Number(query.get("limit"))];
      return { status: 200, body: issues.slice((page - 1) * limit, page * limit) };
    });
    const { id } = await on.instance("gitea", {
      "gitea.token": "t",
      "gitea.address": VENDOR,
      "gitea.repository": "a/b",
      "event.vendor.type": "polling",
      "event.poller.since": new Date(at - 86_400_000).toISOString(),
    });
    const polled = await on.poll(id);
    expect(polled.status, JSON.stringify(polled.body)).toBe(200);
    expect((await stored(on, id)).map(({ objectId, eventType }) => [objectId, eventType])).toEqual([
      ["1", "CREATED"],
      ["2", "UPDATED"],
      ["3", "CREATED"],
    ]);
    const hook = await on.instance("gitea", {
      "gitea.token": "t",
      "gitea.address": VENDOR,
      "gitea.repository": "a/b",
      "event.vendor.signature.key": "shared",
    });
    const body = JSON.stringify({ action: "opened", issue: issue(9, at) });
    const signature = createHmac("sha256", "shared").update(body).digest("hex");
    const path = `/events/gitea/${btoa(String(hook.id))}`;
    const headers = { "x-gitea-signature": signature, "x-gitea-delivery": "d1" };
    expect((await on.deliver(path, body, headers)).status).toBe(200);
    expect((await on.deliver(path, `${body} `, headers)).status).toBe(401);
    expect(await stored(on, hook.id)).toMatchObject([{ objectId: "9", eventType: "CREATED" }]);
  });

  it("says by a dry run what it would ask and read, and asks nobody", async () => {
    const { paths } = emulate(() => ({ status: 500 }));
    const { status, body } = await on.call("POST", "/elements/test", {
      definition: gitea("gitea-test"),
      configuration: {
        "gitea.address": VENDOR,
        "gitea.repository": "a/b",
        "gitea.token": "secret",
      },
      where: "updated_at>'2026-01-01T00:00:00Z'",
      sample: { answer: [issue(1, Date.parse("2026-02-01T00:00:00Z")), issue(2, 0)] },
      webhook: {
        body: { action: "closed", issue: issue(5, 0) },
        headers: { "x-gitea-delivery": "d" },
      },
    });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.request).toEqual({
      method: "GET",
      url: `${VENDOR}/api/v1/repos/a/b/issues?state=all&type=issues&since=2026-01-01T00%3A00%3A00Z&page=1&limit=2`,
      headers: { Authorization: "token ********" },
    });
    expect(body.events).toEqual([
      {
        objectType: "issues",
        objectId: "1",
        eventType: "CREATED",
        date: "2026-02-01T00:00:00.000Z",
      },
    ]);
    expect(body.next).toEqual({ page: 2, size: 2 });
    expect(body.webhook.changes).toMatchObject([
      { objectType: "issues", objectId: "5", eventType: "UPDATED", version: "d" },
    ]);
    expect(JSON.stringify(body)).not.toContain("secret");
    expect(paths).toEqual([]);
  });

  it("reads Stripe's signature and events without code", async () => {
    expect((await on.call("POST", "/elements", stripe)).status).toBe(200);
    const { id } = await on.instance("stripe", { "event.vendor.signature.key": "whsec" });
    const created = Math.floor(Date.now() / 1000);
    const body = JSON.stringify({
      id: "evt_1",
      type: "customer.created",
      created,
      data: { object: { object: "customer", id: "cus_1" } },
    });
    const sign = (at: number) =>
      `t=${at},v1=${createHmac("sha256", "whsec").update(`${at}.${body}`).digest("hex")}`;
    const path = `/events/stripe/${btoa(String(id))}`;
    const send = (at: number) => on.deliver(path, body, { "stripe-signature": sign(at) });
    expect((await send(created - 400)).status).toBe(401);
    expect((await send(created)).status).toBe(200);
    expect(await stored(on, id)).toMatchObject([
      { objectType: "customers", objectId: "cus_1", eventType: "CREATED", date: created * 1000 },
    ]);
  });

  it("can be changed and deleted, but not while it has instances", async () => {
    const made = await on.call("POST", "/elements", gitea("gitea-2"));
    expect(made.body.id).toBeGreaterThan(999_999);
    expect((await on.call("POST", "/elements", gitea("gitea-2"))).status).toBe(409);
    const renamed = { ...gitea("gitea-2"), name: "Our Gitea" };
    expect((await on.call("PUT", "/elements/gitea-2", renamed)).body.name).toBe("Our Gitea");
    expect((await on.call("GET", `/elements/${made.body.id}`)).body.name).toBe("Our Gitea");
    expect((await on.call("GET", "/elements/keys")).body).toContain("gitea-2");
    const { id } = await on.instance("gitea-2", { "event.vendor.type": "webhook" });
    expect((await on.call("DELETE", "/elements/gitea-2")).status).toBe(409);
    await on.call("DELETE", `/instances/${id}`);
    expect((await on.call("DELETE", "/elements/gitea-2")).status).toBe(200);
    expect((await on.call("GET", "/elements/gitea-2")).status).toBe(404);
  });

  it("is private to its organization", async () => {
    await on.call("POST", "/elements", gitea("gitea-3"));
    const headers = { authorization: (await ownOrganization()).authorization };
    for (const [method, path, body] of [
      ["GET", "/elements/gitea-3", undefined],
      ["PUT", "/elements/gitea-3", gitea("gitea-3")],
      ["DELETE", "/elements/gitea-3", undefined],
    ] as const)
      expect((await on.call(method, path, body, headers)).status).toBe(404);
    expect((await on.call("GET", "/elements/keys", undefined, headers)).body).not.toContain(
      "gitea-3",
    );
    const made = await on.call("POST", "/instances", { element: { key: "gitea-3" } }, headers);
    expect(made.status).toBe(400);
    // The same key is free there.
    expect((await on.call("POST", "/elements", gitea("gitea-3"), headers)).status).toBe(200);
  });

  it("is shown as it was stored, its credentials masked, and takes back what it showed", async () => {
    const key = "gitea-shown";
    const given = { ...gitea(key), headers: { "x-api-key": "the-header-secret", accept: "a/b" } };
    expect((await on.call("POST", "/elements", given)).status).toBe(200);
    const { body } = await on.call("GET", `/elements/${key}`);
    expect(body.definition).toMatchObject({
      ...gitea(key),
      headers: { "x-api-key": "********", accept: "a/b" },
    });
    expect(JSON.stringify(body)).not.toContain("the-header-secret");
    const again = await on.call("PUT", `/elements/${key}`, { ...body.definition, name: "Other" });
    expect(again.status).toBe(200);
    const { definition } = (await on.call("GET", `/elements/${key}`)).body;
    expect(definition).toEqual({ ...body.definition, name: "Other" });
    expect((await on.call("GET", "/elements/box")).body.definition).toBeUndefined();
  });

  it("leaves built-in ones as they are", async () => {
    expect((await on.call("PUT", "/elements/box", gitea("box"))).status).toBe(403);
    expect((await on.call("DELETE", "/elements/box")).status).toBe(403);
    expect((await on.call("POST", "/elements", gitea("box"))).status).toBe(409);
  });

  it.each([
    [{ key: "Bad Key" }, "key"],
    [{ unknown: 1 }, "unknown"],
    [{ authentication: { type: "magic" } }, "authentication.type"],
    [
      { authentication: { type: "apiKey", name: "X", configurationKey: "gitea.address" } },
      "authentication.configurationKey",
    ],
    [
      { resources: { issues: { idField: "id", paging: { style: "spiral" } } } },
      "resources.issues.paging.style",
    ],
    [{ events: { methods: ["polling"], defaultMode: "polling", feed: "box" } }, "events.feed"],
    [
      {
        events: {
          methods: ["polling"],
          defaultMode: "polling",
          polling: { issues: { idField: "id" } },
        },
      },
      "events.polling.issues.url",
    ],
    [
      {
        webhook: {
          signatures: [{ header: "X-Upper", encoding: "hex" }],
          extraction: stripe.webhook.extraction,
        },
      },
      "webhook.signatures.0.header",
    ],
    [{ webhook: { extraction: { by: "parser", parser: "box" } } }, "webhook.extraction.by"],
    [{ webhook: { extraction: { by: "jsonata", expression: "{(" } } }, "webhook.extraction"],
  ])("is refused with the path of what is wrong: %j", async (change, path) => {
    const { status, body } = await on.call("POST", "/elements", { ...gitea("wrong"), ...change });
    expect(status).toBe(400);
    expect(body.message).toContain(path);
  });
});
