/**
 * Who gets in where: every route of every surface, and for whom it opens. "In" is any answer but 401, 403, 404 and,
 * in the console, the way to the sign-in. `routes-by-role.test.ts` sends each actor to each route, and fails for
 * a route that is missing here as for a line without a route.
 */

export const ACTORS = [
  /** Without credentials. */
  "nobody",
  /** Signed up on the app surface. */
  "user",
  /** Signed in to the console. */
  "viewer",
  "editor",
  "owner",
  /** `User …, Organization …, Element …` of the organization's first user and an instance. */
  "secrets",
  /** API keys with this scope alone. */
  "read",
  "write",
  "admin",
  "secrets key",
  /** API keys with all scopes: limited to the instance that the path is about, and to another one. */
  "one source",
  "another source",
  /** An API key with all scopes, that is over. */
  "expired",
  /** Another organization's owner, with whatever the surface asks for: a session, secrets, a key or a user's token. */
  "stranger",
] as const;
export type Actor = (typeof ACTORS)[number];

/** Whom a route asks for; `ours` where the path names a thing, so that strangers stay outside. */
const AUDIENCES = {
  everybody: ACTORS,
  /** Open sign-up, and keys that may make users. */
  "sign-up": ["nobody", "user", "viewer", "editor", "owner", "write", "stranger"],
  nobody: [],
  users: ["user", "stranger"],
  "users, ours": ["user"],
  members: ["viewer", "editor", "owner", "stranger"],
  "members, ours": ["viewer", "editor", "owner"],
  "editors, ours": ["editor", "owner"],
  owners: ["owner", "stranger"],
  secrets: ["secrets", "stranger"],
  "secrets, ours": ["secrets"],
  read: ["secrets", "read", "stranger"],
  /** Lists, of which keys with limits see what they reach. */
  "read, limited": ["secrets", "read", "one source", "another source", "stranger"],
  "read, ours": ["secrets", "read", "one source"],
  "write, ours": ["secrets", "write", "one source"],
  /** What concerns the whole organization. */
  "read whole, ours": ["secrets", "read"],
  "write whole, ours": ["secrets", "write"],
  /** What forges callbacks, and who else might. */
  "read secrets": ["secrets", "admin", "secrets key", "stranger"],
  "read secrets, ours": ["secrets", "admin", "secrets key"],
  "signing secret, ours": ["secrets", "admin", "secrets key", "one source"],
  admin: ["secrets", "admin", "stranger"],
  "admin, ours": ["secrets", "admin"],
  /** The resource surface knows keys alone. */
  "read key": ["read", "stranger"],
  "read key, ours": ["read"],
  "write key": ["write", "stranger"],
  "write key, ours": ["write"],
} satisfies Record<string, readonly Actor[]>;
type Audience = keyof typeof AUDIENCES;

export const admits = (audience: Audience, actor: Actor): boolean =>
  (AUDIENCES[audience] as readonly Actor[]).includes(actor);

/** `METHOD path`, as the routes are written; a catch-all lists what is sent to it. */
type Table = Record<string, Audience | Record<string, Audience>>;

const ELEMENTS: Table = {
  // Vendors prove themselves by a signature, which nobody here has; this one's instance is told by its address.
  "GET /elements/api-v2/events/:element": "everybody",
  "POST /elements/api-v2/events/:element": "everybody",
  "GET /elements/api-v2/events/:element/": "everybody",
  "POST /elements/api-v2/events/:element/": "everybody",
  "GET /elements/api-v2/events/:element/:instance": "nobody",
  "POST /elements/api-v2/events/:element/:instance": "nobody",

  "GET /elements/api-v2/elements": "secrets",
  "POST /elements/api-v2/elements": "secrets",
  "GET /elements/api-v2/elements/keys": "secrets",
  "GET /elements/api-v2/elements/metadata": "secrets",
  "POST /elements/api-v2/elements/test": "secrets",
  "GET /elements/api-v2/elements/:element": "secrets, ours",
  "PUT /elements/api-v2/elements/:element": "secrets, ours",
  "DELETE /elements/api-v2/elements/:element": "secrets, ours",
  "GET /elements/api-v2/elements/:element/metadata": "secrets, ours",
  "GET /elements/api-v2/elements/:element/configuration": "secrets, ours",
  "GET /elements/api-v2/elements/:element/oauth/url": "secrets, ours",
  "POST /elements/api-v2/elements/:element/oauth/url": "secrets, ours",
  "GET /elements/api-v2/elements/:element/oauth/url/default": "secrets",
  "GET /elements/api-v2/elements/:element/oauth/token": "secrets, ours",
  "GET /elements/api-v2/elements/:element/instances": "secrets",
  "POST /elements/api-v2/elements/:element/instances": "secrets",
  "GET /elements/api-v2/elements/:element/instances/:id": "secrets, ours",
  "PUT /elements/api-v2/elements/:element/instances/:id": "secrets, ours",
  "PATCH /elements/api-v2/elements/:element/instances/:id": "secrets, ours",
  "DELETE /elements/api-v2/elements/:element/instances/:id": "secrets, ours",

  "GET /elements/api-v2/accounts/settings": "secrets",
  "PATCH /elements/api-v2/accounts/settings": "secrets",
  "POST /elements/api-v2/accounts/:id/settings": "secrets, ours",
  "PATCH /elements/api-v2/accounts/:id/settings": "secrets, ours",

  "GET /elements/api-v2/instances": "secrets",
  "POST /elements/api-v2/instances": "secrets",
  "GET /elements/api-v2/instances/count": "secrets",
  "GET /elements/api-v2/instances/polling-disabled": "secrets",
  "GET /elements/api-v2/jobs/polling-disabled": "secrets",
  "GET /elements/api-v2/instances/event-poller-records": "secrets",
  "GET /elements/api-v2/instances/:id": "secrets, ours",
  "PUT /elements/api-v2/instances/:id": "secrets, ours",
  "PATCH /elements/api-v2/instances/:id": "secrets, ours",
  "DELETE /elements/api-v2/instances/:id": "secrets, ours",
  "GET /elements/api-v2/instances/:id/configuration": "secrets, ours",
  "GET /elements/api-v2/instances/:id/configuration/:key": "secrets, ours",
  "PATCH /elements/api-v2/instances/:id/configuration/:key": "secrets, ours",
  "PUT /elements/api-v2/instances/:id/enabled": "secrets, ours",
  "DELETE /elements/api-v2/instances/:id/enabled": "secrets, ours",
  "GET /elements/api-v2/instances/:id/docs": "secrets, ours",

  // What the Element token names: strangers have one of their own.
  "PUT /elements/api-v2/instances": "secrets",
  "PATCH /elements/api-v2/instances": "secrets",
  "DELETE /elements/api-v2/instances": "secrets",
  "GET /elements/api-v2/instances/configuration": "secrets",
  "GET /elements/api-v2/instances/configuration/:key": "secrets",
  "PATCH /elements/api-v2/instances/configuration/:key": "secrets",
  "PUT /elements/api-v2/instances/enabled": "secrets",
  "DELETE /elements/api-v2/instances/enabled": "secrets",
  "GET /elements/api-v2/instances/docs": "secrets",

  "GET /elements/api-v2/instances/events": "secrets",
  "GET /elements/api-v2/instances/events/analytics": "secrets",
  "GET /elements/api-v2/instances/events/analytics/instances": "secrets",
  "GET /elements/api-v2/instances/events/analytics/accounts": "secrets",
  "GET /elements/api-v2/instances/events/dispositions": "secrets",
  "GET /elements/api-v2/instances/events/:eventId": "secrets, ours",
  "PUT /elements/api-v2/instances/events/:eventId/replay": "secrets, ours",
  "GET /elements/api-v2/instances/:id/events": "secrets, ours",
  "GET /elements/api-v2/instances/:id/events/:eventId": "secrets, ours",
  "PUT /elements/api-v2/instances/:id/events/:eventId/replay": "secrets, ours",

  "GET /elements/api-v2/notifications": "secrets",
  "GET /elements/api-v2/notifications/:id": "secrets, ours",
  "PUT /elements/api-v2/notifications/:id/acknowledge": "secrets, ours",
  "GET /elements/api-v2/notifications/:id/subscriptions/deliveries": "secrets, ours",
  "GET /elements/api-v2/notifications/:id/subscriptions/:sid/deliveries": "secrets, ours",
  "GET /elements/api-v2/notifications/subscriptions": "secrets",
  "POST /elements/api-v2/notifications/subscriptions": "secrets, ours",
  "GET /elements/api-v2/notifications/subscriptions/deliveries": "secrets",
  "PUT /elements/api-v2/notifications/subscriptions/deliveries": "secrets",
  "GET /elements/api-v2/notifications/subscriptions/:id": "secrets, ours",
  "DELETE /elements/api-v2/notifications/subscriptions/:id": "secrets, ours",

  "GET /elements/api-v2/hubs": "everybody",
  "GET /elements/api-v2/hubs/:hub/ping": "secrets",
  "GET /elements/api-v2/hubs/:hub/objects": "secrets",
  "GET /elements/api-v2/hubs/:hub/objects/:name/metadata": "secrets",
  "GET /elements/api-v2/hubs/:hub/:resource": "secrets",
  "GET /elements/api-v2/hubs/:hub/:resource/:id": "secrets",
  "GET /elements/api-v2/hubs/:hub/:path{.+}": "secrets",
  "POST /elements/api-v2/hubs/:hub/:path{.+}": "secrets",
  "PATCH /elements/api-v2/hubs/:hub/:path{.+}": "secrets",
  "PUT /elements/api-v2/hubs/:hub/:path{.+}": "secrets",
  "DELETE /elements/api-v2/hubs/:hub/:path{.+}": "secrets",
  "GET /elements/api-v2/ping": "secrets",
  "GET /elements/api-v2/objects": "secrets",
  "GET /elements/api-v2/objects/:name/metadata": "secrets",
  "GET /elements/api-v2/:resource": "secrets",
  "GET /elements/api-v2/:resource/:id": "secrets",
  "GET /elements/api-v2/:path{.+}": "secrets",
  "POST /elements/api-v2/:path{.+}": "secrets",
  "PATCH /elements/api-v2/:path{.+}": "secrets",
  "PUT /elements/api-v2/:path{.+}": "secrets",
  "DELETE /elements/api-v2/:path{.+}": "secrets",
};

const V1: Table = {
  // For whoever deployed this, with the bootstrap key.
  "POST /v1/bootstrap": "nobody",
  "POST /v1/instances/:id/poll": "write, ours",
  "GET /v1/instances/:id/signing-secret": "signing secret, ours",
  "GET /v1/streams/:source{.+}/events": "read, ours",
  "GET /v1/streams/:source{.+}/consumers/:name": "read, ours",
  "PUT /v1/streams/:source{.+}/consumers/:name": "write, ours",
  "GET /v1/streams/:source{.+}/consumers/:name/events": "read, ours",
  "POST /v1/streams/:source{.+}/replay": "write, ours",
  "DELETE /v1/streams/:source{.+}/objects/:objectType/:objectId": "write, ours",
  "GET /v1/jobs/:id": "read, ours",
  "GET /v1/deliveries": "read, limited",
  "GET /v1/deliveries/:id": "read, ours",
  "POST /v1/deliveries/:id/resend": "write, ours",
  "GET /v1/destinations": "read, limited",
  "GET /v1/destinations/:id": "read, ours",
  "PATCH /v1/destinations/:id": "write, ours",
  "GET /v1/destinations/:id/signing-secret": "signing secret, ours",
  "POST /v1/destinations/:id/rotate": "write, ours",
  "POST /v1/destinations/:id/test": "write, ours",
  "POST /v1/destinations/:id/recover": "write, ours",
  "GET /v1/usage": "read, limited",
  "GET /v1/stats": "read, limited",
  "GET /v1/keys": "read secrets",
  "POST /v1/keys": "admin",
  "GET /v1/keys/:id": "read secrets, ours",
  "DELETE /v1/keys/:id": "admin, ours",
  "POST /v1/keys/:id/rotate": "admin, ours",
  "GET /v1/audit": "read secrets",
  "GET /v1/members": "read",
  "POST /v1/members": "admin",
  "PATCH /v1/members/:id": "admin, ours",
  "DELETE /v1/members/:id": "admin, ours",
  "POST /v1/members/:id/password-reset": "admin, ours",
  // Takes a key that may read and is an administrator's.
  "GET /v1/members/:id/sessions": "secrets, ours",
  "DELETE /v1/members/:id/sessions": "admin, ours",
  "DELETE /v1/members/:id/sessions/:session": "admin, ours",
  "DELETE /v1/members/:id/two-step": "admin, ours",
  "DELETE /v1/members/:id/passkeys": "admin, ours",
  "PUT /v1/users/:id/verified-email": "write whole, ours",
  "DELETE /v1/users/:id/verified-email": "write whole, ours",
  // With the bootstrap key all organizations, with an owner's credentials their own.
  "GET /v1/organizations": "admin",
  "POST /v1/organizations": "admin",
  "GET /v1/organizations/:id": "admin, ours",
  "DELETE /v1/organizations/:id": "admin, ours",
  "POST /v1/organization/transfer": "admin",
  "GET /v1/users": "read",
  "GET /v1/users/:id": "read whole, ours",
  "PATCH /v1/users/:id": "write whole, ours",
  "DELETE /v1/users/:id": "write whole, ours",
  "GET /v1/organization": "read",
  "PATCH /v1/organization": "admin",
  "ALL /v1/*": "nobody",
};

const CONSOLE: Table = {
  "GET /console/sign-in": "everybody",
  "POST /console/sign-in": "everybody",
  "POST /console/sign-out": "everybody",
  // Whoever has just given a password, which nobody here did.
  "GET /console/sign-in/code": "nobody",
  "POST /console/sign-in/code": "nobody",
  // Whoever has a passkey.
  "POST /console/sign-in/passkey": "nobody",
  // Where it is set up.
  "POST /console/sign-in/access": "nobody",
  "GET /console/sign-in/oidc": "nobody",
  "GET /console/sign-in/oidc/back": "nobody",
  // Whoever has the link.
  "GET /console/invitations/:token": "everybody",
  "POST /console/invitations/:token": "everybody",
  // One's own: another's, or what is over, is left alone.
  "GET /console/sessions": "members",
  "POST /console/sessions/end-others": "members",
  "POST /console/sessions/:id/end": "members",
  "GET /console/organizations": "members",
  "POST /console/organizations/:id/switch": "members, ours",
  "GET /console/password": "members",
  "POST /console/password": "members",
  "GET /console/security": "members",
  "GET /console/passkeys": "members",
  "POST /console/passkeys": "members",
  "POST /console/passkeys/new": "members",
  // Another's is left alone.
  "POST /console/passkeys/:id/remove": "members",
  "GET /console/two-step": "members",
  "POST /console/two-step": "members",
  "POST /console/two-step/confirm": "members",
  "POST /console/two-step/recovery-codes": "members",
  "POST /console/two-step/off": "members",
  "GET /console": "members",
  "GET /console/instances": "members",
  "GET /console/instances/:id": "members, ours",
  "POST /console/instances/:id/poll": "editors, ours",
  "POST /console/instances/:id/enable": "editors, ours",
  "POST /console/instances/:id/disable": "editors, ours",
  "GET /console/deliveries/:id": "members, ours",
  "POST /console/deliveries/:id/resend": "editors, ours",
  "GET /console/destinations": "members",
  "GET /console/audit": "owners",
  "POST /console/destinations/:id/test": "editors, ours",
  "POST /console/destinations/:id/recover": "editors, ours",
  "ALL /console/*": "nobody",
};

const RESOURCES: Table = {
  "GET /apis/docs": "everybody",
  "GET /apis/jsonschema": "everybody",
  "GET /apis/definitions/v1alpha1/groups": "read key",
  "GET /apis/definitions/v1alpha1/groups/:group": "read key",
  "GET /apis/definitions/v1alpha1/groups/:group/:collection": "read key",
  "GET /apis/definitions/v1alpha1/groups/:group/:collection/:name": "read key",
  "ALL /apis/*": {
    "GET /apis/management/v1alpha1/environments": "read key",
    "HEAD /apis/management/v1alpha1/environments": "read key",
    "POST /apis/management/v1alpha1/environments": "write key",
    "GET /apis/management/v1alpha1/environments/:name": "read key, ours",
    "PUT /apis/management/v1alpha1/environments/:name": "write key, ours",
    "PATCH /apis/management/v1alpha1/environments/:name": "write key, ours",
    "DELETE /apis/management/v1alpha1/environments/:name": "write key, ours",
    "GET /apis/management/v1alpha1/environments/:name/webhooks": "read key, ours",
    "POST /apis/management/v1alpha1/environments/:name/webhooks": "write key, ours",
    "GET /apis/management/v1alpha1/secrets": "read key",
    "GET /apis/management/v1alpha1/nothing": "nobody",
  },
  "GET /events/management/:version/watchtopics/:name": "read key, ours",
  "ALL /events/management/:version/watchtopics/:name": {
    "POST /events/management/:version/watchtopics/:name": "everybody",
  },
  "ALL /events/*": "nobody",
};

const APPS: Table = {
  "GET /": "everybody",
  "POST /user": "sign-up",
  "POST /user/auth": "everybody",
  "POST /user/sso/refresh": "nobody",
  "GET /user": "users",
  "POST /user/change-password": "users",
  "POST /plugins/appmixer/utils/appevents/events/*": "users",
  "POST /plugins/appmixer/utils/appevents/triggers": "users, ours",
  // Idempotent: what isn't there, or another's, is left alone.
  "DELETE /plugins/appmixer/utils/appevents/triggers/:componentId": "users",
  "GET /app-events": "users",
  "GET /app-events/:eventId": "users, ours",
  "POST /app-events/:eventId/replay": "users, ours",
  "POST /component/appmixer/utils/appevents/OnAppEvent": "users",
  "POST /variables/:flowId/fetch": "users, ours",
  // A webhook's address is its secret.
  "GET /flows/:flowId/components/:componentId": "everybody",
  "POST /flows/:flowId/components/:componentId": "everybody",
  "PUT /flows/:flowId/components/:componentId": "everybody",
  "DELETE /flows/:flowId/components/:componentId": "everybody",
  "GET /triggers/:componentId/url": "users, ours",
  "GET /flows": "users",
  "POST /flows": "users",
  "GET /flows/count": "users",
  "GET /flows/:id": "users, ours",
  "PUT /flows/:id": "users, ours",
  "DELETE /flows/:id": "users, ours",
  "POST /flows/:id/clone": "users, ours",
  "POST /flows/:id/coordinator": "users, ours",
  "GET /flows/:id/coordinator/status": "users, ours",
  "GET /flows/:id/validate": "users, ours",
  "POST /drafts/:id/publish": "users, ours",
  "POST /integrations/:id/update-integration-instances": "users, ours",
  "GET /integrations/status/:ticket": "users, ours",
  "DELETE /integrations/:id": "users, ours",
  "GET /unprocessed-messages": "users",
  "GET /unprocessed-messages/:id": "users, ours",
  "DELETE /unprocessed-messages/:id": "users, ours",
  "POST /unprocessed-messages/:id": "users, ours",
  "POST /unprocessed-messages/:id/retry": "users, ours",
  "GET /logs": "users",
  "POST /logs": "users",
  "GET /logs/:index/:id": "users, ours",
};

const PUBLIC: Table = {
  "GET /health": "everybody",
  "GET /docs": "everybody",
  "GET /openapi.json": "everybody",
};

export const TABLE: Table = {
  ...PUBLIC,
  ...ELEMENTS,
  ...V1,
  ...CONSOLE,
  ...RESOURCES,
  ...APPS,
};
