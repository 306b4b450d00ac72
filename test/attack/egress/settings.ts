import { connector, type Things } from "../../accounts/things.ts";
import { step } from "../../flows/components.ts";

/** A setting that takes a URL: how it is set. */
export type Setting = (things: Things, url: string) => Promise<{ status: number; body: any }>;

export const webhookFlow = (url: string) => ({
  W: { type: "appmixer.utils.http.Webhook", source: {} },
  P: {
    ...step(),
    source: { in: { W: ["out"] } },
    config: {
      transform: { in: { W: { out: { type: "json2new", modifiers: {}, lambda: { url } } } } },
    },
  },
});

/** An instance without a callback. */
let silent: Promise<{ id: number }> | undefined;

const instance =
  (key: string): Setting =>
  (things, url) =>
    things.elements("POST", "/instances", things.world.draft({ [key]: url }));

const own =
  (change: (url: string) => object): Setting =>
  (things, url) =>
    things.elements("POST", "/elements", { ...connector(), ...change(url) });

export const SETTINGS: Record<string, Setting> = {
  "an instance's callback": instance("event.notification.callback.url"),
  "an instance's base.url": instance("base.url"),
  "an instance's oauth.base.url": instance("oauth.base.url"),
  "a changed callback": async (things, url) => {
    const { id } = await things.instance();
    const path = `/instances/${id}/configuration/event.notification.callback.url`;
    return things.elements("PATCH", path, { propertyValue: url });
  },
  "a subscription": async (things, url) => {
    silent ??= things.create({ "event.notification.callback.url": undefined });
    return things.elements("POST", "/notifications/subscriptions", {
      channel: "webhook",
      topics: [`instance-${(await silent).id}-sandbox-events`],
      config: { url },
    });
  },
  "a Webhook resource": async (things, url) => {
    const scope = `management/v1alpha1/environments/${await things.environment()}/webhooks`;
    return things.apis("POST", scope, { name: `w-${crypto.randomUUID()}`, spec: { url } });
  },
  "an endpoint": (things, url) => things.v1("POST", "/destinations", { url }),
  "what an endpoint's token is asked of": (things, url) =>
    things.v1("POST", "/destinations", {
      url: "https://app.example/hook",
      auth: { type: "oauth2", tokenUrl: url, clientId: "a", clientSecret: "b" },
    }),
  "the operations callback": (things, url) =>
    things.v1("PATCH", "/organization", { operationsCallback: { url } }),
  "a flow's step": (things, url) =>
    things.ask("POST", "/flows", { name: "F", flow: webhookFlow(url) }),
  "a changed flow": async (things, url) =>
    things.ask("PUT", `/flows/${await things.flow()}`, { name: "F", flow: webhookFlow(url) }),
  "an own connector's address": own((url) => ({ baseUrl: url })),
};
