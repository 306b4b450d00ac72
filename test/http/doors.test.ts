import {
  createExecutionContext,
  createMessageBatch,
  runInDurableObject,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { app } from "../../src/app";
import { readConfig } from "../../src/config";
import { concur } from "../../src/connectors/concur";
import { Isolate } from "../../src/delivery/admission.io";
import type { EventStream } from "../../src/stream/stream.object";
import { parseAllowList } from "../../src/http/egress";
import { flowHandler } from "../../src/flows/steps/handler.io";
import { exchangeCode } from "../../src/hub/code.client";
import { API_KEY, ask, foundation, newUser } from "../accounts/ask";
import { connector } from "../accounts/things";
import { consumeWhole, destination, eventually, type Received, receiver } from "../delivery/build";
import { MINE } from "../organization";
import { isVendor } from "../platform";
import { commit, event, freshStream, target } from "../stream/build";
import { step } from "../flows/build";
import { draft } from "../elements/build";
import { HOSTILE } from "./hostile";

/** The table of hostile URLs through every door that takes or calls one, as when deployed. */

const DEPLOYED = {
  ...env,
  ENVIRONMENT: "deployed",
  EGRESS_ALLOW: "",
  TRIBUTARY_PUBLIC_URL: "https://tributary.example.com",
};
const config = readConfig(DEPLOYED);

beforeAll(foundation);
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A test of a destination gives up after a while, which is none on a busy machine. */
const timeStandsStill = () => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });

const ok = (): Response => new Response("ok");

/** What is called, but for the receivers of other tests: what they left behind may be tried again. */
const calls = (answer: Parameters<typeof receiver>[0] = ok): Received[] =>
  receiver(answer, ({ url }) => !url.startsWith("http://127.0.0.1:9/") && !isVendor(url));

async function call(
  method: string,
  path: string,
  body: unknown,
  authorization = `Bearer ${API_KEY}`,
) {
  const context = createExecutionContext();
  const response = await app.request(
    path,
    {
      method,
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify(body),
    },
    DEPLOYED,
    context,
  );
  const text = await response.text();
  await waitOnExecutionContext(context);
  return { status: response.status, text, body: text === "" ? undefined : JSON.parse(text) };
}

/** Consumes what a stream sends, as a deployed Worker does. */
async function consumeDeployed(
  stream: DurableObjectStub<EventStream>,
  resolver?: string,
  allow: string[] = [],
) {
  const messages: unknown[] = [];
  const queue = {
    sendBatch: (batch: { body: unknown }[]) => {
      messages.push(...batch.map(({ body }) => body));
      return Promise.resolve();
    },
  };
  await runInDurableObject(stream, (object) => {
    Reflect.set(object, "env", { ...env, DELIVERIES: queue, DELIVERIES_SLOW: queue });
  });
  const doors = { db: env.DB, streams: env.EVENT_STREAMS, config };
  return async (): Promise<void> => {
    for (const [index, body] of messages.splice(0).entries())
      await consumeWhole(
        createMessageBatch("tributary-deliveries", [
          { id: `m${index}`, timestamp: new Date(), attempts: 1, body },
        ]),
        {
          ...doors,
          config: {
            ...config,
            egress: { ...config.egress, resolver, allow: parseAllowList(allow) },
          },
          endpoints: env.ENDPOINTS,
          isolate: new Isolate(),
          announce: () => Promise.resolve(),
          handlers: { "flow-step": flowHandler(doors) },
        },
      );
  };
}

async function endsOf(stream: DurableObjectStub<EventStream>, count: number) {
  const views = await stream.notifications({ before: null, limit: count, withEvents: false });
  return views.map(({ notification: { state, attempts, destinationId } }) => ({
    destinationId,
    reason: state.kind === "dead" ? state.reason : state.kind,
    error: attempts.at(-1)?.error ?? "",
  }));
}

const GOOD = "https://vendor.example.com/token";
/** Of each kind some: `egress.test.ts` puts all of them to the guard, which every door asks. */
const SOME = inject("isLong") ? HOSTILE : HOSTILE.filter((_, index) => index % 6 === 0);
/** Whether a text field can hold it and it is not simply absent. */
const isNamed = (url: string): boolean => url.trim() !== "";
const NAMED = SOME.filter(isNamed);

describe("promise 8, no hostile URL passes any door", () => {
  it.each(["event.notification.callback.url", "base.url", "oauth.base.url"])(
    "is refused as %s of an instance, which is named",
    async (key) => {
      for (const url of NAMED) {
        const { status, body } = await call(
          "POST",
          "/elements/api-v2/instances",
          draft({ [key]: url }),
          MINE,
        );
        expect({ url, status }).toEqual({ url, status: 400 });
        expect(body.message).toContain(key);
      }
    },
  );

  it("is refused as the address of a Webhook resource, created or changed", async () => {
    const scope = "/apis/management/v1/environments";
    expect((await call("POST", scope, { name: "hostile" })).status).toBe(201);
    const good = { name: "w", spec: { url: "https://app.example.com/hook" } };
    expect((await call("POST", `${scope}/hostile/webhooks`, good)).status).toBe(201);
    for (const [index, url] of SOME.entries()) {
      const made = await call("POST", `${scope}/hostile/webhooks`, {
        name: `w${index}`,
        spec: { url },
      });
      expect({ url, status: made.status }).toEqual({ url, status: 400 });
      expect(made.text).toContain("spec.url");
      const changed = await call("PUT", `${scope}/hostile/webhooks/w`, { ...good, spec: { url } });
      expect({ url, status: changed.status }).toEqual({ url, status: 400 });
    }
  });

  it("is refused as an address of a connector's vendor, which is named", async () => {
    const oauth2 = { type: "oauth2", authorizeUrl: "https://a.example", tokenUrl: GOOD };
    const definitions: [field: string, of: (url: string) => object][] = [
      ["baseUrl", (baseUrl) => ({ baseUrl })],
      ["authentication.tokenUrl", (tokenUrl) => ({ authentication: { ...oauth2, tokenUrl } })],
      [
        "authentication.refreshUrl",
        (refreshUrl) => ({ authentication: { ...oauth2, refreshUrl } }),
      ],
      [
        "otherAuthentications.0.revokeUrl",
        (revokeUrl) => ({ otherAuthentications: [{ ...oauth2, revokeUrl }] }),
      ],
    ];
    for (const [field, of] of definitions)
      for (const url of NAMED)
        for (const [path, prefix] of [
          ["/elements", ""],
          ["/elements/test", "definition."],
        ] as const) {
          const definition = { ...connector(), ...of(url) };
          const body = prefix === "" ? definition : { definition };
          const answer = await call("POST", `/elements/api-v2${path}`, body, MINE);
          expect({ url, path, status: answer.status }).toEqual({ url, path, status: 400 });
          expect(answer.body.message).toContain(`${prefix}${field}: `);
        }
    for (const baseUrl of [GOOD, "https://${subdomain}.example.com/api", "${base.url}/api"]) {
      const { status } = await call(
        "POST",
        "/elements/api-v2/elements",
        { ...connector(), baseUrl },
        MINE,
      );
      expect({ baseUrl, status }).toEqual({ baseUrl, status: 200 });
    }
  });

  it("is refused as the organization's operations callback", async () => {
    for (const url of SOME) {
      const { status, body } = await call("PATCH", "/v1/organization", {
        operationsCallback: { url },
      });
      expect({ url, status }).toEqual({ url, status: 400 });
      expect(body.error.field).toBe("operationsCallback.url");
    }
  });

  it("is never called for a token, neither where the configuration says nor where the vendor does", async () => {
    const called = calls();
    const secrets = { "oauth.api.key": "k", "oauth.api.secret": "s" };
    for (const url of HOSTILE.filter(isNamed)) {
      const doors = { db: env.DB, config };
      for (const key of ["oauth.base.url", "oauth.geolocation"]) {
        const grant = await exchangeCode(
          1,
          concur,
          { ...secrets, [key]: url },
          { code: "code" },
          doors,
        );
        expect({ url, key, ok: grant.ok }).toEqual({ url, key, ok: false });
      }
    }
    // What is no address at all leaves the vendor's own; credentials and ports are dropped.
    const reached = new Set(called.map(({ url }) => url));
    expect([...reached].toSorted()).toEqual([
      "https://example.com/oauth2/v0/token",
      "https://glz.api.concursolutions.com/oauth2/v0/token",
    ]);
  });

  it("is never called as a callback, though it stands in the database", async () => {
    const called = calls();
    const stream = freshStream("scope:hostile/Callback/x");
    const consume = await consumeDeployed(stream);
    const all = await Promise.all(HOSTILE.map((url) => destination({ url })));
    await stream.commit(
      commit({
        targets: all.map(({ id }) => target({ destinationId: id, most: 1 })),
        events: [event("hostile", { to: all.map((_, index) => index) })],
      }),
    );
    await consume();
    const ends = await endsOf(stream, 200);
    expect(ends).toHaveLength(HOSTILE.length);
    for (const { id, url } of all) {
      const end = ends.find(({ destinationId }) => destinationId === id);
      expect({ url, reason: end?.reason }).toEqual({ url, reason: "refused" });
      expect(end?.error).not.toBe("");
    }
    expect(called).toEqual([]);
  });

  it("is refused as the fixed address of a flow's step, made, changed, cloned over, validated and started", async () => {
    const { token, email } = await newUser();
    const field = "config.transform.in.W.out.lambda.url";
    const flowWith = (url: string) => ({
      W: { type: "appmixer.utils.http.Webhook", source: {} },
      P: {
        ...step(),
        source: { in: { W: ["out"] } },
        config: { transform: { in: { W: { out: { type: "json2new", lambda: { url } } } } } },
      },
    });
    const bearer = `Bearer ${token}`;
    const asked = (method: string, path: string, body: unknown) => call(method, path, body, bearer);
    const good = { name: "F", flow: flowWith("https://example.com/cb") };
    const { flowId } = (await asked("POST", "/flows", good)).body;
    const stored = () =>
      env.DB.prepare(
        "SELECT flow FROM flows WHERE user_id = (SELECT id FROM users WHERE email = ?)",
      )
        .bind(email)
        .all<{ flow: string }>();
    const before = (await stored()).results;
    for (const url of NAMED) {
      const flow = flowWith(url);
      for (const [method, path, body] of [
        ["POST", "/flows", { flow }],
        ["PUT", `/flows/${flowId}`, { flow }],
        ["POST", `/flows/${flowId}/clone`, { additional: { flow } }],
      ] as const) {
        const refused = await asked(method, path, body);
        expect({ method, url, status: refused.status }).toEqual({ method, url, status: 400 });
        expect(refused.body.message).toContain(`P: ${field}: `);
        expect(refused.body.details).toMatchObject([{ componentId: "P", field }]);
      }
    }
    expect((await stored()).results).toEqual(before);
    for (const url of SOME) {
      // As one that was saved while the operator still allowed it.
      await env.DB.prepare("UPDATE flows SET flow = ? WHERE id = ?")
        .bind(JSON.stringify(flowWith(url)), flowId)
        .run();
      const validated = await asked("GET", `/flows/${flowId}/validate`, undefined);
      expect({ url, errors: validated.body.errors }).toMatchObject({
        url,
        errors: [{ componentId: "P", field }],
      });
      const started = await asked("POST", `/flows/${flowId}/coordinator`, { command: "start" });
      expect({ url, status: started.status }).toEqual({ url, status: 400 });
    }
  });

  it("is never called by the step of a flow", async () => {
    const called = calls();
    const user = await newUser();
    const { token } = user;
    const transform = {
      in: {
        W: { out: { type: "json2new", modifiers: {}, lambda: { url: "{{{$.W.out.data.url}}}" } } },
      },
    };
    const body = {
      name: "F",
      flow: {
        W: { type: "appmixer.utils.http.Webhook", source: {} },
        P: { ...step(), source: { in: { W: ["out"] } }, config: { transform } },
      },
    };
    const { flowId } = (await ask("POST", "/flows", { token, body })).body;
    const start = { command: "start" };
    expect((await ask("POST", `/flows/${flowId}/coordinator`, { token, body: start })).status).toBe(
      200,
    );
    const row = await env.DB.prepare("SELECT id FROM users WHERE email = ?")
      .bind(user.email)
      .first<{ id: number }>();
    const stream = env.EVENT_STREAMS.getByName(`1/user:${row?.id}`);
    const consume = await consumeDeployed(stream);
    await Promise.all(
      HOSTILE.map((url) => ask("POST", `/flows/${flowId}/components/W`, { body: { url } })),
    );
    await eventually(async () => {
      await consume();
      const ends = await endsOf(stream, 200);
      return ends.every(({ reason }) => reason !== "pending") && true;
    });
    const ends = await endsOf(stream, 200);
    expect(ends).toHaveLength(HOSTILE.length);
    for (const { reason, error } of ends) {
      expect(["refused", "transform-failed"]).toContain(reason);
      expect(error).not.toBe("");
    }
    expect(ends.filter(({ reason }) => reason === "refused").length).toBeGreaterThanOrEqual(80);
    expect(called).toEqual([]);
  });

  it("is refused by the test of a destination, which says why", async () => {
    const called = calls();
    timeStandsStill();
    // The queue's own consumer allows loopback, as local stacks do.
    const hostile = SOME.filter(
      (url) => !/127|localhost|2130706433|7f|0177|⑦|%31|example\.com/i.test(url),
    );
    expect(hostile.length).toBeGreaterThan(8);
    await Promise.all(
      hostile.map(async (url) => {
        const { id } = await destination({ url });
        const { status, body } = await call("POST", `/v1/destinations/${id}/test`, {});
        expect({ url, status, answer: body.status }).toEqual({ url, status: 200, answer: null });
        expect(body.error).not.toBe("");
      }),
    );
    expect(called).toEqual([]);
  });
});

it("given a redirect to a private address, or a URL with odd IPv4 spelling, mapped IPv6, NAT64, 6to4, CGNAT, fc00::/7 or link-local metadata, then creation, test send and delivery all refuse it, unless an opt-in CIDR list permits", async () => {
  const called = calls(
    () => new Response(null, { status: 302, headers: { location: "http://10.0.0.1/" } }),
  );
  timeStandsStill();
  const odd = [
    "https://0xa.1/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/",
    "https://100.64.0.1/",
    "https://[fc00::1]/",
    "https://169.254.169.254/",
  ];
  const stream = freshStream();
  const consume = await consumeDeployed(stream);
  const all = await Promise.all(odd.map((url) => destination({ url })));
  await Promise.all(
    all.map(async ({ id, url }) => {
      const body = draft({ "event.notification.callback.url": url });
      expect((await call("POST", "/elements/api-v2/instances", body, MINE)).status).toBe(400);
      const tried = await call("POST", `/v1/destinations/${id}/test`, {});
      expect({ url, answer: tried.body.status }).toEqual({ url, answer: null });
    }),
  );
  const targets = all.map(({ id }) => target({ destinationId: id, most: 1 }));
  const to = all.map((_, index) => index);
  await stream.commit(commit({ targets, events: [event("odd", { to })] }));
  await consume();
  expect((await endsOf(stream, 10)).map(({ reason }) => reason)).toEqual(odd.map(() => "refused"));
  expect(called).toEqual([]);

  const permitted = await consumeDeployed(stream, undefined, ["10.0.0.0/8", "fc00::/7"]);
  await stream.commit(commit({ targets, events: [event("permitted", { to })] }));
  await permitted();
  const ends = (await endsOf(stream, 7)).toReversed().map(({ reason }) => reason);
  expect(ends).toEqual([
    "retrying",
    "retrying",
    "refused",
    "refused",
    "refused",
    "retrying",
    "refused",
  ]);
  // The redirect is the answer; where it points to is not called.
  expect(new Set(called.map(({ url }) => new URL(url).hostname))).toEqual(
    new Set(["10.0.0.1", "[::ffff:a00:1]", "[fc00::1]"]),
  );
  expect(called).toHaveLength(3);
});

describe("a name that resolves to a private address", () => {
  const answers = (data: string, type: number) => ({
    Status: 0,
    Answer: [{ name: "x", type, TTL: 1, data }],
  });
  const resolving = (data: string) => {
    const asked: string[] = [];
    const called = calls(({ url }) => {
      if (!url.startsWith("https://doh.example/")) return ok();
      const { searchParams } = new URL(url);
      asked.push(searchParams.get("name") ?? "");
      const wanted = data.includes(":") ? "AAAA" : "A";
      return Response.json(
        searchParams.get("type") === wanted
          ? answers(data, wanted === "A" ? 1 : 28)
          : { Status: 0 },
      );
    });
    return {
      called: () => called.filter(({ url }) => !url.startsWith("https://doh.example/")),
      asked,
    };
  };

  it.each([
    "10.0.0.1",
    "169.254.169.254",
    "127.0.0.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "64:ff9b::a00:1",
    "::ffff:10.0.0.1",
    "2002:a00:1::",
  ])("%s is not called, and its reason says so", async (address) => {
    const { called, asked } = resolving(address);
    const stream = freshStream();
    const consume = await consumeDeployed(stream, "https://doh.example/dns-query");
    const host = `${crypto.randomUUID()}.example.com`;
    const { id } = await destination({ url: `https://${host}/hook` });
    await stream.commit(
      commit({ targets: [target({ destinationId: id })], events: [event("dns")] }),
    );
    await consume();
    expect(await endsOf(stream, 1)).toMatchObject([
      { reason: "refused", error: `Host '${host}' resolves to ${address}, which is not public` },
    ]);
    expect(asked).toEqual([host, host]);
    expect(called()).toEqual([]);
  });

  it("is called when it is public", async () => {
    const { called } = resolving("93.184.216.34");
    const stream = freshStream();
    const consume = await consumeDeployed(stream, "https://doh.example/dns-query");
    const { id } = await destination({ url: `https://${crypto.randomUUID()}.example.com/hook` });
    await stream.commit(
      commit({ targets: [target({ destinationId: id })], events: [event("dns")] }),
    );
    await consume();
    expect(await endsOf(stream, 1)).toMatchObject([{ reason: "delivered" }]);
    expect(called()).toHaveLength(1);
  });
});
