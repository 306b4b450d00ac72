import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { API_KEY, ask, foundation, madeUser, newUser, type SignedIn } from "../accounts/ask";
import { eventually, receiver } from "../delivery/build";
import { FIRST } from "../organization";
import { step, trigger } from "./build";

beforeAll(foundation);

const flow = { T: trigger(), P: step({ url: "http://127.0.0.1:9/flow-routes-cb" }) };
const make = async (user: SignedIn, body: object = { name: "F", flow }): Promise<string> =>
  (await ask("POST", "/flows", { token: user.token, body })).body.flowId;
const listening = (instanceId: unknown) => ({
  T: {
    type: "tributary.events.instances.OnEvent",
    config: { properties: { instanceId: String(instanceId) } },
  },
  P: step({ url: "http://127.0.0.1:9/flow-routes-cb" }),
});
const command = (user: SignedIn, id: string, body: unknown) =>
  ask("POST", `/flows/${id}/coordinator`, { token: user.token, body });

describe("flows", () => {
  it("start on an instance of the caller's organization, and on no other", async () => {
    const user = await newUser();
    await env.DB.batch(
      [1, 987_654].map((organizationId) =>
        env.DB.prepare(
          `INSERT INTO organizations (id, name, secret_hash, created_at) VALUES (?, 'o', ?, 0)
           ON CONFLICT DO NOTHING`,
        ).bind(organizationId, `hash-${organizationId}`),
      ),
    );
    const own = [987_651, 1] as const;
    const foreign = [987_652, 987_654] as const;
    await env.DB.batch(
      [own, foreign].map(([id, organizationId]) =>
        env.DB.prepare(
          `INSERT INTO destinations
             (id, organization_id, kind, owner_id, signing_keys, policy, created_at, updated_at)
           VALUES (?, ?, 'instance', ?, '[]', '{}', 0, 0)`,
        ).bind(`instance-${id}`, organizationId, String(id)),
      ),
    );
    const started = async (instanceId: number) => {
      const id = await make(user, { name: "F", flow: listening(instanceId) });
      return command(user, id, { command: "start" });
    };
    expect((await started(own[0])).status).toBe(200);
    // What another has looks like what nobody has.
    for (const id of [foreign[0], 987_653])
      expect(await started(id)).toMatchObject({
        status: 400,
        body: { message: `T: config.properties.instanceId: There is no instance '${id}'` },
      });
  });

  it("go out and come in as command-line clients expect", async () => {
    const user = await newUser();
    const { token } = user;
    // Templates that others share are in everybody's list.
    const own = crypto.randomUUID();
    const id = await make(user, { flow, customFields: { own } });
    const shown = (await ask("GET", `/flows/${id}?projection=-runtimeErrors`, { token })).body;
    expect(shown).toMatchObject({
      flowId: id,
      stage: "stopped",
      mode: "module",
      flow,
      revision: 1,
    });
    const { name, description, customFields, thumbnail, wizard, sharedWith } = shown;
    const exported = {
      name,
      description,
      flow: shown.flow,
      svg: "",
      customFields,
      thumbnail,
      wizard,
      sharedWith,
    };
    const imported = await make(user, exported);
    expect((await ask("GET", `/flows/${imported}`, { token })).body.flow).toEqual(flow);
    const mine = `filter=customFields.own:${own}`;
    expect((await ask("GET", `/flows?${mine}`, { token })).body).toHaveLength(2);
    expect((await ask("GET", `/flows/count?${mine}`, { token })).body).toEqual({ count: 2 });
    expect((await ask("DELETE", `/flows/${id}`, { token })).body).toEqual({ flowId: id });
    expect((await ask("GET", `/flows/${id}`, { token })).status).toBe(404);
  });

  it.each<[string, string[]]>([
    ["filter=sharedWith.0.domain:acme.example", ["a"]],
    ["filter=sharedWith.0.domain:!acme.example", ["b", "c"]],
    ["filter=sharedWith.1.email:x@other.example", ["a"]],
    ["filter=sharedWith.0.permissions.0:read", ["a", "b"]],
    ["filter=sharedWith.7.domain:", ["a", "b", "c"]],
    ["filter[]=name:a", ["a"]],
    ["filter%5B%5D=name:a&filter%5B%5D=name:b", ["a", "b"]],
    ["filter[]=name:a&filter=customFields.plan:gold", ["a"]],
    ["filter=wizard.fields:!", ["a", "c"]],
    ["filter=wizard.fields:", ["b"]],
    ["filter=wizard:!", ["a", "b", "c"]],
    ["filter=description:!", ["c"]],
    ["filter=description:", ["a", "b"]],
    ["filter=!description:", ["c"]],
    ["filter=customFields.plan:!", ["a"]],
    ["filter=customFields.active:true", ["a"]],
    ["filter=customFields.active:false", ["b"]],
    ["filter=customFields.active:!true", ["b", "c"]],
    ["filter=customFields.2024:v", ["b"]],
    ["filter=customFields.a%22b:1", []],
    ["filter=customFields..x:1", []],
    ["filter=customFields.[0]:1", []],
  ])("are filtered by items of lists, emptiness and truth: %s", async (query, expected) => {
    const user = await newUser();
    const fields = [{ name: "f" }];
    for (const one of [
      {
        name: "a",
        customFields: { plan: "gold", active: true },
        wizard: { fields },
        sharedWith: [
          { domain: "acme.example", permissions: ["read"] },
          { email: "x@other.example", permissions: ["read"] },
        ],
      },
      {
        name: "b",
        customFields: { plan: "", active: false, 2024: "v" },
        wizard: { fields: [] },
        sharedWith: [{ domain: "other.example", permissions: ["read"] }],
      },
      { name: "c", description: "d", wizard: { fields } },
    ])
      await make(user, one);
    const mine = `sort=name:1&${query}`;
    const { status, body } = await ask("GET", `/flows?${mine}`, { token: user.token });
    expect(status).toBe(200);
    expect(body.map(({ name }: any) => name)).toEqual(expected);
  });

  it("are filtered by fields, dotted fields and their negation, sorted and cut", async () => {
    const user = await newUser();
    const { token } = user;
    const own = crypto.randomUUID();
    for (const [name, plan] of [
      ["b", "gold"],
      ["a", "gold"],
      ["c", "iron"],
    ] as const)
      await make(user, { name, customFields: { plan, own } });
    const names = async (query: string) =>
      (await ask("GET", `/flows?filter=customFields.own:${own}&${query}`, { token })).body.map(
        ({ name }: any) => name,
      );
    expect(await names("sort=name:1")).toEqual(["a", "b", "c"]);
    expect(await names("filter=customFields.plan:gold&sort=name:-1")).toEqual(["b", "a"]);
    expect(await names("filter=customFields.plan:!gold")).toEqual(["c"]);
    expect(await names("filter=customFields.plan:gold&filter=name:a")).toEqual(["a"]);
    expect(await names("pattern=B")).toEqual(["b"]);
    expect(await names("sort=name:1&offset=1&limit=1")).toEqual(["b"]);
    expect(await names("filter=sharedWith:[]&sort=name:1&limit=1")).toEqual(["a"]);
    expect((await ask("GET", "/flows?filter=nothing:1", { token })).status).toBe(400);
    expect((await ask("GET", "/flows?filter=customFields.%22%5D:1", { token })).status).toBe(200);
  });

  it("are invisible to others, and a foreign id can't be taken", async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const id = await make(ada);
    const { token } = bob;
    for (const [method, path] of [
      ["GET", `/flows/${id}`],
      ["PUT", `/flows/${id}`],
      ["DELETE", `/flows/${id}`],
      ["POST", `/flows/${id}/clone`],
      ["GET", `/flows/${id}/validate`],
    ] as const) {
      const body = method === "GET" ? undefined : { name: "mine" };
      expect((await ask(method, path, { token, body })).status).toBe(404);
    }
    expect((await command(bob, id, { command: "start" })).status).toBe(404);
    const fresh = `mine-${crypto.randomUUID()}`;
    const made = await ask("PUT", `/flows/${fresh}`, { token, body: { name: "New" } });
    expect(made.body).toEqual({ flowId: fresh, result: "updated" });
  });

  it("do not start when something is wrong, and say what and where", async () => {
    const user = await newUser();
    const id = await make(user, { flow: { T: { ...trigger(), config: null }, P: step() } });
    const refused = await command(user, id, { command: "start" });
    expect(refused).toMatchObject({
      status: 400,
      body: { details: [{ componentId: "T", field: "config.properties.event" }] },
    });
    const errors = await ask("GET", `/flows/${id}/validate`, { token: user.token });
    expect(errors.body.errors).toEqual(refused.body.details);
    expect((await command(user, id, { command: "explode" })).status).toBe(400);
  });

  it("listen to resources for administrators only", async () => {
    const user = await newUser();
    const properties = { group: "*", kind: "*", name: "*", type: ["created"] };
    const resources = {
      T: { type: "tributary.events.resources.OnChange", config: { properties } },
    };
    const id = await make(user, { flow: resources });
    expect((await command(user, id, { command: "start" })).status).toBe(403);
    const body = { email: FIRST.email, password: FIRST.password };
    const admin = { ...user, token: (await ask("POST", "/user/auth", { body })).body.token };
    const own = await make(admin, { flow: resources });
    expect((await command(admin, own, { command: "start" })).status).toBe(200);
  });

  it("hear of a changed resource once, with what changed", async () => {
    const received = receiver(() => new Response("ok"));
    const user = await newUser();
    const body = { email: FIRST.email, password: FIRST.password };
    const admin = { ...user, token: (await ask("POST", "/user/auth", { body })).body.token };
    const properties = { group: "management", kind: "Environment", name: "*", type: ["created"] };
    const id = await make(admin, {
      flow: {
        T: { type: "tributary.events.resources.OnChange", config: { properties } },
        P: step({ url: "http://127.0.0.1:9/changed", body: "{{{$.T.out.data.payload.name}}}" }),
      },
    });
    expect((await command(admin, id, { command: "start" })).status).toBe(200);
    const made = await ask("POST", "/apis/management/v1/environments", {
      token: API_KEY,
      body: { name: "env-of-flow" },
    });
    expect(made.status).toBe(201);
    await eventually(
      async () => received.some(({ body: sent }) => sent.includes("env-of-flow")) && true,
    );
    // The run lies in the stream of the resource's scope: the log looks there too.
    const { token } = admin;
    const logged = async () => (await ask("GET", `/logs?flowId=${id}`, { token })).body.hits;
    await expect.poll(logged).toMatchObject([{ portType: "out" }, { portType: "in" }]);
    const [hit] = await logged();
    expect(hit).toMatchObject({ componentId: "P", senderId: "T", severity: "info" });
    const path = `/logs/runs/${encodeURIComponent(hit._id)}`;
    expect((await ask("GET", path, { token })).body).toEqual(hit);
    expect((await ask("GET", path, { token: user.token })).status).toBe(404);
    expect((await ask("GET", `/logs?flowId=${id}`, user)).body.hits).toEqual([]);
    await command(admin, id, { command: "stop" });
    vi.unstubAllGlobals();
  });

  it("refuse a descriptor whose shape is wrong, naming component and field", async () => {
    const { token } = await newUser();
    const body = { flow: { T: { type: "nonsense" } } };
    const refused = await ask("POST", "/flows", { token, body });
    expect(refused.status).toBe(400);
    expect(refused.body.message).toContain("flow.T.type");
  });

  it("are not changed while they run, unless it is forced; start and stop may be repeated", async () => {
    const user = await newUser();
    const { token } = user;
    const id = await make(user);
    for (let twice = 0; twice < 2; twice += 1)
      expect(await command(user, id, { command: "start" })).toMatchObject({ status: 200 });
    const body = { name: "Renamed" };
    expect((await ask("PUT", `/flows/${id}`, { token, body })).status).toBe(409);
    const forced = await ask("PUT", `/flows/${id}?forceUpdate=true`, { token, body });
    expect(forced.body).toEqual({ flowId: id, result: "updated" });
    const broken = { flow: { P: step() } };
    expect(
      (await ask("PUT", `/flows/${id}?forceUpdate=true`, { token, body: broken })).status,
    ).toBe(400);
    expect((await ask("GET", `/flows/${id}`, { token })).body).toMatchObject({
      name: "Renamed",
      stage: "running",
      flow,
    });
    const stopped = await command(user, id, { command: "stop", background: true });
    expect(stopped.body).toEqual({ flowId: id, ticket: expect.any(String) });
    const status = await ask("GET", `/flows/${id}/coordinator/status`, { token });
    expect(status.body).toMatchObject({ status: "completed", stepsTotal: 2 });
  });
});

describe("templates", () => {
  const shared = [{ domain: "yourapp.com", permissions: ["read"] }];

  it("are activated by those they are shared with, as existing clients do it", async () => {
    const [designer, user] = [await newUser(), await madeUser()];
    const { token } = user;
    const template = await make(designer, {
      name: "Tmpl",
      flow,
      type: "integration-template",
      sharedWith: shared,
    });
    const listed = await ask("GET", "/flows?filter=type:integration-template", { token });
    expect(listed.body.map(({ flowId }: any) => flowId)).toContain(template);
    const looked = await ask("GET", `/flows/${template}?projection=type,stage`, { token });
    expect(looked.body).toMatchObject({ type: "integration-template", stage: "stopped" });
    expect((await ask("PUT", `/flows/${template}`, { token, body: {} })).status).toBe(404);
    expect((await ask("DELETE", `/flows/${template}`, { token })).status).toBe(403);
    expect((await command(user, template, { command: "start" })).status).toBe(403);
    const body = {
      projection: "-sharedWith",
      isTemplateInstance: true,
      connectAccounts: false,
      connectSharedAccounts: true,
      setOriginFlowId: true,
      additional: { type: "integration-instance" },
    };
    const { cloneId } = (await ask("POST", `/flows/${template}/clone`, { token, body })).body;
    const clone = (await ask("GET", `/flows/${cloneId}`, { token })).body;
    expect(clone).toMatchObject({
      originFlowId: template,
      stage: "stopped",
      name: "Tmpl",
      type: "integration-instance",
      sharedWith: [],
    });
    expect(Object.keys(clone.componentIdMap)).toEqual(["T", "P"]);
    expect(Object.keys(clone.flow)).toEqual(Object.values(clone.componentIdMap));
    expect((await command(user, cloneId, { command: "start" })).status).toBe(200);
  });

  it("bring their instances up to date and keep what users changed", async () => {
    const [designer, user] = [await newUser(), await madeUser()];
    const { token } = user;
    const template = await make(designer, {
      name: "Tmpl",
      flow,
      type: "integration-template",
      sharedWith: shared,
    });
    const clone = { isTemplateInstance: true };
    const { cloneId } = (await ask("POST", `/flows/${template}/clone`, { token, body: clone }))
      .body;
    const before = (await ask("GET", `/flows/${cloneId}`, { token })).body;
    const { T, P } = before.componentIdMap;
    before.flow[T].config.properties.event = "mine";
    await ask("PUT", `/flows/${cloneId}`, { token, body: { flow: before.flow } });
    await command(user, cloneId, { command: "start" });
    const newer = { T: trigger(), P: step({ url: "http://127.0.0.1:9/v2" }) };
    await ask("PUT", `/flows/${template}`, { token: designer.token, body: { flow: newer } });
    const path = `/integrations/${template}/update-integration-instances`;
    expect((await ask("POST", path, { token, body: {} })).status).toBe(403);
    const { ticket } = (
      await ask("POST", path, { token: designer.token, body: { inProgressData: "keep" } })
    ).body;
    const status = async () =>
      (await ask("GET", `/integrations/status/${ticket}`, { token: designer.token })).body;
    await expect.poll(status).toMatchObject({ status: "completed", stepsTotal: 1, errors: [] });
    const after = (await ask("GET", `/flows/${cloneId}`, { token })).body;
    expect(after.stage).toBe("running");
    expect(after.flow[T].config.properties.event).toBe("mine");
    expect(JSON.stringify(after.flow[P])).toContain("/v2");
    expect((await ask("GET", `/integrations/status/${ticket}`, { token })).status).toBe(404);
  });

  it("publish a draft of a running instance into it, under its own component ids", async () => {
    const user = await newUser();
    const { token } = user;
    const id = await make(user, { name: "I", flow, type: "integration-instance" });
    await command(user, id, { command: "start" });
    const body = {
      setOriginFlowId: true,
      additional: { type: "integration-instance-draft", name: "I2" },
    };
    const { cloneId } = (await ask("POST", `/flows/${id}/clone`, { token, body })).body;
    expect((await ask("POST", `/drafts/${cloneId}/publish`, { token })).status).toBe(409);
    const published = await ask("POST", `/drafts/${cloneId}/publish?forceUpdate=true`, { token });
    expect(published.body).toEqual({ flowId: id });
    const after = (await ask("GET", `/flows/${id}`, { token })).body;
    expect(after).toMatchObject({ name: "I2", stage: "running", flow });
  });
});

describe("component webhooks", () => {
  it("answer 202 to anybody while their flow runs, 404 otherwise; app events want their owner", async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const hook = { W: { type: "appmixer.utils.http.Webhook", source: {} } };
    const id = await make(ada, { flow: hook });
    const path = `/flows/${id}/components/W`;
    expect((await ask("POST", path, { body: {} })).status).toBe(404);
    await command(ada, id, { command: "start" });
    expect((await ask("POST", `${path}?enqueueOnly=true`, { body: {} })).status).toBe(202);
    expect((await ask("GET", path)).status).toBe(202);
    const url = await ask("GET", "/triggers/W/url", { token: ada.token });
    expect(url.body.url).toContain(path);
    expect((await ask("GET", "/triggers/W/url", { token: bob.token })).status).toBe(404);
    const other = await make(ada);
    await command(ada, other, { command: "start" });
    const event = `/flows/${other}/components/T`;
    expect((await ask("POST", event, { body: {} })).status).toBe(401);
    expect((await ask("POST", event, { body: {}, token: bob.token })).status).toBe(404);
    expect((await ask("POST", event, { body: {}, token: ada.token })).status).toBe(202);
  });
});

it("answers unknown paths of the surface in its own format", async () => {
  expect(await ask("GET", "/flows/a/b/c/d")).toMatchObject({
    status: 404,
    body: { statusCode: 404, error: "Not Found" },
  });
});
