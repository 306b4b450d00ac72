import { env } from "cloudflare:workers";
import { openBrowser } from "../console/build";
import { eventually } from "../delivery/build";
import { call, callV1, create, draft, MINE, THEIRS } from "../elements/build";
import { step, trigger } from "../flows/build";
import { FIRST } from "../organization";
import { commit, event, target } from "../stream/build";
import { ask, type SignedIn } from "./ask";

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

const asKey = (method: string, path: string, body?: unknown) =>
  ask(method, `/apis/${path}`, { token: FIRST.apiKey, body });

/** Things of the first organization that paths name: each is made when it is first asked for. */
export class Things {
  /** Whose flows and app events these are. */
  readonly user: SignedIn;
  constructor(user: SignedIn) {
    this.user = user;
  }

  readonly instance = once(() => create());
  readonly theirInstance = once(
    async () => (await call("POST", "/instances", draft(), THEIRS)).body,
  );
  readonly connector = once(async () => (await call("POST", "/elements", connector())).body.key);

  /** A notification of the instance, and its event. */
  readonly notification = once(async () => {
    const { id } = await this.instance();
    const stream = env.EVENT_STREAMS.getByName(`1/instance:${id}`);
    const targets = [target({ destinationId: `instance-${id}`, most: 1 })];
    await stream.commit(commit({ targets, events: [event(crypto.randomUUID())] }));
    const [view] = await stream.notifications({ before: null, limit: 1, withEvents: false });
    return view?.id ?? "";
  });
  readonly event = once(async () => {
    await this.notification();
    const { body } = await call("GET", `/instances/${(await this.instance()).id}/events`);
    return String(body[0].eventId ?? body[0].id);
  });
  readonly job = once(async () => {
    const range = { from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T00:00:00.000Z" };
    return (await callV1("POST", `/streams/${await this.source()}/replay`, MINE, range)).body.jobId;
  });
  readonly consumer = once(async () => {
    const here = `/streams/${await this.source()}`;
    const { next } = (await callV1("GET", `${here}/events`)).body;
    await callV1("PUT", `${here}/consumers/mine`, MINE, { cursor: next });
    return "mine";
  });
  source = async (): Promise<string> => `instance:${(await this.instance()).id}`;

  readonly key = once(
    async () => (await callV1("POST", "/keys", MINE, { name: "k", scopes: ["read"] })).body.id,
  );
  /** An API key with all scopes, which reaches the instance alone. */
  readonly limitedKey = once(async () => {
    const limits = { sources: [await this.source()] };
    const scopes = ["read", "write", "admin", "secrets"];
    return (await callV1("POST", "/keys", MINE, { name: "one", scopes, limits })).body.key;
  });
  readonly invited = once(invite);

  /** A member who accepted, and is signed in. */
  readonly member = once(async () => {
    const { id, invitation } = await invite();
    const { pathname } = new URL(invitation);
    await openBrowser().post(pathname, { password: "password-of-a-guest" });
    return id;
  });
  readonly session = once(async () => {
    const { body } = await callV1("GET", `/members/${await this.member()}/sessions`);
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
    const refused = step({ url: "http://127.0.0.1:9/refused" });
    const id = await this.start(await this.makeFlow({ T: trigger(name), P: refused }));
    await this.ask("POST", `${EVENTS}/${name}`, {});
    return eventually(async () => {
      const { body } = await ask("GET", `/unprocessed-messages?flowId=${id}`, this.user);
      const messageId: string | undefined = body[0]?.messageId;
      const log = await ask("GET", `/logs/runs/${messageId}.out`, this.user);
      return log.status === 200 ? messageId : undefined;
    });
  });

  readonly environment = once(async () => {
    const name = `e-${crypto.randomUUID()}`;
    return (await asKey("POST", "management/v1alpha1/environments", { name })).body.name;
  });
  readonly topic = once(async () => {
    const body = { name: `t-${crypto.randomUUID()}`, spec: { filters: [] } };
    return (await asKey("POST", "management/v1alpha1/watchtopics", body)).body.name;
  });
  readonly definition = once(
    async () =>
      (await asKey("GET", "definitions/v1alpha1/groups/management/resources")).body[0].name,
  );

  async start(flowId: string): Promise<string> {
    await this.ask("POST", `/flows/${flowId}/coordinator`, { command: "start" });
    return flowId;
  }

  ask(method: string, path: string, body: unknown) {
    return ask(method, path, { token: this.user.token, body });
  }

  async makeFlow(flow: object, type?: string): Promise<string> {
    return (await this.ask("POST", "/flows", { name: "F", flow, type })).body.flowId;
  }
}

const EVENTS = "/plugins/appmixer/utils/appevents/events";

async function invite() {
  const email = `${crypto.randomUUID()}@mine.example`;
  return (await callV1("POST", "/members", MINE, { email, role: "viewer" })).body;
}

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
  "configuration/:key": "event.objects",
  "consumers/:name": async (of) => of.consumer(),
  "deliveries/:id": (of) => of.notification(),
  "destinations/:id": async (of) => `instance-${(await of.instance()).id}`,
  "drafts/:id": (of) => of.draft(),
  "elements/:element": (of) => of.connector(),
  "environments/:name": (of) => of.environment(),
  "events/*": "x",
  "events/:element": "sandbox",
  "events/:eventId": (of) => of.event(),
  "flows/:flowId": (of) => of.webhookFlow(),
  "flows/:id": (of) => of.flow(),
  "groups/:group": "management",
  "hubs/:hub": "crm",
  "instances/:id": async (of) => (await of.instance()).id,
  "integrations/:id": (of) => of.draft(),
  "invitations/:token": async (of) => (await of.invited()).invitation.split("/").at(-1),
  "jobs/:id": (of) => of.job(),
  "keys/:id": (of) => of.key(),
  "logs/:index": "runs",
  "management/:version": "v1alpha1",
  "members/:id": (of) => of.member(),
  "notifications/:id": (of) => of.notification(),
  "objects/:name": "accounts",
  "objects/:objectType": "accounts",
  "sessions/:id": async (of) => of.session(),
  "sessions/:session": async (of) => of.session(),
  "status/:ticket": (of) => of.ticket(),
  "streams/:source{.+}": (of) => of.source(),
  "subscriptions/:id": async (of) => (await of.instance()).id,
  "subscriptions/:sid": async (of) => (await of.instance()).id,
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
  ":resource/:id": "1",
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
    const given = exceptionOf(method, route, segment) ?? NAMES[name];
    if (given === undefined && segment.startsWith(":"))
      throw new Error(`Nothing stands for '${name}' of ${route}`);
    if (given === undefined) return segment === "*" ? "nothing" : segment;
    if (typeof given === "string") return given;
    return encodeURIComponent(named(String(await given(things)))).replaceAll("%3A", ":");
  });
  return (await Promise.all(segments)).join("/");
}

/** Bodies that a route looks at before it looks for the thing; `{}` elsewhere. */
const BODIES: Record<string, (of: Things) => Promise<unknown>> = {
  "POST /console/sign-in": async () => ({ email: FIRST.email, password: FIRST.password }),
  "POST /console/invitations/:token": async () => ({ password: "password-of-a-guest" }),
  "PATCH /v1/members/:id": async () => ({ role: "viewer" }),
  "POST /elements/api-v2/notifications/subscriptions": async (of) => ({
    channel: "webhook",
    topics: [`instance-${(await of.instance()).id}-sandbox-events`],
    config: { url: "https://app.example/hook" },
  }),
  "POST /apis/management/v1alpha1/environments/:name/webhooks": async () => ({
    name: `w-${crypto.randomUUID()}`,
    spec: { url: "http://127.0.0.1:9/things-hook" },
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

export const bodyOf = async (line: string, things: Things): Promise<unknown> =>
  (await BODIES[line]?.(things)) ?? {};
