import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Own, ownOrganization } from "../organization";
import { call, create, draft, stubOutside } from "./build";

let own: Own;
let instance: any;

beforeAll(async () => {
  own = await ownOrganization();
  instance = await create({}, {}, own.authorization);
});
afterEach(() => vi.unstubAllGlobals());

const rows = async () => {
  const selects = ["instances", "destinations"].map((table) =>
    env.DB.prepare(`SELECT * FROM ${table} WHERE organization_id = ?`).bind(own.id),
  );
  const counters = env.DB.prepare("SELECT * FROM counters");
  return (await env.DB.batch<object>([...selects, counters])).map(({ results }) => results);
};

/** Asks, expects a refusal in the contract's format, and that nothing was written. */
async function refused(
  [method, path, body]: [method: string, path: string, body: unknown],
  status: number,
  message: string,
): Promise<void> {
  const before = await rows();
  const answer = await call(method, path, body, own.authorization);
  expect(answer.body).toEqual({
    requestId: expect.stringMatching(/^[0-9a-f]{24}$/),
    message: expect.stringContaining(message),
  });
  expect(answer.status).toBe(status);
  expect(await rows()).toEqual(before);
}

const writes = (): [string, string][] => [
  ["POST", "/instances"],
  ["PUT", `/instances/${instance.id}`],
  ["PATCH", `/instances/${instance.id}`],
  ["PATCH", `/instances/${instance.id}/configuration/event.vendor.type`],
  ["PATCH", "/accounts/settings"],
];

describe("promise 9, bad input gets a precise 4xx and nothing is half-written: a body that cannot be read", () => {
  it.each(["{", "[1,", "name=x", '{"name":"a"}}'])("is refused: %s", async (text) => {
    for (const [method, path] of writes())
      await refused([method, path, text], 400, "The body is not valid JSON");
  });

  it("of 9 MB is refused with 429", async () => {
    const body = { ...draft(), name: "x".repeat(9 * 1024 * 1024) };
    for (const [method, path] of writes()) await refused([method, path, body], 429, "larger than");
  });

  it.each(["[]", '"text"', "1", "null", ""])("is refused as it is no object: %s", async (text) => {
    for (const [method, path] of writes()) await refused([method, path, text], 400, "");
  });
});

const resource = { url: "/hubs/crm/accounts", idField: "id" };
const dated = (change: object) => ({ ...resource, datesConfiguration: change });
const poller = (reports: unknown): [string, unknown] => [
  "event.poller.configuration",
  { accounts: reports },
];
const ACCOUNTS = "event.poller.configuration.accounts";

/** Key, value, the key as named, and what is said of it. */
const faults: [...[string, unknown], string, string][] = [
  [...poller({ url: resource.url }), `${ACCOUNTS}.idField`, "Is required"],
  [...poller({ idField: "id" }), `${ACCOUNTS}.url`, "Is required"],
  [...poller({ ...resource, url: "/hubs/crm" }), `${ACCOUNTS}.url`, "names no hub resource"],
  [
    ...poller({ ...resource, url: "/a?where=b='${dateTimeZone:Mars/Base:yyyy}'" }),
    `${ACCOUNTS}.url`,
    "Mars/Base",
  ],
  [...poller({ ...resource, url: "/a?where=b='${moon}'" }), `${ACCOUNTS}.url`, "moon"],
  [
    ...poller(dated({ updatedDateTimezone: "Mars/Base" })),
    `${ACCOUNTS}.datesConfiguration.updatedDateTimezone`,
    'Unknown time zone "Mars/Base"',
  ],
  [
    ...poller(dated({ updatedDateFormat: "yyyy-'T" })),
    `${ACCOUNTS}.datesConfiguration.updatedDateFormat`,
    "",
  ],
  [...poller({ ...resource, pageSize: 0 }), `${ACCOUNTS}.pageSize`, "1 or more"],
  [...poller({ ...resource, pollDelay: "soon" }), `${ACCOUNTS}.pollDelay`, "soon"],
  ["event.poller.configuration", "{", "event.poller.configuration", "Expected a JSON object"],
  ["event.poller.configuration", "[]", "event.poller.configuration", "Expected a JSON object"],
  [
    "event.poller.urls",
    "accounts|/accounts||updatedDate|yyyy-'T",
    "event.poller.urls",
    "updatedDateFormat",
  ],
  ["event.poller.urls", "accounts|moons", "event.poller.urls", "moons"],
  ["event.objects", "accounts,moons", "event.objects", "moons"],
  ["event.poller.refresh_interval", "0", "event.poller.refresh_interval", "'0'"],
  ["event.poller.refresh_interval", "1.5", "event.poller.refresh_interval", "'1.5'"],
  ["event.poller.since", "yesterday", "event.poller.since", "'yesterday'"],
  ["event.vendor.type", "pigeon", "event.vendor.type", "'pigeon'"],
  ["event.notification.enabled", "maybe", "event.notification.enabled", "'maybe'"],
  ["event.notification.type", "email", "event.notification.type", "'email'"],
  ["event.notification.callback.url", "ftp://a.example", "event.notification.callback.url", "ftp"],
  [
    "event.notification.callback.url",
    "https://10.0.0.1/x",
    "event.notification.callback.url",
    "10.0.0.1",
  ],
  ["event.notification.callback.url", "nonsense", "event.notification.callback.url", "nonsense"],
  [
    "event.notification.callback.headers",
    "[1]",
    "event.notification.callback.headers",
    "JSON object",
  ],
  [
    "event.notification.callback.headers",
    { Host: "x" },
    "event.notification.callback.headers",
    "Host",
  ],
  ["event.notification.webhook.secret", "short", "event.notification.webhook.secret", "whsec_"],
  ["event.notification.ordering", "alphabet", "event.notification.ordering", "'alphabet'"],
  ["event.notification.ordering.dead", "wait", "event.notification.ordering.dead", "'wait'"],
  ...["0", "31", "1.5", "exhaust", "-5"].map((value): [string, string, string, string] => [
    "event.notification.deactivate",
    value,
    "event.notification.deactivate",
    `'${value}'`,
  ]),
  ["event.notification.rate", "-1", "event.notification.rate", "'-1'"],
  ["event.notification.retry.schedule", "0,x", "event.notification.retry.schedule", "'0,x'"],
  ["pagination.max", "many", "pagination.max", "'many'"],
  ["filter.response.nulls", "no", "filter.response.nulls", "'no'"],
  ["base.url", "http://169.254.169.254", "base.url", "169.254.169.254"],
];

describe("a configuration with a fault", () => {
  it.each(faults)(
    "%s = %j is refused, naming %s, on every way in; the instance stays as it was",
    async (key, value, named, told) => {
      const changed = { configuration: { [key]: value } };
      await refused(["POST", "/instances", draft({ [key]: value })], 400, `${named}: `);
      await refused(["PUT", `/instances/${instance.id}`, changed], 400, named);
      await refused(["PATCH", `/instances/${instance.id}`, changed], 400, told);
      const path = `/instances/${instance.id}/configuration/${key}`;
      await refused(["PATCH", path, { propertyValue: value }], 400, named);
    },
  );
});

describe("a member with a fault", () => {
  it.each<[object, string]>([
    [{ element: undefined }, "element"],
    [{ element: {} }, "element"],
    [{ element: { key: "nosuch" } }, "Unknown element 'nosuch'"],
    [{ tags: "one" }, "tags"],
    [{ tags: [1] }, "tags.0"],
    [{ name: 7 }, "name"],
    [{ name: "x".repeat(256) }, "name"],
    [{ configuration: [] }, "configuration"],
    [{ providerData: "code" }, "providerData"],
  ])("%j is refused", async (members, named) => {
    await refused(["POST", "/instances", draft({}, members)], 400, named);
  });

  it("is refused before the vendor's code, good for one use, is used up", async () => {
    const sent = stubOutside(() => new Response("{}"));
    const concur = {
      element: { key: "concur" },
      providerData: { code: "once" },
      configuration: {
        "oauth.api.key": "k",
        "oauth.api.secret": "s",
        "event.poller.configuration": { reports: { url: "/hubs/expense/reports" } },
      },
    };
    await refused(["POST", "/instances", concur], 400, "reports.idField");
    const callback = {
      "oauth.api.key": "k",
      "event.notification.callback.url": "https://10.0.0.1",
    };
    await refused(["POST", "/instances", { ...concur, configuration: callback }], 400, "10.0.0.1");
    expect(sent).toEqual([]);
  });
});

it("a vendor that refuses the code is quoted, and no instance is made", async () => {
  stubOutside(() =>
    Response.json({ error: "invalid_grant", error_description: "Used code" }, { status: 400 }),
  );
  const before = await rows();
  const concur = {
    element: { key: "concur" },
    providerData: { code: "used" },
    configuration: { "oauth.api.key": "k", "oauth.api.secret": "s" },
  };
  const { status, body } = await call("POST", "/instances", concur, own.authorization);
  expect(status).toBe(400);
  expect(body).toMatchObject({ requestId: expect.any(String), providerMessage: "Used code" });
  expect(await rows()).toEqual(before);
});
