import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { exampleSchema } from "../../src/app-events/example-schema";
import { hashSecret } from "../../src/accounts/secret";
import { ask, foundation, madeUser, newUser, type SignedIn } from "../accounts/ask";
import { receiver } from "../delivery/build";
import { step, trigger } from "../flows/build";

/** Sentences of reference app-events-api.md that no other test would miss, in its order. */

beforeAll(foundation);
afterEach(() => {
  vi.unstubAllGlobals();
});

const PLUGIN = "/plugins/appmixer/utils/appevents";
const create = async (user: SignedIn, body: object): Promise<string> =>
  (await ask("POST", "/flows", { token: user.token, body })).body.flowId;
const start = (user: SignedIn, id: string) =>
  ask("POST", `/flows/${id}/coordinator`, { token: user.token, body: { command: "start" } });
const idOf = async (user: SignedIn): Promise<string> =>
  (await ask("GET", "/user", { token: user.token })).body.id;

describe("§1 auth and errors", () => {
  it("an error says status, reason phrase and message, and nothing else", async () => {
    const { token } = await newUser();
    const gone = await ask("GET", "/flows/none", { token });
    expect(gone.body).toEqual({
      statusCode: 404,
      error: "Not Found",
      message: "No flow with id 'none'",
    });
    expect((await ask("GET", "/flows")).body).toEqual({
      statusCode: 401,
      error: "Unauthorized",
      message: "Missing authentication",
    });
  });

  it("tokens are not refreshed: clients are told 404 and sign in", async () => {
    const body = { refreshToken: "x" };
    expect((await ask("POST", "/user/sso/refresh", { body })).status).toBe(404);
  });

  it("browsers may send and read exactly what is listed", async () => {
    const headers = { origin: "https://app.example" };
    const asked = await ask("OPTIONS", `${PLUGIN}/events/x`, { headers });
    expect(asked.headers.get("access-control-allow-headers")).toBe(
      "Authorization, Content-Type, Idempotency-Key",
    );
    const { token } = await newUser();
    const sent = await ask("POST", `${PLUGIN}/events/x`, { token, headers });
    expect(sent.headers.get("access-control-expose-headers")).toBe(
      "X-Event-Id, Idempotency-Replayed, Retry-After",
    );
    expect(sent.headers.get("access-control-allow-origin")).toBe("https://app.example");
  });

  it("OPTIONS is answered with 204 on every route of the surface", async () => {
    const paths = `/ /user /user/auth /user/change-password /user/sso/refresh
      ${PLUGIN}/events/a ${PLUGIN}/triggers ${PLUGIN}/triggers/T /app-events /app-events/e /app-events/e/replay
      /component/appmixer/utils/appevents/OnAppEvent /variables/f/fetch
      /flows /flows/count /flows/f /flows/f/coordinator /flows/f/coordinator/status /flows/f/validate /flows/f/clone
      /integrations/t/update-integration-instances /integrations/status/t /integrations/t /drafts/d/publish
      /flows/f/components/c /triggers/c/url /unprocessed-messages /unprocessed-messages/m /unprocessed-messages/m/retry
      /logs /logs/i/l`.split(/\s+/);
    const headers = { origin: "https://app.example" };
    const answers = await Promise.all(paths.map((path) => ask("OPTIONS", path, { headers })));
    expect(answers.map(({ status }, index) => [paths[index], status])).toEqual(
      paths.map((path) => [path, 204]),
    );
  });
});

describe("§2 users", () => {
  it("are shown exactly as written", async () => {
    const metadata = { crm: 7 };
    const body = { username: "shown", email: "shown@yourapp.com", password: "a-good-password" };
    const made = await ask("POST", "/user", { body: { ...body, metadata } });
    expect(Object.keys(made.body)).toEqual(["token"]);
    const { token } = made.body;
    const own = (await ask("GET", "/user", { token })).body;
    const { id } = own;
    const { username, email } = body;
    const shared = { id, username, isActive: true, email };
    expect(own).toEqual({ ...shared, scope: ["user"], metadata, plan: "free" });
    const signed = await ask("POST", "/user/auth", { body });
    expect(signed.body).toEqual({
      user: { ...shared, plan: "free", metadata },
      token: expect.any(String),
    });
  });

  it("one of username and email stands for both", async () => {
    const email = "only@yourapp.com";
    const made = await ask("POST", "/user", { body: { email, password: "a-good-password" } });
    const shown = await ask("GET", "/user", { token: made.body.token });
    expect(shown.body).toMatchObject({ username: email, email });
    expect((await ask("POST", "/user", { body: { password: "a-good-password" } })).status).toBe(
      400,
    );
  });

  it("join the organization of an API key; a name is taken over all organizations", async () => {
    const at = Date.now();
    await env.DB.batch([
      env.DB.prepare(
        "INSERT INTO organizations (id, name, secret_hash, created_at) VALUES (77, 'Other', 'x', ?)",
      ).bind(at),
      env.DB.prepare(
        "INSERT INTO users (organization_id, email, secret_hash, password_hash, role, created_at) VALUES (77, 'boss@other.example', 'x77', '', 'admin', ?)",
      ).bind(at),
      env.DB.prepare(
        `INSERT INTO api_keys (id, organization_id, name, key_hash, scopes, created_at) VALUES ('k77', 77, 'k', ?, '["read","write"]', ?)`,
      ).bind(hashSecret("key-of-another-organization"), at),
    ]);
    const token = "key-of-another-organization";
    const body = { email: "other@yourapp.com", password: "a-good-password" };
    expect((await ask("POST", "/user", { token, body })).status).toBe(200);
    const row = await env.DB.prepare("SELECT organization_id FROM users WHERE email = ?")
      .bind(body.email)
      .first();
    expect(row).toEqual({ organization_id: 77 });
    expect((await ask("POST", "/user", { body })).status).toBe(409);
  });

  it("that are gone are told apart from bad tokens where command-line clients look, and nowhere else", async () => {
    const user = await newUser();
    await env.DB.prepare("DELETE FROM users WHERE email = ?").bind(user.email).run();
    expect((await ask("GET", "/user", { token: user.token })).status).toBe(404);
    expect((await ask("GET", "/flows", { token: user.token })).status).toBe(401);
  });
});

describe("§3 app events", () => {
  it("answer exactly as written, and give the flow method, data and query, never credentials", async () => {
    const url = `http://127.0.0.1:9/${crypto.randomUUID()}`;
    const posts = receiver(
      () => new Response("ok"),
      (one) => one.url === url,
    );
    const user = await newUser();
    const flow = {
      T: trigger(),
      P: step({ url, body: "{{{$.T.out}}}" }),
    };
    const flowId = await create(user, { flow });
    await start(user, flowId);
    const sent = await ask("POST", `${PLUGIN}/events/contact-created?campaign=7`, {
      token: user.token,
      body: { email: "a@b" },
      headers: { cookie: "session=1", "x-api-key": "k", "x-trace": "t" },
    });
    const userId = await idOf(user);
    const [{ createdAt, correlationId }] = sent.body.triggers;
    expect(JSON.stringify(sent.body)).toBe(
      `{"triggers":[{"userId":"${userId}","event":"contact-created","componentId":"T","flowId":"${flowId}",` +
        `"createdAt":"${createdAt}","correlationId":"${correlationId}"}],"errors":[]}`,
    );
    const stream = env.EVENT_STREAMS.getByName(`1/user:${userId}`);
    const kept = JSON.parse((await stream.event(sent.headers.get("x-event-id") ?? ""))?.data ?? "");
    expect(kept.content).toMatchObject({
      method: "POST",
      data: { email: "a@b" },
      query: { campaign: "7" },
      headers: { "x-trace": "t" },
    });
    const names = Object.keys(kept.content.headers);
    expect(names.filter((name) => /auth|cookie|key/.test(name))).toEqual([]);
    // What the component puts out is wrapped in `data`, and nothing is beside it.
    await expect.poll(() => posts[0]?.body).toBe('{"data":{"email":"a@b"}}');
  });

  it("an Idempotency-Key has 1 to 255 printable ASCII characters", async () => {
    const { token } = await newUser();
    const send = async (key: string) =>
      (await ask("POST", `${PLUGIN}/events/k`, { token, headers: { "idempotency-key": key } }))
        .status;
    expect(await send("")).toBe(400);
    expect(await send("k")).toBe(200);
    expect(await send(`a b~${"k".repeat(251)}`)).toBe(200);
    expect(await send("k".repeat(256))).toBe(400);
    expect(await send("ä")).toBe(400);
  });

  it("the history tells exactly what is written", async () => {
    const user = await newUser();
    const { token } = user;
    const flowId = await create(user, {
      flow: { T: trigger("h"), P: step({ url: `http://127.0.0.1:9/${crypto.randomUUID()}` }) },
    });
    await start(user, flowId);
    const sent = await ask("POST", `${PLUGIN}/events/h?flowId=${flowId}`, { token, body: [1] });
    const eventId = sent.headers.get("x-event-id");
    const entry = {
      eventId,
      event: "h",
      receivedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      flowId,
      matched: true,
      triggers: [{ flowId, componentId: "T", correlationId: sent.body.triggers[0].correlationId }],
    };
    expect((await ask("GET", "/app-events", { token })).body).toEqual({ items: [entry] });
    const one = (await ask("GET", `/app-events/${eventId}`, { token })).body;
    expect(one).toEqual({ ...entry, data: [1] });
    expect((await ask("GET", "/app-events/none", { token })).status).toBe(404);
    expect((await ask("POST", "/app-events/none/replay", { token, body: {} })).status).toBe(404);
    const replayed = await ask("POST", `/app-events/${eventId}/replay`, { token, body: {} });
    expect(replayed.body.errors).toEqual([]);
    expect(replayed.body.triggers[0].correlationId).not.toBe(entry.triggers[0]?.correlationId);
  });

  it("a registered trigger is told exactly as written", async () => {
    const user = await newUser();
    const flowId = await create(user, { flow: { T: trigger(), P: step() } });
    const body = { event: "e", componentId: "T", flowId };
    const made = await ask("POST", `${PLUGIN}/triggers`, { token: user.token, body });
    const createdAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(made.body).toEqual({ userId: await idOf(user), ...body, createdAt });
  });
});

describe("§4 examples", () => {
  const bytes = (example: string): string => {
    const { $schema, ...schema } = exampleSchema(example) ?? {};
    expect($schema).toBe("http://json-schema.org/draft-04/schema#");
    return JSON.stringify(schema);
  };

  it.each([
    [
      "A",
      '{"email":"a@b","age":3,"note":null}',
      '{"title":"App Event Data","type":"object","properties":{"email":{"type":"string"},"age":{"type":"number"},"note":{"type":"null"}}}',
    ],
    [
      "B",
      '{"order":{"lines":[{"sku":"x","qty":2},{"sku":"y"}],"tags":["a"]},"matrix":[[1],[3]]}',
      '{"title":"App Event Data","type":"object","properties":{"order":{"type":"object","properties":{"lines":{"type":"array","items":{"type":"object","properties":{"sku":{"type":"string"},"qty":{"type":"number"}},"required":["sku"]}},"tags":{"type":"array","items":{"type":"string"}}}},"matrix":{"type":"array","items":{"type":"array"}}}}',
    ],
    [
      "C",
      '[{"id":1},{"id":2,"name":"n"}]',
      '{"title":"App Event Data Set","type":"array","items":{"type":"object","properties":{"id":{"type":"number"},"name":{"type":"string"}},"required":["id"],"title":"App Event Data"}}',
    ],
  ])("%s is byte for byte what is written", (_, example, schema) => {
    expect(bytes(example)).toBe(schema);
  });

  it("required may be empty", () => {
    expect(exampleSchema('{"l":[{"a":1},{"b":2}]}')).toMatchObject({
      properties: { l: { items: { required: [] } } },
    });
  });

  it("variables are told exactly as written; compression and cache are ignored", async () => {
    const user = await newUser();
    const flow = { T: trigger(), P: step() };
    const flowId = await create(user, { flow });
    const fetched = await ask("POST", `/variables/${flowId}/fetch?compress=true`, {
      token: user.token,
      body: { useCache: true, components: { IDs: ["P"], properties: {}, links: {} } },
    });
    const out = fetched.body.components.P.links.in.T.out;
    delete out.variables.flat;
    expect(JSON.stringify(fetched.body)).toBe(
      '{"components":{"P":{"links":{"in":{"T":{"out":{"variables":{"dynamic":[{"componentId":"T","label":"Data","port":"out","value":"{{{$.T.out.data}}}"}]}}}}}}}}',
    );
  });
});

describe("§5 descriptors", () => {
  it("form-data and binary, and a wrong in port, are 400 at start", async () => {
    const user = await newUser();
    const refused = async (P: object): Promise<string> => {
      const id = await create(user, { flow: { T: trigger(), P } });
      const { status, body } = await start(user, id);
      expect(status).toBe(400);
      expect(body.details[0]).toEqual({
        componentId: "P",
        field: expect.any(String),
        message: expect.any(String),
      });
      return body.message;
    };
    const url = "https://example.com/cb";
    for (const bodyType of ["form-data", "binary"])
      expect(await refused(step({ url, bodyType }))).toContain("not supported yet");
    const config = { transform: { input: { T: { out: { type: "json2new", lambda: { url } } } } } };
    expect(await refused(step(undefined, {}, { config }))).toContain("Malformed transformation");
    const modifiers = { body: { m: { variable: "$.T.out.data", functions: [{ name: "g_x" }] } } };
    expect(await refused(step({ url, body: "{{{m}}}" }, modifiers))).toContain("g_x");
  });

  it.each<[string, number, unknown]>([
    ["a lambda of more than 1 MiB", 413, { body: "x".repeat(1_048_576) }],
    ["a lambda nested without end", 400, JSON.parse('{"a":'.repeat(600) + "1" + "}".repeat(600))],
    ["a lambda that is a list", 400, ["url"]],
  ])("refuses %s", async (_, status, lambda) => {
    const { token } = await newUser();
    const flow = { T: trigger(), P: step(lambda as Record<string, unknown>) };
    expect((await ask("POST", "/flows", { token, body: { flow } })).status).toBe(status);
  });

  it("what can't be kept together in one row is refused, and nothing of it is written", async () => {
    const user = await newUser();
    const { token } = user;
    const large = { url: "https://example.com/cb", body: "x".repeat(1_000_000) };
    const id = await create(user, { flow: { T: trigger(), P: step(large) } });
    const cloned = await ask("POST", `/flows/${id}/clone`, {
      token,
      body: { isTemplateInstance: true },
    });
    expect(cloned).toMatchObject({ status: 413, body: { error: "Payload Too Large" } });
    const body = { wizard: "x".repeat(1_000_000) };
    expect((await ask("PUT", `/flows/${id}`, { token, body })).status).toBe(413);
    expect((await ask("GET", `/flows/${id}`, { token })).body).toMatchObject({ wizard: null });
    expect((await ask("GET", "/flows/count", { token })).body).toEqual({ count: 1 });
  });

  it("prototype keys in a lambda or its modifiers change no prototype", async () => {
    const { token } = await newUser();
    const flow = `{"T":${JSON.stringify(trigger())},"P":{"type":"appmixer.utils.http.Post","source":{"in":{"T":["out"]}},
      "config":{"transform":{"in":{"T":{"out":{"modifiers":{"__proto__":{"polluted":{"variable":"g_now"}}},
      "lambda":{"url":"https://example.com","body":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":1}}}}}}}}}}}`;
    const body = { flow: JSON.parse(flow) };
    const made = await ask("POST", "/flows", { token, body });
    expect(made.status).toBe(200);
    const path = `/flows/${made.body.flowId}`;
    expect((await ask("GET", `${path}/validate`, { token })).status).toBe(200);
    expect((await ask("POST", `${path}/clone`, { token, body: {} })).status).toBe(200);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});

describe("§6 flows", () => {
  it("are shown with exactly these members", async () => {
    const user = await newUser();
    const id = await create(user, { flow: {}, type: "automation" });
    const shown = (await ask("GET", `/flows/${id}`, { token: user.token })).body;
    expect(Object.keys(shown)).toEqual(
      "userId flowId stage name description btime mtime flow mode thumbnail started sharedWith customFields type originFlowId componentIdMap revision wizard".split(
        " ",
      ),
    );
    const listed = await ask("GET", "/flows?projection=-flow", { token: user.token });
    expect(Object.keys(listed.body[0])).not.toContain("flow");
  });

  it("several values of one filter are alternatives, several filters hold together", async () => {
    const user = await newUser();
    const { token } = user;
    for (const [name, type] of [
      ["a", "automation"],
      ["b", "integration-draft"],
      ["c", "integration-test"],
    ] as const)
      await create(user, { name, type });
    const names = async (query: string) =>
      (await ask("GET", `/flows?sort=name:1&${query}`, { token })).body.map(
        ({ name }: any) => name,
      );
    expect(await names("filter=type:automation&filter=type:integration-test")).toEqual(["a", "c"]);
    expect(await names("filter=type:!automation&filter=type:!integration-test")).toEqual(["b"]);
    expect(await names("filter=type:automation&filter=stage:running")).toEqual([]);
    const filters = (count: number, filter: string) =>
      `/flows?${`filter=${filter}&`.repeat(count)}`;
    expect((await ask("GET", filters(60, "type:a"), { token })).status).toBe(400);
    expect((await ask("GET", filters(1, "name.first:a"), { token })).status).toBe(400);
  });

  it("a stopped flow may be stopped, a deleted one is gone, another's is not there", async () => {
    const [ada, bob] = [await newUser(), await newUser()];
    const id = await create(ada, { flow: { T: trigger(), P: step() } });
    const stop = (user: SignedIn, query = "") =>
      ask("POST", `/flows/${id}/coordinator${query}`, {
        token: user.token,
        body: { command: "stop" },
      });
    expect((await stop(ada)).body).toEqual({ flowId: id });
    expect((await stop(ada, "?background=true")).body).toEqual({
      flowId: id,
      ticket: expect.any(String),
    });
    expect((await stop(bob)).status).toBe(404);
    await start(ada, id);
    await ask("DELETE", `/flows/${id}`, { token: ada.token });
    expect((await stop(ada)).status).toBe(404);
    const sent = await ask("POST", `${PLUGIN}/events/contact-created`, { token: ada.token });
    expect(sent.body).toEqual({ triggers: [] });
  });
});

describe("§7 templates", () => {
  it("clones keep no map when told so, and are shared by email too", async () => {
    const [designer, user] = [await newUser(), await madeUser()];
    const id = await create(designer, {
      flow: { T: trigger(), P: step() },
      type: "integration-template",
      sharedWith: [{ email: user.email, permissions: ["read"] }],
    });
    const body = { setComponentIdMap: false, setOriginFlowId: true };
    const { token } = user;
    const { cloneId } = (await ask("POST", `/flows/${id}/clone`, { token, body })).body;
    const clone = (await ask("GET", `/flows/${cloneId}`, { token })).body;
    expect(clone).toMatchObject({ componentIdMap: null, originFlowId: id, stage: "stopped" });
    expect(Object.keys(clone.flow)).not.toContain("T");
    const stranger = await newUser();
    expect((await ask("GET", `/flows/${id}`, { token: stranger.token })).status).toBe(404);
  });

  it("an integration is removed with a ticket that is completed", async () => {
    const user = await newUser();
    const { token } = user;
    const id = await create(user, { flow: {}, type: "integration-instance" });
    const { ticket } = (await ask("DELETE", `/integrations/${id}`, { token })).body;
    const status = await ask("GET", `/integrations/status/${ticket}`, { token });
    expect(status.body).toMatchObject({ status: "completed", errors: [] });
    expect((await ask("GET", `/flows/${id}`, { token })).status).toBe(404);
  });
});

describe("§9 and §10 unprocessed messages and logs", () => {
  it("are told exactly as written, for runs in other streams too", async () => {
    receiver(() => new Response("no", { status: 422 }));
    const user = await newUser();
    const { token } = user;
    const flow = {
      T: trigger("x"),
      P: step({
        url: `http://127.0.0.1:9/${crypto.randomUUID()}`,
        body: "{{{$.T.out.data}}}",
      }),
    };
    const flowId = await create(user, { flow });
    await start(user, flowId);
    const sent = await ask("POST", `${PLUGIN}/events/x`, { token, body: { n: 1 } });
    const { correlationId } = sent.body.triggers[0];
    const list = async () =>
      (await ask("GET", `/unprocessed-messages?correlationId=${correlationId}`, { token })).body;
    await expect.poll(list).toHaveLength(1);
    const [message] = await list();
    const { messageId } = message;
    expect(message).toEqual({
      messageId,
      flowId,
      componentId: "P",
      messages: {
        in: [
          {
            properties: {
              correlationId,
              contentType: "application/json",
              sender: {
                componentId: "T",
                type: "appmixer.utils.appevents.OnAppEvent",
                outputPort: "out",
              },
              destination: { componentId: "P", inputPort: "in" },
              flowId,
              messageId,
              flowRunId: correlationId,
            },
            content: { data: { n: 1 } },
            scope: { T: { out: { data: { n: 1 } } } },
            originalContent: { data: { n: 1 } },
          },
        ],
      },
      created: expect.any(String),
      err: expect.stringContaining("422"),
    });
    const one = await ask("GET", `/unprocessed-messages/${messageId}`, { token });
    expect(one.body).toEqual(message);

    const failed = async () =>
      (await ask("GET", `/logs?flowId=${flowId}&portType=out&size=1`, { token })).body;
    await expect.poll(async () => (await failed()).hits).toHaveLength(1);
    const { buckets, hits } = await failed();
    expect(buckets).toEqual([]);
    expect(hits).toEqual([
      {
        _id: `${messageId}.out`,
        _index: "runs",
        severity: "error",
        componentType: "appmixer.utils.http.Post",
        componentId: "P",
        portType: "out",
        senderId: "T",
        senderType: "appmixer.utils.appevents.OnAppEvent",
        port: "response",
        correlationId,
        gridTimestamp: expect.any(String),
        "@timestamp": expect.any(String),
        flowId,
        entity: "input-queue",
        msg: expect.stringContaining("422"),
      },
    ]);
    const [hit] = hits;
    const path = `/logs/${hit._index}/${encodeURIComponent(hit._id)}`;
    expect((await ask("GET", path, { token })).body).toEqual(hit);
    const stranger = await newUser();
    expect((await ask("GET", path, { token: stranger.token })).status).toBe(404);
    expect((await ask("GET", "/logs?query=a%20OR%20b", { token })).status).toBe(400);
    const counted = await ask("POST", "/logs", { token, body: { aggs: "severity" } });
    expect(counted.body).toEqual({
      buckets: [
        { key: "info", doc_count: 1 },
        { key: "error", doc_count: 1 },
      ],
      hits: [],
    });

    expect((await ask("DELETE", `/unprocessed-messages/${messageId}`, { token })).body).toEqual({});
    expect((await ask("GET", `/unprocessed-messages/${messageId}`, { token })).status).toBe(404);
  });
});
