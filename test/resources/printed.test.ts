import { beforeEach, describe, expect, it } from "vitest";
import { type Client, freshClient, logOf, takeCallbacks, V1 } from "./build";
import * as printed from "./printed";

/** The documents of the reference and of the page the product was conceived from, posted as they stand. */

const posts = takeCallbacks();
const ALPHA = "/apis/management/v1alpha1";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/;
const HEX = /^[0-9a-f]{32}$/;
const like = (pattern: RegExp) => expect.stringMatching(pattern);

let client: Client;
beforeEach(async () => {
  client = await freshClient();
});

/** The audit that every resource has, and nothing beside. */
const audit = {
  createTimestamp: like(TIME),
  createUserId: like(/./),
  modifyTimestamp: like(TIME),
  modifyUserId: like(/./),
};

const delivered = async (type: string, name: string): Promise<any> => {
  const mine = () =>
    posts
      .map(({ text }) => JSON.parse(text))
      .find(
        (event) =>
          event.organization?.id === String(client.organizationId) &&
          event.type === type &&
          event.payload?.name === name,
      );
  await expect.poll(mine).toBeDefined();
  return mine();
};

describe("the reference's", () => {
  it("resource is taken as printed and answered as printed, its own ids and times aside", async () => {
    const { metadata } = await client.make(`${V1}/environments`, { name: "axway" });
    const path = `${V1}/environments/axway/apiservices`;
    const made = await client.make(path, printed.envelope);
    const wanted = JSON.parse(printed.envelope);
    const expected = {
      ...wanted,
      metadata: {
        ...wanted.metadata,
        id: like(HEX),
        audit,
        scope: { ...wanted.metadata.scope, id: metadata.id },
      },
    };
    expect(made).toEqual(expected);
    expect((await client.call("GET", `${path}/test`)).body).toEqual(expected);
    const put = await client.call("PUT", `${path}/test`, printed.envelope);
    expected.metadata.resourceVersion = "1";
    expect([put.status, put.body]).toEqual([200, expected]);
  });

  it("error has the printed members, its status a number", async () => {
    const { status, body } = await client.call("POST", `${V1}/environments`, { name: "Not valid" });
    const [wanted] = JSON.parse(printed.errorBody).errors;
    const text = expect.any(String);
    expect([status, body]).toEqual([
      400,
      {
        errors: [
          {
            ...wanted,
            meta: {
              regexp: like(/^\^\[a-z0-9\]/),
              instanceId: text,
              tenantId: String(client.organizationId),
              authenticatedUserId: text,
              transactionId: like(UUID),
            },
          },
        ],
      },
    ]);
    expect(Object.keys(body.errors[0].meta).toSorted()).toEqual(
      Object.keys(wanted.meta).toSorted(),
    );
  });

  it("group, definition and command line are what discovery answers", async () => {
    const root = "/apis/definitions/v1alpha1/groups";
    const group = JSON.parse(printed.resourceGroup);
    const shown = {
      ...group,
      metadata: {
        ...group.metadata,
        id: like(HEX),
        audit: { createTimestamp: like(TIME), modifyTimestamp: like(TIME) },
        resourceVersion: like(/^\d+$/),
      },
    };
    const { body: groups } = await client.call("GET", `${root}?pageSize=50`);
    expect(groups[0]).toEqual(shown);
    const listed = async (path: string, name: string) => {
      const { body } = await client.call("GET", `${root}/management/${path}?pageSize=50`);
      return body.find((one: any) => one.name === name);
    };
    /** With every envelope and metadata key of the group. */
    const inGroup = (text: string) => {
      const own = JSON.parse(text);
      return {
        ...shown,
        ...own,
        title: like(/./),
        metadata: {
          ...shown.metadata,
          ...own.metadata,
          scope: expect.objectContaining({ kind: "ResourceGroup", name: "management" }),
        },
      };
    };
    const definition = await listed("resources", "webhook-environment");
    expect(definition).toEqual(inGroup(printed.resourceDefinition));
    expect(definition.metadata.scope).toEqual({
      ...JSON.parse(printed.resourceDefinition).metadata.scope,
      id: groups[0].metadata.id,
    });
    const line = inGroup(printed.commandLine);
    const { columns } = line.spec;
    expect(await listed("commandlines", "environment")).toEqual({
      ...line,
      spec: { ...line.spec, columns: expect.arrayContaining(columns) },
    });
  });

  it("invocation has the printed members, and metadata only with a subresource", async () => {
    await client.make(`${V1}/webhooks`, {
      name: "w",
      spec: { url: "http://127.0.0.1:9/printed-w" },
    });
    await client.make(`${V1}/resourcehooks`, {
      name: "h",
      spec: {
        triggers: [
          { group: "*", kind: "Environment", name: "*", type: ["created", "updated", "deleted"] },
        ],
        webhooks: ["w"],
      },
    });
    await client.make(`${V1}/environments`, { name: "told", title: "Told" });
    const { body: payload } = await client.call("PUT", `${V1}/environments/told/x-approval`, {
      "x-approval": { ok: true },
    });
    const { metadata, ...common } = JSON.parse(printed.invocation);
    const expected = {
      ...common,
      id: like(UUID),
      time: like(TIME),
      correlationId: like(UUID),
      organization: { id: String(client.organizationId) },
    };
    expect(await delivered("SubResourceUpdated", "told")).toEqual({
      ...expected,
      metadata: { ...metadata, subresource: "x-approval" },
      payload,
    });
    expect(await delivered("ResourceCreated", "told")).toEqual({
      ...expected,
      type: "ResourceCreated",
      payload: expect.objectContaining({ kind: "Environment", name: "told" }),
    });
  });

  it("log entry has the printed members and no more than an invocation beside", async () => {
    const filter = { group: "*", kind: "APIService", name: "*", type: ["created"] };
    await client.make(`${V1}/watchtopics`, { name: "t", spec: { filters: [filter] } });
    await client.make(`${V1}/environments`, { name: "e" });
    await client.make(`${V1}/environments/e/apiservices`, { name: "svc" });
    const { body } = await client.call(
      "GET",
      "/events/management/v1/watchtopics/t?sort=sequenceID,ASC&query=sequenceID>0&page=1&pageSize=100",
    );
    const [wanted] = JSON.parse(printed.logEntries);
    const { scope } = wanted.payload.metadata;
    expect(body).toEqual([
      {
        ...wanted,
        id: like(UUID),
        time: like(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/),
        version: "v1",
        product: "AmplifyCentral",
        correlationId: like(UUID),
        organization: { id: String(client.organizationId) },
        payload: {
          ...wanted.payload,
          metadata: {
            ...wanted.payload.metadata,
            id: like(HEX),
            selfLink: "/management/v1/environments/e/apiservices/svc",
            scope: { ...scope, id: like(HEX), selfLink: "/management/v1/environments/e" },
          },
        },
        metadata: {
          ...wanted.metadata,
          watchTopicID: like(HEX),
          sequenceID: expect.any(Number),
        },
      },
    ]);
  });
});

describe("the page's", () => {
  const A = "azure-apiman-service";
  const webhook = {
    group: "management",
    apiVersion: "v1alpha1",
    kind: "Webhook",
    name: "invoke-jira-webhook",
    spec: { url: "http://127.0.0.1:9/printed-jira" },
  };
  beforeEach(async () => {
    await client.make(`${ALPHA}/environments`, { name: A });
    await client.make(`${ALPHA}/integrations`, { name: "tools" });
    await client.make(`${ALPHA}/environments/${A}/webhooks`, webhook);
  });
  const hook = (text: string, path = `${ALPHA}/integrations/tools/resourcehooks`) =>
    client.make(path, text);
  /** How many webhooks the latest change goes to. */
  const told = async () => (await logOf(client)).at(-1).targets.length;

  it("event is what a resource like its own makes", async () => {
    // Only the picture is mended: as printed, no JSON parser reads it.
    const event = JSON.parse(printed.createdEvent.replaceAll(/(?<=[\w=.])\n +(?=[\w.])/g, ""));
    await client.make(`${ALPHA}/environments`, { name: "axway" });
    await client.make(`${ALPHA}/environments/axway/apiservices`, event.payload);
    const { targets, ...made } = (await logOf(client)).at(-1);
    expect(targets).toEqual([]);
    expect(made).toEqual({
      ...event,
      id: like(UUID),
      time: like(TIME),
      correlationId: like(UUID),
      organization: { id: String(client.organizationId) },
      payload: {
        ...event.payload,
        metadata: {
          ...event.payload.metadata,
          id: like(HEX),
          audit,
          scope: { ...event.payload.metadata.scope, id: like(HEX) },
          resourceVersion: "0",
        },
      },
    });
  });

  it("hook for revisions hears of those in its environment, and of no others", async () => {
    const { spec, metadata } = await hook(printed.revisionsHook);
    expect(spec).toEqual(JSON.parse(printed.revisionsHook).spec);
    expect(metadata.warnings).toBeUndefined();
    await client.make(`${ALPHA}/environments`, { name: "other" });
    for (const [name, count] of [
      [A, 1],
      ["other", 0],
    ] as const) {
      const scope = `${ALPHA}/environments/${name}`;
      await client.make(`${scope}/apiservices`, { name: "svc" });
      expect(await told()).toBe(0);
      await client.make(`${scope}/apiservicerevisions`, { name: "r", spec: { apiService: "svc" } });
      expect(await told()).toBe(count);
    }
  });

  it("hook for environments hears of all of them, wherever its webhook stands", async () => {
    const { metadata } = await hook(printed.environmentsHook, `${ALPHA}/resourcehooks`);
    expect(metadata.warnings).toBeUndefined();
    await client.make(`${ALPHA}/environments`, { name: "another" });
    expect(await told()).toBe(1);
    await client.make(`${ALPHA}/environments/another/apiservices`, { name: "svc" });
    expect(await told()).toBe(0);
  });

  it("hook for an environment and its contents hears of both, the contents first when all goes", async () => {
    await hook(printed.contentsHook);
    await client.make(`${ALPHA}/environments/${A}/apiservices`, { name: "svc" });
    expect(await told()).toBe(1);
    await client.call("PUT", `${ALPHA}/environments/${A}`, {});
    expect(await told()).toBe(1);
    await client.make(`${ALPHA}/environments`, { name: "other" });
    expect(await told()).toBe(0);
    await client.call("DELETE", `${ALPHA}/environments/${A}/webhooks/invoke-jira-webhook`);
    await client.make(`${ALPHA}/webhooks`, webhook);
    const { length } = await logOf(client);
    await client.call("DELETE", `${ALPHA}/environments/${A}`);
    const cascade = (await logOf(client)).slice(length);
    expect(cascade.map(({ payload, targets }) => [payload.kind, targets.length])).toEqual([
      ["APIService", 1],
      ["Environment", 1],
    ]);
  });

  it("trigger for a kind hears of it in any group and scope", async () => {
    const spec = `{"triggers":[${printed.anywhereTrigger}],"webhooks":["invoke-jira-webhook"]}`;
    await hook(`{"name":"anywhere","spec":${spec}}`);
    await client.make(`${ALPHA}/environments`, { name: "other" });
    expect(await told()).toBe(0);
    await client.make(`${ALPHA}/environments/other/apiservices`, { name: "svc" });
    expect(await told()).toBe(1);
  });

  it("Secret is taken and masked; the Webhook names another one, and is told so", async () => {
    const scope = `${ALPHA}/environments/${A}`;
    const secret = await client.make(`${scope}/secrets`, printed.secret);
    expect(secret).toMatchObject({
      ...JSON.parse(printed.secret),
      spec: { data: { apikey: "********" } },
    });
    const { spec, metadata } = await client.make(`${scope}/webhooks`, printed.webhookWithSecret);
    expect(spec).toEqual(JSON.parse(printed.webhookWithSecret).spec);
    expect(metadata.warnings).toEqual([
      {
        code: "UnresolvedReference",
        detail: `Secret 'webhooksecret' does not exist in the scope 'Environment/${A}'`,
      },
    ]);
    await client.make(`${scope}/secrets`, {
      ...JSON.parse(printed.secret),
      name: "webhooksecret",
    });
    const { body } = await client.call("GET", `${scope}/webhooks/webhook`);
    expect(body.metadata.warnings).toBeUndefined();
    expect(body.metadata.references).toEqual([
      {
        id: like(HEX),
        group: "management",
        kind: "Secret",
        name: "webhooksecret",
        scopeKind: "Environment",
        scopeName: A,
        selfLink: `/management/v1alpha1/environments/${A}/secrets/webhooksecret`,
        type: "soft",
      },
    ]);
  });
});
