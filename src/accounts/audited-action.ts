const ELEMENTS = "/elements/api-v2";

/** What a route does: `<thing>.<what is done to it>`, the same whichever surface it is done on. */
const ACTIONS: Record<string, string> = {
  [`POST ${ELEMENTS}/elements`]: "connector.create",
  [`PUT ${ELEMENTS}/elements/:element`]: "connector.update",
  [`DELETE ${ELEMENTS}/elements/:element`]: "connector.delete",
  [`POST ${ELEMENTS}/elements/:element/instances`]: "instance.create",
  [`PUT ${ELEMENTS}/elements/:element/instances/:id`]: "instance.update",
  [`PATCH ${ELEMENTS}/elements/:element/instances/:id`]: "instance.update",
  [`DELETE ${ELEMENTS}/elements/:element/instances/:id`]: "instance.delete",
  [`GET ${ELEMENTS}/authentication/secrets`]: "secrets.read",
  [`PATCH ${ELEMENTS}/accounts/settings`]: "organization.update",
  [`POST ${ELEMENTS}/accounts/:id/settings`]: "organization.update",
  [`PATCH ${ELEMENTS}/accounts/:id/settings`]: "organization.update",
  [`POST ${ELEMENTS}/instances`]: "instance.create",
  ...instanceActions("/instances/:id"),
  ...instanceActions("/instances"),
  [`PUT ${ELEMENTS}/instances/events/:eventId/replay`]: "event.replay",
  [`PUT ${ELEMENTS}/instances/:id/events/:eventId/replay`]: "event.replay",
  [`DELETE ${ELEMENTS}/notifications/:id`]: "notification.delete",
  [`PUT ${ELEMENTS}/notifications/:id/acknowledge`]: "delivery.acknowledge",
  [`POST ${ELEMENTS}/notifications/subscriptions`]: "subscription.create",
  [`PUT ${ELEMENTS}/notifications/subscriptions/deliveries`]: "delivery.resend-queued",
  [`DELETE ${ELEMENTS}/notifications/subscriptions/:id`]: "subscription.delete",
  ...vendorActions("/hubs/:hub/:path{.+}"),
  ...vendorActions("/:path{.+}"),

  "GET /v1/instances/:id/signing-secret": "signing-secret.read",
  "POST /v1/instances/:id/inbound/:traceId/replay": "inbound.replay",
  "GET /v1/destinations/:id/signing-secret": "signing-secret.read",
  "PUT /v1/streams/:source{.+}/consumers/:name": "consumer.update",
  "POST /v1/streams/:source{.+}/replay": "stream.replay",
  "DELETE /v1/streams/:source{.+}/objects/:objectType/:objectId": "object.delete",
  "POST /v1/deliveries/:id/resend": "delivery.resend",
  "POST /v1/deliveries/:id/cancel": "delivery.cancel",
  "POST /v1/destinations": "destination.create",
  "PATCH /v1/destinations/:id": "destination.update",
  "DELETE /v1/destinations/:id": "destination.delete",
  "POST /v1/destinations/:id/rotate": "destination.rotate",
  "POST /v1/destinations/:id/recover": "destination.recover",
  "POST /v1/destinations/:id/cancel": "destination.cancel",
  "POST /v1/destinations/:id/enable": "destination.enable",
  "POST /v1/event-types": "event-type.create",
  "PUT /v1/event-types/:name": "event-type.update",
  "DELETE /v1/event-types/:name": "event-type.delete",
  "POST /v1/destinations/:id/disable": "destination.disable",
  "PUT /v1/oauth-apps/:connector": "oauth-app.update",
  "DELETE /v1/oauth-apps/:connector": "oauth-app.delete",
  "POST /v1/keys": "key.create",
  "DELETE /v1/keys/:id": "key.delete",
  "POST /v1/keys/:id/rotate": "key.rotate",
  "DELETE /v1/events/:event": "event.cancel",
  "DELETE /v1/tenants/:tenant/events/:event": "event.cancel",
  "POST /v1/tenants": "tenant.create",
  "PATCH /v1/tenants/:id": "tenant.update",
  "DELETE /v1/tenants/:id": "tenant.delete",
  "POST /v1/tenants/:id/portal-sessions": "portal-session.create",
  "POST /v1/tenants/:id/connect-sessions": "connect-session.create",
  "POST /v1/members": "member.invite",
  "PATCH /v1/members/:id": "member.update",
  "DELETE /v1/members/:id": "member.delete",
  "POST /v1/members/:id/password-reset": "member.reset-password",
  "DELETE /v1/members/:id/two-step": "member.reset-two-step",
  "DELETE /v1/members/:id/passkeys": "member.remove-passkeys",
  "DELETE /v1/members/:id/sessions": "session.end",
  "DELETE /v1/members/:id/sessions/:session": "session.end",
  "PUT /v1/users/:id/verified-email": "user.verify-email",
  "DELETE /v1/users/:id/verified-email": "user.unverify-email",
  "PATCH /v1/organization": "organization.update",
  "POST /v1/organization/transfer": "organization.transfer",
  "POST /v1/organizations": "organization.create",
  "DELETE /v1/organizations/:id": "organization.delete",
  "PATCH /v1/users/:id": "user.update",
  "DELETE /v1/users/:id": "user.delete",

  "POST /console/invitations/:token": "member.use-link",
  "POST /console/organizations/:id/switch": "session.switch",
  "POST /console/members": "member.invite",
  "POST /console/members/:id/role": "member.update",
  "POST /console/members/:id/remove": "member.delete",
  "POST /console/members/:id/link": "member.reset-password",
  "POST /console/members/:id/end-sessions": "session.end",
  "POST /console/members/:id/transfer": "organization.transfer",
  "POST /console/settings": "organization.update",
  "POST /console/settings/oauth-apps/:connector": "oauth-app.update",
  "POST /console/settings/oauth-apps/:connector/remove": "oauth-app.delete",
  "POST /console/settings/keys": "key.create",
  "POST /console/settings/keys/:id/revoke": "key.delete",
  "POST /console/tenants": "tenant.create",
  "POST /console/tenants/:id": "tenant.update",
  "POST /console/tenants/:id/enable": "tenant.enable",
  "POST /console/tenants/:id/disable": "tenant.disable",
  "POST /console/tenants/:id/delete": "tenant.delete",
  "POST /console/tenants/:id/connect-sessions": "connect-session.create",
  "POST /console/tenants/:id/portal-sessions": "portal-session.create",
  "POST /console/sessions/end-others": "session.end-others",
  "POST /console/sessions/:id/end": "session.end",
  "POST /console/password": "member.change-password",
  "POST /console/passkeys": "passkey.create",
  "POST /console/passkeys/:id/remove": "passkey.delete",
  "POST /console/two-step": "member.begin-two-step",
  "POST /console/two-step/confirm": "member.confirm-two-step",
  "POST /console/two-step/recovery-codes": "member.renew-recovery-codes",
  "POST /console/two-step/off": "member.end-two-step",
  "POST /console/publish/cancel": "event.cancel",
  "POST /console/events/:source{.+}/replay": "stream.replay",
  "POST /console/instances/:id/inbound/:traceId/replay": "inbound.replay",
  "POST /console/connect/:element": "instance.create",
  "POST /console/connected": "instance.update",
  "POST /console/instances/:id/edit": "instance.update",
  "POST /console/instances/:id/reconnect": "instance.update",
  "POST /console/instances/:id/delete": "instance.delete",
  "POST /console/instances/:id/enable": "instance.enable",
  "POST /console/instances/:id/disable": "instance.disable",
  "POST /console/new-connector": "connector.create",
  "POST /console/connectors/:element/edit": "connector.update",
  "POST /console/connectors/:element/delete": "connector.delete",
  "POST /console/new-event-type": "event-type.create",
  "POST /console/event-types/:name/edit": "event-type.update",
  "POST /console/event-types/:name/delete": "event-type.delete",
  "POST /console/deliveries/:id/resend": "delivery.resend",
  "POST /console/destinations/new": "destination.create",
  "POST /console/destinations/:id": "destination.update",
  "POST /console/destinations/:id/delete": "destination.delete",
  "POST /console/destinations/:id/disable": "destination.disable",
  "POST /console/destinations/:id/rotate": "destination.rotate",
  "POST /console/deliveries/:id/cancel": "delivery.cancel",
  "POST /console/destinations/:id/recover": "destination.recover",
  "POST /console/destinations/:id/cancel": "destination.cancel",
  "POST /console/destinations/:id/enable": "destination.enable",
  "POST /console/apps/users/:id/enable": "user.update",
  "POST /console/apps/users/:id/disable": "user.update",
  "POST /console/apps/users/:id/events": "event.publish",
  "POST /console/apps/users/:id/flows": "flow.create",
  "POST /console/apps/flows/:id/start": "flow.command",
  "POST /console/apps/flows/:id/stop": "flow.command",
  "POST /console/apps/flows/:id/delete": "flow.delete",
  "POST /console/apps/flows/:id/share": "flow.update",
  "POST /console/apps/flows/:id/unshare": "flow.update",
  "POST /console/apps/flows/:id/save": "flow.update",
  "POST /console/apps/flows/:id/step": "flow.update",
  "POST /console/apps/flows/:id/add-step": "flow.update",
  "POST /console/apps/flows/:id/remove-step": "flow.update",
  "POST /console/apps/flows/:id/draft": "flow.clone",
  "POST /console/apps/drafts/:id/publish": "integration.publish",
  "POST /console/apps/integrations/:id/activate": "flow.clone",
  "POST /console/apps/integrations/:id/update-all": "integration.update-instances",
  "POST /console/apps/unprocessed-messages/:id/retry": "message.retry",
  "POST /console/apps/unprocessed-messages/:id/remove": "message.delete",

  "GET /portal/endpoints/:id/signing-secret": "signing-secret.read",
  "POST /portal/endpoints": "destination.create",
  "POST /portal/endpoints/:id": "destination.update",
  "POST /portal/endpoints/:id/delete": "destination.delete",
  "POST /portal/endpoints/:id/rotate": "destination.rotate",
  "POST /portal/endpoints/:id/recover": "destination.recover",
  "POST /portal/endpoints/:id/enable": "destination.enable",
  "POST /portal/endpoints/:id/disable": "destination.disable",
  "POST /portal/messages/:id/resend": "delivery.resend",

  "POST /connect/to/:element": "instance.connect",
  "POST /connect/connected": "instance.connect",

  "POST /user": "user.create",
  "POST /user/change-password": "user.change-password",
  "POST /app-events/:eventId/replay": "event.replay",
  "POST /flows": "flow.create",
  "PUT /flows/:id": "flow.update",
  "DELETE /flows/:id": "flow.delete",
  "POST /flows/:id/clone": "flow.clone",
  "POST /flows/:id/coordinator": "flow.command",
  "POST /drafts/:id/publish": "integration.publish",
  "POST /integrations/:id/update-integration-instances": "integration.update-instances",
  "DELETE /integrations/:id": "integration.delete",
  "DELETE /unprocessed-messages/:id": "message.delete",
  "POST /unprocessed-messages/:id": "message.retry",
  "POST /unprocessed-messages/:id/retry": "message.retry",
};

function instanceActions(path: string): Record<string, string> {
  return {
    [`PUT ${ELEMENTS}${path}`]: "instance.update",
    [`PATCH ${ELEMENTS}${path}`]: "instance.update",
    [`DELETE ${ELEMENTS}${path}`]: "instance.delete",
    [`PATCH ${ELEMENTS}${path}/configuration/:key`]: "instance.configure",
    [`PUT ${ELEMENTS}${path}/enabled`]: "instance.enable",
    [`DELETE ${ELEMENTS}${path}/enabled`]: "instance.disable",
  };
}

/** What is done to records of a vendor, through us. */
function vendorActions(path: string): Record<string, string> {
  return {
    [`POST ${ELEMENTS}${path}`]: "vendor-record.create",
    [`PUT ${ELEMENTS}${path}`]: "vendor-record.update",
    [`PATCH ${ELEMENTS}${path}`]: "vendor-record.update",
    [`DELETE ${ELEMENTS}${path}`]: "vendor-record.delete",
  };
}

const RESOURCE_VERBS: Record<string, string> = {
  POST: "create",
  PUT: "update",
  PATCH: "update",
  DELETE: "delete",
};

/** What the console's forms do to resources, in the words of their surface. */
const FORMS: Record<string, string> = { create: "POST", replace: "PUT", delete: "DELETE" };

export type Deed = { action: string; target: string };

/**
 * What a request did to what: `connector.update` and `poll`. The target is what the path names (`27`, or of things
 * within others `instance:27/accounts/9`), after the `subject` that a token names; absent such a name `made`, the id that the answer tells; else the path.
 */
export function deedOf(
  request: { method: string; route: string; path: string; subject: string | undefined },
  names: Record<string, string>,
  made: string | undefined,
): Deed {
  const { method, route, path, subject } = request;
  const resource = /^\/apis\/[^/]+\/[^/]+\/(.+)$/.exec(path)?.[1]?.split("/");
  if (resource !== undefined) return resourceDeed(method, resource, made);
  const written = /^\/console\/resources\/(create|replace|delete)\//.exec(route)?.[1];
  if (written !== undefined)
    return resourceDeed(FORMS[written] ?? "", (names["path"] ?? "").split("/").slice(1), subject);
  const named = Object.entries(names).filter(
    ([name]) => name !== "token" && !(name === "element" && "id" in names),
  );
  const isOfAnother = /\/(:element\/instances|(connect|to)\/:element)$/.test(route);
  const told = [
    ...(subject === undefined ? [] : [subject]),
    ...(isOfAnother ? [] : named.map(([, value]) => value)),
  ].join("/");
  return {
    action: ACTIONS[`${method} ${route}`] ?? `${method} ${route}`,
    target: told === "" ? (made ?? ("token" in names ? route : path)) : told,
  };
}

/** Of `environments/e/webhooks/w`: a webhook, `e/w`. */
function resourceDeed(method: string, segments: string[], made: string | undefined): Deed {
  const collections = segments.filter((_, index) => index % 2 === 0);
  const names = segments.filter((_, index) => index % 2 === 1).map(decodeURIComponent);
  const thing = (collections.at(-1) ?? "").replace(/ies$/, "y").replace(/s$/, "");
  const all = segments.length % 2 === 1 && made !== undefined ? [...names, made] : names;
  return { action: `${thing}.${RESOURCE_VERBS[method] ?? method}`, target: all.join("/") };
}
