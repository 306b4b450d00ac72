import { step, trigger } from "../flows/components.ts";
import { connector, GUESTS_PASSWORD, type Things } from "./things.ts";

const STEP = {
  method: "Put",
  url: "https://app.example/hook",
  onError: "stopFlow",
  maxRetries: "3",
};

const RANGE = { from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T00:00:00.000Z" };

/** Bodies that a route looks at before it looks for the thing; `{}` elsewhere. */
const REFUSED_WITHOUT: Record<string, (of: Things) => Promise<unknown>> = {
  "POST /console/sign-in": async (of) => of.world.owner,
  "POST /console/invitations/:token": async () => ({ password: GUESTS_PASSWORD }),
  "POST /console/apps/flows/:id/step": async () => ({ ...STEP, component: "P" }),
  "POST /console/apps/flows/:id/add-step": async () => ({ after: "P", ...STEP }),
  "POST /console/apps/flows/:id/remove-step": async () => ({ component: "P" }),
  "POST /console/resources/create/:path{.+}": async (of) => ({
    name: `w-${crypto.randomUUID()}`,
    url: of.world.refusing,
  }),
  "POST /console/resources/replace/:path{.+}": async (of) => ({
    document: JSON.stringify({ name: await of.environment(), spec: {} }),
  }),
  "PATCH /v1/members/:id": async () => ({ role: "viewer" }),
  "PUT /v1/users/:id/verified-email": async (of) => ({ email: of.user.email }),
  "POST /elements/api-v2/notifications": async () => ({ topic: "builds", message: "It is built" }),
  "POST /elements/api-v2/notifications/subscriptions": async (of) => ({
    channel: "webhook",
    topics: [`instance-${(await of.instance()).id}-sandbox-events`],
    config: { url: "https://app.example/hook" },
  }),
  "POST /apis/management/v1alpha1/environments/:name/webhooks": async (of) => ({
    name: `w-${crypto.randomUUID()}`,
    spec: { url: of.world.refusing },
  }),
  "PATCH /apis/management/v1alpha1/environments/:name": async () => [
    { op: "replace", path: "/title", value: "E" },
  ],
  "PUT /apis/management/v1alpha1/environments/:name": async (of) => ({
    name: await of.environment(),
  }),
  "POST /user/auth": async (of) => of.user,
  "POST /plugins/appmixer/utils/appevents/triggers": async (of) => ({
    event: "x",
    componentId: "T",
    flowId: await of.flow(),
  }),
  "POST /flows/:id/coordinator": async () => ({ command: "stop" }),
  "PUT /flows/:id": async () => ({ name: "F", flow: {} }),
};

export async function bodyOf(line: string, things: Things): Promise<unknown> {
  if (line.startsWith("POST /portal")) return { formToken: (await things.portal()).formToken };
  if (line.startsWith("POST /connect")) return { formToken: (await things.connecting()).formToken };
  return (await REFUSED_WITHOUT[line]?.(things)) ?? {};
}

const endpointForm = async (of: Things) => ({
  formToken: (await of.portal()).formToken,
  url: "https://app.example/other",
  description: "To billing",
});

const flow = () => ({ T: trigger("x"), P: step() });

/** Bodies that succeed, where it takes more than what `bodyOf` has. */
const SUCCEEDING: Record<string, (of: Things) => Promise<unknown>> = {
  "POST /elements/api-v2/elements": async () => connector(),
  "PUT /elements/api-v2/elements/:element": async (of) => ({
    ...connector(),
    key: await of.connector(),
  }),
  "POST /console/new-connector": async () => ({ document: JSON.stringify(connector()) }),
  "POST /console/connectors/:element/edit": async (of) => ({
    document: JSON.stringify({ ...connector(), key: await of.connector() }),
  }),
  "POST /elements/api-v2/elements/:element/instances": async (of) => of.world.draft(),
  "POST /elements/api-v2/instances": async (of) => of.world.draft(),
  "PUT /elements/api-v2/elements/:element/instances/:id": async (of) => of.world.draft(),
  "PUT /elements/api-v2/instances/:id": async (of) => of.world.draft(),
  "PUT /elements/api-v2/instances": async (of) => of.world.draft(),
  "PATCH /elements/api-v2/instances/:id/configuration/:key": async () => ({
    propertyValue: "contacts",
  }),
  "PATCH /elements/api-v2/instances/configuration/:key": async () => ({
    propertyValue: "contacts",
  }),
  "PUT /v1/streams/:source{.+}/consumers/:name": async (of) => ({
    cursor: (await of.v1("GET", `/streams/${await of.source()}/events`)).body.next,
  }),
  "POST /v1/streams/:source{.+}/replay": async () => RANGE,
  "POST /console/events/:source{.+}/replay": async () => RANGE,
  "POST /elements/api-v2/notifications/subscriptions": async (of) => {
    const { id } = await of.create({ "event.notification.callback.url": undefined });
    return {
      channel: "webhook",
      topics: [`instance-${id}-sandbox-events`],
      config: { url: "https://app.example/hook" },
    };
  },
  "POST /v1/destinations": async () => ({
    url: "https://app.example/hook",
    signature: { header: "x-signature", prefix: "v1=", encoding: "hex", secret: "s" },
    auth: {
      type: "oauth2",
      tokenUrl: "https://auth.example/token",
      clientId: "c",
      clientSecret: "s",
      scope: "send",
    },
  }),
  "PUT /v1/oauth-apps/:connector": async () => ({ key: "k", secret: "s" }),
  "POST /console/settings/oauth-apps/:connector": async () => ({
    organization: "1",
    key: "k",
    secret: "s",
    callbackUrl: "https://app.example/cb",
  }),
  "POST /console/settings/oauth-apps/:connector/remove": async () => ({ organization: "1" }),
  "POST /v1/destinations/:id/recover": async () => ({ since: "2026-01-01T00:00:00.000Z" }),
  "POST /v1/event-types": async () => ({ name: `type-${crypto.randomUUID()}` }),
  "PUT /v1/event-types/:name": async () => ({ description: "Changed" }),
  "POST /v1/keys": async () => ({ name: "k", scopes: ["read"] }),
  "POST /v1/tenants": async () => ({ id: crypto.randomUUID() }),
  "POST /v1/events": async () => ({ type: "a", data: 1 }),
  "POST /v1/events/batch": async () => ({ events: [{ type: "a", data: 1 }] }),
  "POST /v1/tenants/:tenant/events": async () => ({ type: "a", data: 1 }),
  "POST /v1/tenants/:tenant/events/batch": async () => ({ events: [{ type: "a", data: 1 }] }),
  "PATCH /v1/tenants/:id": async () => ({ disabled: true }),
  "POST /portal/endpoints": endpointForm,
  "POST /portal/endpoints/:id": endpointForm,
  "POST /connect/to/:element": async (of) => ({
    formToken: (await of.connecting()).formToken,
    "c.own.token": "t",
  }),
  "POST /v1/members": async () => ({
    email: `${crypto.randomUUID()}@mine.example`,
    role: "viewer",
  }),
  "POST /v1/organizations": async () => ({
    name: "Another",
    email: `${crypto.randomUUID()}@another.example`,
  }),
  "POST /v1/organization/transfer": async (of) => {
    const [from, to] = [await of.makeMember("owner"), await of.makeMember("viewer")];
    return { from, to };
  },
  "PATCH /v1/users/:id": async () => ({ isActive: false }),
  "POST /console/apps/users/:id/events": async () => ({ event: "x", data: "{}" }),
  "POST /console/apps/users/:id/flows": async () => ({
    name: "F",
    event: "x",
    url: "https://app.example/hook",
  }),
  // With one address: what is shared with all users of the organization, other files' users would see.
  "POST /console/apps/flows/:id/share": async () => ({
    kind: "email",
    with: "somebody@apps.example",
    read: "yes",
  }),
  "POST /console/apps/flows/:id/save": async () => ({ name: "G", flow: JSON.stringify(flow()) }),
  "POST /console/apps/integrations/:id/activate": async (of) => ({ user: of.user.email }),
  "POST /console/instances/:id/edit": async () => ({ name: "Edited", events: "off" }),
  "POST /console/settings": async () => ({
    organization: "1",
    name: `Mine ${crypto.randomUUID()}`,
    retentionDays: "7",
    auditDays: "400",
  }),
  "POST /console/destinations/new": async () => ({
    organization: "1",
    url: "https://app.example/hook",
  }),
  "POST /console/destinations/:id": async () => ({ organization: "1", rate: "9" }),
  "POST /console/destinations/:id/delete": async () => ({ organization: "1" }),
  "POST /console/publish/cancel": async (of) => ({
    organization: "1",
    id: await of.publishedLater(),
  }),
  "POST /console/tenants": async () => ({ organization: "1", id: crypto.randomUUID() }),
  "POST /console/tenants/:id": async () => ({ organization: "1", name: "Renamed" }),
  "POST /console/tenants/:id/enable": async () => ({ organization: "1" }),
  "POST /console/tenants/:id/disable": async () => ({ organization: "1" }),
  "POST /console/tenants/:id/connect-sessions": async () => ({ organization: "1" }),
  "POST /console/tenants/:id/portal-sessions": async () => ({ organization: "1" }),
  "POST /console/tenants/:id/delete": async (of) => ({
    organization: "1",
    confirm: await of.tenant(),
  }),
  "POST /console/new-event-type": async () => ({
    organization: "1",
    name: `type-${crypto.randomUUID()}`,
  }),
  "POST /console/event-types/:name/edit": async () => ({
    organization: "1",
    version: "1",
    description: "Changed",
  }),
  "POST /console/event-types/:name/delete": async () => ({ organization: "1" }),
  "POST /console/settings/keys": async () => ({ organization: "1", name: "k", scopes: "read" }),
  "POST /console/settings/keys/:id/revoke": async () => ({ organization: "1" }),
  "POST /console/members": async () => ({
    organization: "1",
    email: `${crypto.randomUUID()}@mine.example`,
    role: "viewer",
  }),
  "POST /console/members/:id/role": async () => ({ organization: "1", role: "editor" }),
  "POST /console/members/:id/remove": async () => ({ organization: "1" }),
  "POST /console/members/:id/link": async () => ({ organization: "1" }),
  "POST /console/members/:id/end-sessions": async () => ({ organization: "1" }),
  "POST /console/password": async () => ({
    present: GUESTS_PASSWORD,
    password: "another-password-of-a-guest",
  }),
  "POST /user": async () => ({ username: crypto.randomUUID(), password: "a-good-password" }),
  "POST /user/change-password": async (of) => ({
    oldPassword: of.user.password,
    newPassword: "another-good-password",
  }),
  "POST /flows": async () => ({ name: "F", flow: flow() }),
  "PUT /flows/:id": async () => ({ name: "F", flow: flow() }),
};

export const QUERIES: Record<string, string> = {
  "PUT /elements/api-v2/notifications/subscriptions/deliveries": `?where=${encodeURIComponent("config.url='https://app.example/none'")}`,
};

/** A body with which the route succeeds. */
export const goodBodyOf = async (line: string, things: Things): Promise<unknown> =>
  (await SUCCEEDING[line]?.(things)) ?? bodyOf(line, things);
