import { beforeAll, describe, expect, it } from "vitest";
import { connector } from "../accounts/things";
import { call, callV1, create, createOrganizations, draft, MINE } from "./build";

beforeAll(createOrganizations);

const FILTER = "event.notification.filter";
const TRANSFORM = "event.notification.transform";
const SECRET = "event.notification.webhook.secret";
const key = (bytes: number, fill = 7): string =>
  `whsec_${Buffer.alloc(bytes, fill).toString("base64")}`;

/** All doors that set a configuration value of an instance: the status, and what the error names. */
async function throughEveryDoor(name: string, value: unknown) {
  const { id } = await create();
  const change = { configuration: { [name]: value } };
  const answers = [
    await call("POST", "/instances", draft({ [name]: value })),
    await call("POST", "/elements/sandbox/instances", draft({ [name]: value })),
    await call("PATCH", `/instances/${id}`, change),
    await call("PUT", `/instances/${id}`, change),
    await call("PATCH", `/elements/sandbox/instances/${id}`, change),
    await call("PATCH", `/instances/${id}/configuration/${name}`, { propertyValue: value }),
  ];
  const named = answers.map(({ body }) => String(body?.message).startsWith(`${name}: `));
  return { id, statuses: answers.map(({ status }) => status), named };
}

describe("a configuration value", () => {
  it.each<[string, unknown]>([
    [FILTER, "objectType ="],
    [FILTER, "("],
    [FILTER, "data.name ~> /(a+/"],
    [FILTER, "$random() > 0.5"],
    [FILTER, `"${"x".repeat(20_000)}"`],
    [TRANSFORM, "{"],
    [TRANSFORM, '{"at": $now()}'],
    [TRANSFORM, "$eval('1')"],
    [TRANSFORM, "[1..100000000]"],
    [SECRET, "secret"],
    [SECRET, "whsec_"],
    [SECRET, key(23)],
    [SECRET, key(65)],
    [SECRET, key(25).replace(/=+$/, "")],
    [SECRET, key(25).replace(/..==$/, "B9==")],
    [SECRET, `${key(24)}\n`],
    [SECRET, `whsec_${"-_".repeat(20)}`],
    ["event.poller.refresh_interval", "1e1"],
    ["event.poller.refresh_interval", "0x10"],
    ["pagination.max", "+5"],
    ["pagination.max", "5.0"],
  ])("that is wrong is refused at every door: %s %s", async (name, value) => {
    const { statuses, named } = await throughEveryDoor(name, value);
    expect({ statuses, named }).toEqual({
      statuses: Array.from({ length: 6 }, () => 400),
      named: Array.from({ length: 6 }, () => true),
    });
  });

  it.each<[string, unknown]>([
    [FILTER, 'objectType = "accounts"'],
    [TRANSFORM, '{"id": id}'],
    [SECRET, key(24)],
    [SECRET, key(25)],
    [SECRET, key(64, 255)],
  ])("that is right is taken at every door: %s %s", async (name, value) => {
    const { statuses } = await throughEveryDoor(name, value);
    expect(statuses).toEqual(Array.from({ length: 6 }, () => 200));
  });

  it.each<[string, string]>([
    ["filter", "("],
    ["transform", "$now()"],
  ])("is checked as PATCH /v1/destinations checks it: %s", async (name, value) => {
    const { id } = await create();
    const { status } = await callV1("PATCH", `/destinations/instance-${id}`, MINE, {
      [name]: value,
    });
    expect(status).toBe(400);
  });
});

describe("an unknown configuration key", () => {
  it.each<[string, string | undefined]>([
    ["event.vendor.typ", "event.vendor.type"],
    ["event.vendor.tpye", "event.vendor.type"],
    ["Event.Vendor.Type", "event.vendor.type"],
    ["event.notification.callback.ur", "event.notification.callback.url"],
    ["event_notification_enabled", "event.notification.enabled"],
    ["event.poller.refreshinterval", "event.poller.refresh_interval"],
    ["sandbox.api.keys", "sandbox.api.key"],
    ["paginaton.max", "pagination.max"],
    ["my.notes", undefined],
    ["x", undefined],
    ["constructor", undefined],
    ["é".repeat(5_000), undefined],
  ])("comes back as a warning: %s", async (name, meant) => {
    const made = await call("POST", "/instances", draft({ [name]: "v" }));
    const [warning] = made.body.warnings;
    expect(made.body.warnings).toHaveLength(1);
    expect(warning).toContain(name.slice(0, 150));
    expect(warning.length).toBeLessThan(400);
    expect(warning.includes("did you mean")).toBe(meant !== undefined);
    if (meant !== undefined) expect(warning).toContain(`'${meant}'`);
    const path = `/instances/${made.body.id}`;
    const change = { configuration: { [name]: "w" } };
    expect((await call("PATCH", path, change)).body.warnings).toEqual(made.body.warnings);
    expect((await call("GET", path)).body).not.toHaveProperty("warnings");
    expect((await call("PATCH", path, { name: "Other" })).body).not.toHaveProperty("warnings");
  });

  it("is told of no key that something reads, and of twenty unknown ones at most", async () => {
    const known = { "event.vendor.token": "t", "oauth.user.token": "t", "authentication.type": "" };
    expect(await create(known)).not.toHaveProperty("warnings");
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`my.key.${at}`, "v"]));
    const { warnings } = await create(many);
    expect(warnings).toHaveLength(21);
    expect(warnings.at(-1)).toContain("280 more");
  });
});

describe("a secret that a connector redeclares as plain text", () => {
  it.each([
    "password",
    "oauth.api.secret",
    "oauth.user.token",
    "oauth.user.refresh_token",
    "event.vendor.signature.key",
    "event.vendor.signature.key.secondary",
    "event.notification.signature.key",
    "event.notification.basic.password",
    "event.notification.webhook.secret",
    "my.client_secret",
    "api.Token",
    "DB_PASSWORD",
  ])("stays masked: %s", async (name) => {
    const value = name === SECRET ? key(32) : "canary-value";
    const declared = {
      ...connector(),
      configuration: [
        { key: "own.token", name: "Token", type: "PASSWORD" },
        { key: name, name: "Plain", type: "TEXTFIELD_128", defaultValue: "canary-default" },
      ],
    };
    const elementKey = declared.key;
    expect((await call("POST", "/elements", declared)).status).toBe(200);
    const configuration = { "own.token": "t", [name]: value };
    const made = await call("POST", "/instances", { element: { key: elementKey }, configuration });
    expect(made.status).toBe(200);
    const { id } = made.body;
    const shown = [
      made.body,
      (await call("GET", `/instances/${id}`)).body,
      (await call("GET", `/instances/${id}/configuration`)).body,
      (await call("GET", `/instances/${id}/configuration/${name}`)).body,
      (await call("GET", `/elements/${elementKey}`)).body,
      (await call("GET", `/elements/${elementKey}/configuration`)).body,
    ];
    expect(JSON.stringify(shown)).not.toMatch(/canary/);
    expect(JSON.stringify(shown)).not.toContain(key(32));
    expect(shown[1].configuration[name]).toBe("********");
    const back = { configuration: { [name]: "********" } };
    expect((await call("PATCH", `/instances/${id}`, back)).status).toBe(200);
    expect((await call("GET", `/instances/${id}`)).body.configuration[name]).toBe("********");
  });
});
