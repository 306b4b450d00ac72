import { createServer, type ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EgressPolicy, parseAllowList } from "../../src/http/egress";
import { request } from "../../src/http/client";
import { serve, type Server } from "../vendors/server.ts";

/** The guard over a real network: a resolver and receivers on loopback, which the operator allowed by name. */

let resolver: Server;
let inner: Server;
let outer: Server;
let zone: Record<string, { type: number; data: string }[]> = {};
let innerCalls = 0;
let policy: EgressPolicy;

beforeAll(async () => {
  resolver = await serve(({ query }) => {
    const wanted = query.get("type") === "AAAA" ? 28 : 1;
    const all = zone[query.get("name") ?? ""] ?? [];
    return {
      status: 200,
      body: { Status: 0, Answer: all.filter(({ type }) => type === wanted || type === 5) },
    };
  });
  inner = await serve(() => {
    innerCalls += 1;
    return { status: 200, body: "secret" };
  });
  outer = await serve(() => ({
    status: 302,
    headers: { location: `${inner.url}/latest/meta-data/` },
  }));
  policy = {
    allow: parseAllowList(["127.0.0.1"]),
    allowHttp: false,
    ownHost: undefined,
    resolver: `${resolver.url}/dns-query`,
  };
});
afterAll(async () => {
  await Promise.all([resolver?.close(), inner?.close(), outer?.close()]);
});

const get = (url: string, change: Partial<EgressPolicy> = {}) =>
  request(
    { url, method: "POST", headers: {}, body: "{}", timeoutMs: 2_000, mostBytes: 1_000 },
    { ...policy, ...change },
  );

describe("names, checked with a resolver", () => {
  it("that resolve to a private address are refused, in A, in AAAA, behind an alias, and beside a public one", async () => {
    zone = {
      "a.example.com": [{ type: 1, data: "10.0.0.1" }],
      "aaaa.example.com": [{ type: 28, data: "fd00::1" }],
      "alias.example.com": [
        { type: 5, data: "inner.example.com." },
        { type: 1, data: "192.168.1.1" },
      ],
      "both.example.com": [
        { type: 1, data: "93.184.216.34" },
        { type: 1, data: "169.254.169.254" },
      ],
    };
    for (const [host, address] of [
      ["a", "10.0.0.1"],
      ["aaaa", "fd00::1"],
      ["alias", "192.168.1.1"],
      ["both", "169.254.169.254"],
    ])
      expect(await get(`https://${host}.example.com/hook`)).toEqual({
        kind: "refused",
        error: `Host '${host}.example.com' resolves to ${address}, which is not public`,
      });
  });

  it("are called when the resolver is down or knows nothing: it is a second fence, not the first", async () => {
    const down = { resolver: "http://127.0.0.1:1/dns-query" };
    for (const change of [down, {}])
      expect((await get(`https://${crypto.randomUUID()}.invalid-zone.example/`, change)).kind).toBe(
        "failed",
      );
  });

  it("are not asked for again for a minute: an answer that changes in between is not seen", async () => {
    zone = { "rebinds.example.com": [{ type: 1, data: "93.184.216.34" }] };
    const before = resolver.requests.length;
    await get("https://rebinds.example.com:8443/");
    zone = { "rebinds.example.com": [{ type: 1, data: "10.0.0.1" }] };
    expect((await get("https://rebinds.example.com:8443/")).kind).not.toBe("refused");
    expect(resolver.requests.length - before).toBe(2);
  });
});

describe("a redirect to a private address", () => {
  it("is never followed: its status is the answer", async () => {
    expect(await get(`${outer.url}/hook`)).toMatchObject({ kind: "answered", status: 302 });
    expect(innerCalls).toBe(0);
  });
});

it("given a slow-loris or endless response, then it stops at the timeout and size cap", async () => {
  const server = createServer((message, response) => {
    response.writeHead(200);
    const endless = message.url === "/endless";
    const timer = setInterval(() => response.write(endless ? "x".repeat(65_536) : "x"), 20);
    response.once("close", () => clearInterval(timer));
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const ask = (path: string) =>
    request(
      { url: base + path, method: "GET", headers: {}, timeoutMs: 3_000, mostBytes: 1_000 },
      policy,
    );
  expect(await ask("/slow")).toMatchObject({
    kind: "answered",
    status: 200,
    fault: "The body did not end within 3000 ms",
  });
  const endless = await ask("/endless");
  expect(endless).toMatchObject({ kind: "answered", truncated: true });
  expect(endless.kind === "answered" && endless.bytes.byteLength).toBe(1_000);
  server.closeAllConnections();
  server.close();
});

type Reply = ServerResponse;

/** What a receiver may do with a body after its status line. */
const bodies: [string, (reply: Reply, status: number) => void, RegExp][] = [
  [
    "stalls before its first byte",
    (reply, status) => reply.writeHead(status).flushHeaders(),
    /end within/,
  ],
  [
    "stalls in the middle",
    (reply, status) => void reply.writeHead(status).write("half"),
    /end within/,
  ],
  [
    "comes a byte at a time",
    (reply, status) => {
      reply.writeHead(status);
      const timer = setInterval(() => reply.write("x"), 50);
      reply.once("close", () => clearInterval(timer));
    },
    /end within/,
  ],
  [
    "breaks off short of its length",
    (reply, status) => {
      reply.writeHead(status, { "content-length": "100" });
      reply.write("half", () => reply.destroy());
    },
    /could not be read/,
  ],
  [
    "breaks off between chunks",
    (reply, status) => {
      reply.writeHead(status);
      reply.write("half", () => reply.destroy());
    },
    /could not be read/,
  ],
  ...["gzip", "deflate"].map((encoding): (typeof bodies)[number] => [
    `is not ${encoding}, though it says so`,
    (reply, status) =>
      void reply.writeHead(status, { "content-encoding": encoding }).end("plain text"),
    /could not be read/,
  ]),
];

// All at once: most only wait for a time that a busy machine keeps, too.
describe.concurrent.each([200, 202, 299, 302, 400, 410, 429, 503])("the status %i", (status) => {
  it.each(bodies)("decides though the body %s", async (_, make, fault) => {
    const server = createServer((_message, reply) => make(reply, status)).listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
    const answer = await request(
      { url, method: "POST", headers: {}, body: "{}", timeoutMs: 4_000, mostBytes: 1_000 },
      policy,
    );
    server.closeAllConnections();
    server.close();
    expect(answer).toMatchObject({ kind: "answered", status, fault: expect.stringMatching(fault) });
  });
});
