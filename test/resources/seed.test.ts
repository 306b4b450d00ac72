import { beforeAll, describe, expect, it } from "vitest";
import { type Client, freshClient, logOf, takeCallbacks } from "./build";

/** Documents as the page the product was conceived from prints them. */

const ROOT = "/apis/management/v1alpha1";
const ENVIRONMENT = "azure-apiman-service";
takeCallbacks();

const webhook = {
  group: "management",
  apiVersion: "v1alpha1",
  kind: "Webhook",
  name: "invoke-jira-webhook",
  title: "JIRA approval webhook",
  metadata: { scope: { kind: "Environment", name: ENVIRONMENT } },
  spec: {
    url: "https://webhook.site/9cb87457-04ad-4db4-830f-2da5dc46e0bb",
    enabled: true,
    headers: { "Content-Type": "application/json" },
  },
};

const revisionsHook = {
  group: "management",
  apiVersion: "v1alpha1",
  kind: "ResourceHook",
  name: "apiservicerevisions-hook",
  title: "Monitor API Service Revision changes from 'azure-apiman-service' Environment",
  spec: {
    triggers: [
      {
        group: "management",
        kind: "APIServiceRevision",
        name: "*",
        type: ["updated", "created", "deleted"],
        scope: { kind: "Environment", name: ENVIRONMENT },
      },
    ],
    webhooks: ["invoke-jira-webhook"],
  },
};

const environmentsHook = {
  group: "management",
  apiVersion: "v1alpha1",
  kind: "ResourceHook",
  name: "environments-hook",
  title: "Monitor all Environment resources",
  spec: {
    triggers: [
      {
        group: "management",
        kind: "Environment",
        name: "*",
        type: ["created", "updated", "deleted"],
      },
    ],
    webhooks: ["invoke-jira-webhook"],
  },
};

const anywhere = {
  group: "*",
  scope: { kind: "*", name: "*" },
  kind: "APIService",
  name: "*",
  type: ["created", "updated", "deleted"],
};

let client: Client;

beforeAll(async () => {
  client = await freshClient();
  await client.make(`${ROOT}/environments`, { name: ENVIRONMENT });
  await client.make(`${ROOT}/integrations`, { name: "tools" });
  await client.make(`${ROOT}/environments/${ENVIRONMENT}/webhooks`, webhook);
});

describe("the documents of the page", () => {
  it("warn of nothing: every hook finds the webhook, wherever it stands", async () => {
    const first = await client.make(`${ROOT}/integrations/tools/resourcehooks`, revisionsHook);
    const second = await client.make(`${ROOT}/resourcehooks`, environmentsHook);
    expect([first.metadata.warnings, second.metadata.warnings]).toEqual([undefined, undefined]);
  });

  it("fire for another environment through the only webhook of that name", async () => {
    await client.make(`${ROOT}/environments`, { name: "another" });
    const latest = (await logOf(client)).at(-1);
    expect(latest.targets).toHaveLength(1);
    expect(latest.targets[0].destinationId).toMatch(/^webhook-/);
  });

  it("take the secret and the webhook that names it", async () => {
    const scope = `${ROOT}/environments/${ENVIRONMENT}`;
    await client.make(`${scope}/secrets`, {
      name: "secrettest",
      title: "Axway Environment Test",
      spec: { data: { apikey: "secret" } },
    });
    const { metadata } = await client.make(`${scope}/webhooks`, {
      name: "webhook",
      title: "Webhook to invoke requestbin.com",
      spec: {
        auth: { secret: { name: "secrettest", key: "apikey" } },
        enabled: true,
        url: "https://enveb85y26nv.x.pipedream.net",
      },
    });
    expect(metadata.references).toMatchObject([{ kind: "Secret", name: "secrettest" }]);
    expect(metadata.warnings).toBeUndefined();
  });

  it("take a trigger for any group and scope", async () => {
    await client.make(`${ROOT}/resourcehooks`, {
      name: "anywhere",
      spec: { triggers: [anywhere], webhooks: ["invoke-jira-webhook"] },
    });
    await client.make(`${ROOT}/environments/another/apiservices`, { name: "svc" });
    expect((await logOf(client)).at(-1).targets).toHaveLength(1);
  });
});
