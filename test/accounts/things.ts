import { step, trigger } from "../flows/components.ts";

/** A user of the app surface, who is signed in. */
export type SignedIn = { token: string; email: string; password: string };

/** Somebody in the portal, or connecting an account: a `Cookie`, and the token of its forms. */
export type Visitor = { cookie: string; formToken: string };

export const formTokenIn = (html: string): string =>
  /name="formToken" value="([^"]+)"/.exec(html)?.[1] ?? "";

export type Asked = {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
};

/** Where things are made: inside the Workers runtime, or over the network by a program of its own. */
export type World = {
  /** Asks as a client would; a body is sent as JSON. */
  ask(
    method: string,
    path: string,
    options?: Asked,
  ): Promise<{ status: number; body: any; headers: Headers }>;
  /** `Authorization` of the organization's administrator, and of another organization's. */
  readonly mine: string;
  readonly theirs: string;
  /** An API key with all scopes. */
  readonly apiKey: string;
  /** The organization's owner, who may sign in to the console. */
  readonly owner: { email: string; password: string };
  /** `POST /instances` of the sandbox connector: polled, with a callback. */
  draft(change?: Record<string, unknown>): object;
  /** Calls there are answered with 422. */
  readonly refusing: string;
  /** Makes a notification of an instance; its id. */
  notify(instance: { id: number; token: string }): Promise<string>;
  /** Opens a link for people of a tenant; what its browser keeps, and what its forms carry. */
  enter(link: string): Promise<Visitor>;
  /** Takes an invitation. */
  accept(invitation: string, password: string): Promise<void>;
  eventually<T>(probe: () => Promise<T | undefined | false>): Promise<T>;
};

/** An own connector, as somebody would describe it. */
export const connector = () => ({
  key: `own-${crypto.randomUUID()}`,
  name: "Own",
  hub: "helpdesk",
  authentication: { type: "apiKey", name: "Authorization", configurationKey: "own.token" },
  baseUrl: "https://own.example/api",
  configuration: [{ key: "own.token", name: "Token", type: "PASSWORD" }],
  resources: {
    issues: {
      list: { path: "/issues" },
      get: { path: "/issues/{id}" },
      paging: { style: "page", pageParameter: "page", sizeParameter: "limit" },
      maxPageSize: 2,
      idField: "id",
      updatedField: "updated_at",
      createdField: "created_at",
    },
  },
  events: { methods: ["polling"], defaultMode: "polling", polling: {} },
});

/** Of members that were invited. */
export const GUESTS_PASSWORD = "password-of-a-guest";

/** Things of the first organization that paths name: each is made when it is first asked for. */
export class Things {
  /** Whose flows and app events these are. */
  readonly user: SignedIn;
  readonly world: World;
  constructor(user: SignedIn, world: World) {
    this.user = user;
    this.world = world;
  }

  readonly instance = once(() => this.create());
  readonly theirInstance = once(() => this.create({}, this.world.theirs));
  readonly connector = once(
    async () => (await this.elements("POST", "/elements", connector())).body.key,
  );

  /** A notification of the instance, and its event. */
  readonly notification = once(async () => this.world.notify(await this.instance()));
  /** One that waits for its next try: its receiver refused it. */
  readonly waiting = once(async () => {
    const refused = { "event.notification.callback.url": this.world.refusing };
    const id = await this.world.notify(await this.create(refused));
    return this.world.eventually(async () => {
      const { body } = await this.v1("GET", `/deliveries/${id}`);
      return body.status === "retrying" && id;
    });
  });
  readonly event = once(async () => {
    await this.notification();
    const { body } = await this.elements("GET", `/instances/${(await this.instance()).id}/events`);
    return String(body[0].eventId ?? body[0].id);
  });
  readonly job = once(async () => {
    const range = { from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T00:00:00.000Z" };
    return (await this.v1("POST", `/streams/${await this.source()}/replay`, range)).body.jobId;
  });
  readonly consumer = once(async () => {
    const here = `/streams/${await this.source()}`;
    const { next } = (await this.v1("GET", `${here}/events`)).body;
    await this.v1("PUT", `${here}/consumers/mine`, { cursor: next });
    return "mine";
  });
  /** A delivery for the instance that nobody proved. */
  readonly trace = once(async () => {
    const { id } = await this.instance();
    await this.elements("POST", `/events/sandbox/${id}`, {});
    return (await this.v1("GET", `/instances/${id}/inbound`)).body.items[0].id;
  });
  source = async (): Promise<string> => `instance:${(await this.instance()).id}`;

  readonly tenant = once(
    async () => (await this.v1("POST", "/tenants", { id: crypto.randomUUID() })).body.id,
  );
  /** An endpoint of the tenant, what was sent to it, and somebody who may change it. */
  readonly endpoint = once(async () => {
    const body = { url: this.world.refusing, tenant: await this.tenant() };
    return (await this.v1("POST", "/destinations", body)).body.id;
  });
  readonly message = once(async () => {
    await this.endpoint();
    const tenant = await this.tenant();
    await this.v1("POST", `/tenants/${tenant}/events`, { type: "order.paid", data: {} });
    return (await this.v1("GET", `/deliveries?source=tenant:${tenant}`)).body.items[0].id;
  });
  readonly portal = once(async () => {
    const path = `/tenants/${await this.tenant()}/portal-sessions`;
    return this.world.enter((await this.v1("POST", path, { access: "write" })).body.url);
  });
  /** Connects an account of the organization's own connector. */
  readonly connecting = once(async () => {
    const path = `/tenants/${await this.tenant()}/connect-sessions`;
    const asked = { connectors: [await this.connector()] };
    return this.world.enter((await this.v1("POST", path, asked)).body.url);
  });
  /** An event that is told later, to the tenant and to none. */
  readonly publishedLater = once(async () => {
    const deliverAt = new Date(Date.now() + 86_400_000).toISOString();
    const event = { type: "a", id: crypto.randomUUID(), data: 1, deliverAt };
    await this.v1("POST", "/events", event);
    await this.v1("POST", `/tenants/${await this.tenant()}/events`, event);
    return event.id;
  });
  readonly key = once(
    async () => (await this.v1("POST", "/keys", { name: "k", scopes: ["read"] })).body.id,
  );
  /** An API key with all scopes, which reaches the instance alone. */
  readonly limitedKey = once(async () => {
    const limits = { sources: [await this.source()] };
    const scopes = ["read", "write", "admin", "secrets"];
    return (await this.v1("POST", "/keys", { name: "one", scopes, limits })).body.key;
  });
  /** An API key with all scopes, which reaches the tenant that the instance is put into. */
  readonly tenantKey = once(async () => {
    const [{ id }, tenant] = [await this.instance(), await this.tenant()];
    await this.elements("PATCH", `/instances/${id}`, { tags: [`tenant:${tenant}`] });
    const scopes = ["read", "write", "admin", "secrets"];
    const key = { name: "one", scopes, limits: { tenants: [tenant] } };
    return (await this.v1("POST", "/keys", key)).body.key;
  });
  readonly eventType = once(async () => {
    const body = { name: `type-${crypto.randomUUID()}` };
    return (await this.v1("POST", "/event-types", body)).body.name;
  });
  readonly invited = once(() => this.invite());

  /** A user who may be deleted: nobody else here is signed in as them. */
  readonly spareUserId = once(async () => {
    const body = { username: crypto.randomUUID(), password: "a-good-password" };
    const { token } = (await this.world.ask("POST", "/user", { body })).body;
    return (await this.world.ask("GET", "/user", { token })).body.id;
  });
  readonly userId = once(async () => (await this.ask("GET", "/user")).body.id);

  /** A member who accepted, and is signed in. */
  readonly member = once(() => this.makeMember("viewer"));
  readonly session = once(async () => {
    const { body } = await this.v1("GET", `/members/${await this.member()}/sessions`);
    return body.items[0].id;
  });

  readonly flow = once(() => this.makeFlow({ T: trigger("x"), P: step() }));
  readonly draft = once(() => this.makeFlow({ T: trigger("x"), P: step() }, "integration-draft"));
  /** Runs, and may be called by its address. */
  readonly webhookFlow = once(async () => {
    const type = "appmixer.utils.http.Webhook";
    return this.start(await this.makeFlow({ T: { type, source: {} }, P: step() }));
  });
  readonly ticket = once(async () => {
    const path = `/integrations/${await this.draft()}/update-integration-instances`;
    return (await this.ask("POST", path, {})).body.ticket;
  });
  readonly appEvent = once(
    async () => (await this.ask("POST", `${EVENTS}/x`, {})).headers.get("x-event-id") ?? "",
  );
  /** The id of a flow's message that was refused for good, and is in the log as such. */
  readonly unprocessed = once(async () => {
    const name = crypto.randomUUID();
    const refused = step({ url: this.world.refusing });
    const id = await this.start(await this.makeFlow({ T: trigger(name), P: refused }));
    await this.ask("POST", `${EVENTS}/${name}`, {});
    return this.world.eventually(async () => {
      const { body } = await this.ask("GET", `/unprocessed-messages?flowId=${id}`);
      const messageId: string | undefined = body[0]?.messageId;
      const log = await this.ask("GET", `/logs/runs/${messageId}.out`);
      return log.status === 200 ? messageId : undefined;
    });
  });

  readonly environment = once(async () => {
    const name = `e-${crypto.randomUUID()}`;
    return (await this.apis("POST", "management/v1alpha1/environments", { name })).body.name;
  });
  readonly topic = once(async () => {
    const body = { name: `t-${crypto.randomUUID()}`, spec: { filters: [] } };
    return (await this.apis("POST", "management/v1alpha1/watchtopics", body)).body.name;
  });
  readonly definition = once(
    async () =>
      (await this.apis("GET", "definitions/v1alpha1/groups/management/resources")).body[0].name,
  );

  async start(flowId: string): Promise<string> {
    await this.ask("POST", `/flows/${flowId}/coordinator`, { command: "start" });
    return flowId;
  }

  /** Asks the app surface as the user. */
  ask(method: string, path: string, body?: unknown) {
    return this.world.ask(method, path, { token: this.user.token, body });
  }

  elements(method: string, path: string, body?: unknown, authorization = this.world.mine) {
    const headers = { authorization };
    return this.world.ask(method, `/elements/api-v2${path}`, { body, headers });
  }

  v1(method: string, path: string, body?: unknown) {
    const headers = { authorization: this.world.mine };
    return this.world.ask(method, `/v1${path}`, { body, headers });
  }

  apis(method: string, path: string, body?: unknown) {
    return this.world.ask(method, `/apis/${path}`, { token: this.world.apiKey, body });
  }

  /** An instance of the sandbox. */
  async create(
    change: Record<string, unknown> = {},
    authorization = this.world.mine,
  ): Promise<{ id: number; token: string }> {
    const draft = this.world.draft(change);
    const { status, body } = await this.elements("POST", "/instances", draft, authorization);
    if (status !== 200) throw new Error(`POST /instances answered ${status}: ${body.message}`);
    return body;
  }

  async invite(role = "viewer"): Promise<{ id: string; invitation: string }> {
    const email = `${crypto.randomUUID()}@mine.example`;
    return (await this.v1("POST", "/members", { email, role })).body;
  }

  async makeMember(role: string): Promise<string> {
    const { id, invitation } = await this.invite(role);
    await this.world.accept(invitation, GUESTS_PASSWORD);
    return id;
  }

  async makeFlow(flow: object, type?: string): Promise<string> {
    return (await this.ask("POST", "/flows", { name: "F", flow, type })).body.flowId;
  }
}

const EVENTS = "/plugins/appmixer/utils/appevents/events";

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** What stands for a parameter of a route, told by the segment before it; a text is nobody's own. */
const NAMES: Record<string, string | ((of: Things) => Promise<string | number>)> = {
  "accounts/:id": "1",
  "api-v2/:path{.+}": "accounts",
  "api-v2/:resource": "accounts",
  "app-events/:eventId": (of) => of.appEvent(),
  "components/:componentId": "T",
  "connect/:element": (of) => of.connector(),
  "continue/:ticket": "nobody",
  "configuration/:key": "event.objects",
  "consumers/:name": async (of) => of.consumer(),
  "deliveries/:id": (of) => of.notification(),
  "destinations/:id": async (of) => `instance-${(await of.instance()).id}`,
  "drafts/:id": (of) => of.draft(),
  "elements/:element": (of) => of.connector(),
  "create/:path{.+}": async (of) => `management/environments/${await of.environment()}/webhooks`,
  "delete/:path{.+}": async (of) => `management/environments/${await of.environment()}`,
  "replace/:path{.+}": async (of) => `management/environments/${await of.environment()}`,
  "resources/:path{.+}": async (of) => `management/environments/${await of.environment()}`,
  "endpoints/:id": (of) => of.endpoint(),
  "environments/:name": (of) => of.environment(),
  "events/*": "x",
  "events/:element": "sandbox",
  "events/:event": (of) => of.publishedLater(),
  "events/:eventId": (of) => of.event(),
  "events/:seq{\\d+}": "1",
  "events/:seq": async (of) => {
    await of.message();
    const path = `/streams/tenant:${await of.tenant()}/events?eventType=order.paid`;
    return (await of.v1("GET", path)).body.items[0].seq;
  },
  "events/:source{.+}": (of) => of.source(),
  "event-types/:name": (of) => of.eventType(),
  "flows/:flowId": (of) => of.webhookFlow(),
  "flows/:id": (of) => of.flow(),
  "groups/:group": "management",
  "hubs/:hub": "crm",
  "connectors/:element": (of) => of.connector(),
  "inbound/:traceId": (of) => of.trace(),
  "instances/:id": async (of) => (await of.instance()).id,
  "integrations/:id": (of) => of.draft(),
  "invitations/:token": async (of) => (await of.invited()).invitation.split("/").at(-1) ?? "",
  "jobs/:id": (of) => of.job(),
  "keys/:id": (of) => of.key(),
  "logs/:index": "runs",
  "management/:version": "v1alpha1",
  "members/:id": (of) => of.member(),
  "users/:id": (of) => of.userId(),
  "notifications/:id": (of) => of.notification(),
  "messages/:id": (of) => of.message(),
  "objects/:name": "accounts",
  // There, nobody has an application before or after.
  "oauth-apps/:connector": "concur",
  "open/:token": "nobody",
  "passkeys/:id": "00000000-0000-4000-8000-000000000000",
  "objects/:objectType": "accounts",
  "payloads/:organization": "1",
  "queues/:queue": "orders",
  "sessions/:id": async (of) => of.session(),
  "sessions/:session": async (of) => of.session(),
  "organizations/:id": "1",
  "status/:ticket": (of) => of.ticket(),
  "streams/:source{.+}": (of) => of.source(),
  "subscriptions/:id": async (of) => (await of.instance()).id,
  "subscriptions/:sid": async (of) => (await of.instance()).id,
  "tenants/:id": (of) => of.tenant(),
  "tenants/:tenant": (of) => of.tenant(),
  "to/:element": (of) => of.connector(),
  "triggers/:componentId": "T",
  "unprocessed-messages/:id": (of) => of.unprocessed(),
  "variables/:flowId": (of) => of.flow(),
  "watchtopics/:name": (of) => of.topic(),
  ":collection/:name": (of) => of.definition(),
  ":element/:instance": async (of) => btoa(String((await of.instance()).id)),
  ":group/:collection": "resources",
  ":hub/:path{.+}": "accounts",
  ":hub/:resource": "accounts",
  ":index/:id": async (of) => `${await of.unprocessed()}.out`,
  ":objectType/:objectId": "object-1",
  ":organization/:tenant": (of) => of.tenant(),
  ":resource/:id": "1",
  ":tenant/:name": "nothing",
  ":seq{\\d+}/:source{.+}": async (of) => {
    await of.notification();
    return of.source();
  },
};

/** Where a parameter stands for something else than elsewhere. */
function exceptionOf(method: string, route: string, segment: string): string | undefined {
  if (segment === ":path{.+}" && method !== "POST" && method !== "GET") return "accounts/1";
  if (segment !== ":element") return undefined;
  if (route.includes("/:element/instances")) return "sandbox";
  return route.endsWith("/oauth/url/default") ? "box" : undefined;
}

/** A route's path with things in the place of its parameters, as `named` calls those that are ours. */
export async function pathOf(
  method: string,
  route: string,
  things: Things,
  named: (id: string) => string = (id) => id,
): Promise<string> {
  const segments = route.split("/").map(async (segment, index, all) => {
    const name = `${all[index - 1]}/${segment}`;
    const isSpare =
      name === "users/:id" &&
      method !== "GET" &&
      (index === all.length - 1 || all[index + 1] === "disable");
    const usual = isSpare ? (of: Things) => of.spareUserId() : NAMES[name];
    const given = exceptionOf(method, route, segment) ?? usual;
    if (given === undefined && segment.startsWith(":"))
      throw new Error(`Nothing stands for '${name}' of ${route}`);
    if (given === undefined) return segment === "*" ? "nothing" : segment;
    if (typeof given === "string") return given;
    return encodeURIComponent(named(String(await given(things)))).replaceAll("%3A", ":");
  });
  return (await Promise.all(segments)).join("/");
}
