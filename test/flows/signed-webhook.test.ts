import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { publicKeyOf, standardHeaders } from "../../src/delivery/signature";
import { ask, foundation, newUser, type SignedIn } from "../accounts/ask";
import { eventually, receiver } from "../delivery/build";
import { step } from "./components";

/** A flow's webhook asks its callers for a signature (reference app-events-api.md §8). */

beforeAll(foundation);
afterEach(() => vi.unstubAllGlobals());

const M = "********";
const whsec = (bytes: string) => `whsec_${Buffer.from(bytes.padEnd(32, "-")).toString("base64")}`;
const SECRET = whsec("the secret of a flow");
const OLD = whsec("the secret before it");
const SEED = `whsk_${Buffer.from("an-ed25519-seed-of-32-bytes-here").toString("base64")}`;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PEM = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();
const v1 = (secret: string, id: string, body: string, at = Date.now()) =>
  standardHeaders(id, at, body, [{ algorithm: "v1", secret }]);

const STANDARD = { scheme: "standard-webhooks" };
const HUB = { header: "x-hub-signature-256", encoding: "hex", prefix: "sha256=" };
const hub = (secret: string, body: string) => ({
  "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
});

const hook = (signature: unknown) => ({
  type: "appmixer.utils.http.Webhook",
  source: {},
  config: { properties: { signature } },
});
const save = ({ token }: SignedIn, flow: object) =>
  ask("POST", "/flows", { token, body: { name: "F", flow } });
const coordinate = ({ token }: SignedIn, flowId: string, command: string) =>
  ask("POST", `/flows/${flowId}/coordinator`, { token, body: { command } });

/** A running flow that sends on what it is sent. */
async function running(signature: unknown) {
  const user = await newUser();
  const url = `http://127.0.0.1:9/signed-${crypto.randomUUID()}`;
  const flow = { T: hook(signature), P: step({ url, body: "{{{$.T.out.data}}}" }) };
  const { flowId } = (await save(user, flow)).body;
  const received = receiver(() => new Response());
  expect((await coordinate(user, flowId, "start")).status).toBe(200);
  const call = async (body: string, headers: Record<string, string>) => {
    const response = await exports.default.fetch(`http://t.example/flows/${flowId}/components/T`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
    return { status: response.status, body: (await response.json()) as any };
  };
  const sent = () => received.filter((one) => one.url === url).map(({ body }) => body);
  return { user, flowId, flow, call, sent };
}

const BODY = '{"a": 1}';
const OTHER_BODY = '{"a":1}';

describe("a call of a flow's webhook that asks for a signature", () => {
  it.each<[string, object, (body: string) => Record<string, string>]>([
    ["Standard Webhooks v1", { ...STANDARD, secret: SECRET }, (body) => v1(SECRET, "m", body)],
    [
      "the secret before",
      { ...STANDARD, secret: SECRET, previousSecret: OLD },
      (body) => v1(OLD, "m", body),
    ],
    [
      "Standard Webhooks v1a",
      { ...STANDARD, secret: publicKeyOf(SEED) },
      (body) => standardHeaders("m", Date.now(), body, [{ algorithm: "v1a", secret: SEED }]),
    ],
    [
      "Svix' names",
      { ...STANDARD, headers: "svix", secret: SECRET },
      (body) =>
        Object.fromEntries(
          Object.entries(v1(SECRET, "m", body)).map(([name, value]) => [
            name.replace("webhook", "svix"),
            value,
          ]),
        ),
    ],
    ["a described scheme", { ...HUB, secret: "a text" }, (body) => hub("a text", body)],
    [
      "a described public key",
      { header: "x-sig", encoding: "base64", algorithm: "rsa-sha256", secret: PEM },
      (body) => ({ "x-sig": sign("sha256", Buffer.from(body), rsa.privateKey).toString("base64") }),
    ],
  ])("is taken with that of %s, and with no other", async (_, signature, headersOf) => {
    const one = await running(signature);
    const refused = [
      await one.call(BODY, {}),
      await one.call(OTHER_BODY, headersOf(BODY)),
      await one.call(BODY, v1(whsec("somebody else's"), "m", BODY)),
      await one.call(BODY, hub("somebody else's", BODY)),
    ];
    expect(refused.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect((await one.call(BODY, headersOf(BODY))).status).toBe(202);
    expect(await eventually(async () => one.sent().length > 0 && one.sent())).toEqual([OTHER_BODY]);
  });

  it.each([
    [-240, 202],
    [240, 202],
    [-301, 401],
    [360, 401],
  ])("is taken %i seconds from now with %i", async (seconds, status) => {
    const one = await running({ ...STANDARD, secret: SECRET });
    const headers = v1(SECRET, "m", BODY, Date.now() + seconds * 1000);
    expect((await one.call(BODY, headers)).status).toBe(status);
  });

  it("is taken once under the id that the signature covers, whatever other ids come with it", async () => {
    const one = await running({ ...STANDARD, secret: SECRET });
    const headers = v1(SECRET, "msg_1", BODY);
    const first = await one.call(BODY, headers);
    const again = await one.call(BODY, { ...headers, "svix-id": "2", "idempotency-key": "3" });
    const forged = await one.call(BODY, { ...headers, "webhook-id": "msg_2" });
    const next = await one.call(BODY, v1(SECRET, "msg_2", BODY));
    expect([first, again, forged, next].map(({ status }) => status)).toEqual([202, 202, 401, 202]);
    expect(again.body.correlationId).toBe(first.body.correlationId);
    expect(next.body.correlationId).not.toBe(first.body.correlationId);
  });
});

describe("a call that starts no run", () => {
  const linesOf = async ({ user: { token }, flowId }: Awaited<ReturnType<typeof running>>) => {
    const { body } = await ask("GET", `/logs?flowId=${flowId}&query=_index:calls`, { token });
    return body.hits as any[];
  };

  it("is a line of its flow's log, with what was sent and without what it proves", async () => {
    const one = await running({ ...STANDARD, secret: SECRET });
    const other = await running({ ...STANDARD, secret: SECRET });
    const good = v1(SECRET, "msg_1", BODY);
    await one.call(BODY, v1(OLD, "msg_0", BODY));
    await one.call(BODY, good);
    await one.call(BODY, good);
    const lines = await linesOf(one);
    expect(lines).toMatchObject([
      { severity: "info", componentId: "T", msg: expect.stringContaining("repeated") },
      { severity: "error", componentId: "T", msg: "POST refused: wrong-signature" },
    ]);
    const { token } = one.user;
    const path = `/logs/calls/${lines[1]._id}`;
    const { request, ...line } = (await ask("GET", path, { token })).body;
    expect(line).toEqual(lines[1]);
    expect(request).toMatchObject({ method: "POST", body: BODY });
    expect(request.headers).toMatchObject({ "webhook-id": "msg_0", "webhook-signature": M });
    expect(await linesOf(other)).toEqual([]);
    expect((await ask("GET", path, { token: other.user.token })).status).toBe(404);
    const counts = await ask("POST", "/logs", { token, body: { aggs: "severity" } });
    expect(counts.body.buckets).toContainEqual({ key: "error", doc_count: 1 });
  });

  it("writes no more rows than the bound, however many come", async () => {
    const one = await running({ ...STANDARD, secret: SECRET });
    await one.call(BODY, {});
    const row = await env.DB.prepare("SELECT user_id AS id FROM flows WHERE id = ?")
      .bind(one.flowId)
      .first<{ id: number }>();
    const stream = env.EVENT_STREAMS.getByName(`1/user:${row?.id}`);
    const before = (await stream.meter()).rowsWritten;
    for (let sent = 0; sent < 150; sent += 1) expect((await one.call(BODY, {})).status).toBe(401);
    expect((await stream.meter()).rowsWritten - before).toBeLessThan(450);
    expect(await linesOf(one)).toHaveLength(50);
  });
});

describe("the secret", () => {
  const tables = async (flowId: string) =>
    JSON.stringify(
      await Promise.all(
        ["flows WHERE id", "flow_triggers WHERE flow_id"].map(
          async (where) =>
            (await env.DB.prepare(`SELECT * FROM ${where} = ?`).bind(flowId).all()).results,
        ),
      ),
    );

  it.each([
    ["text", { ...HUB, secret: "token" }, (body: string) => hub("token", body), "token\\\\"],
    ["whsec", { ...STANDARD, secret: SECRET }, (body: string) => v1(SECRET, "m", body), SECRET],
  ])("of %s is sealed, masked, and kept where the mask comes back", async (...row) => {
    const [, signature, headersOf, written] = row;
    const { user, flowId, call } = await running(signature);
    const { token } = user;
    expect(await tables(flowId)).not.toContain(`"${written}`);
    expect(await tables(flowId)).toContain("~sealed.");
    const shown = (await ask("GET", `/flows/${flowId}`, { token })).body;
    expect(shown.flow.T.config.properties.signature).toEqual({ ...signature, secret: M });
    const answers = [
      await ask("GET", "/flows", { token }),
      await ask("GET", `/flows/${flowId}/validate`, { token }),
      await ask("POST", `/flows/${flowId}/clone`, { token, body: {} }),
    ];
    expect(JSON.stringify(answers)).not.toMatch(/~sealed|whsec_/);
    const put = await ask("PUT", `/flows/${flowId}?forceUpdate=true`, {
      token,
      body: { flow: shown.flow },
    });
    expect(put.status).toBe(200);
    expect(await tables(flowId)).not.toContain(`"${written}`);
    expect((await call(BODY, headersOf(BODY))).status).toBe(202);
    const { cloneId } = answers[2]!.body;
    expect((await coordinate(user, cloneId, "start")).status).toBe(200);
  });
});

describe("a signature that no call could have", () => {
  it.each<[string, unknown, string]>([
    ["a text", "secret", "signature"],
    ["without a secret", { ...STANDARD }, "signature.secret"],
    ["with an empty secret", { ...STANDARD, secret: "" }, "signature.secret"],
    ["with a number for a secret", { ...STANDARD, secret: 5 }, "signature.secret"],
    ["with what is no key", { ...STANDARD, secret: "not base64!" }, "signature.secret"],
    ["with a private key", { ...STANDARD, secret: SEED }, "signature.secret"],
    ["with a placeholder", { ...HUB, secret: "{{{$.T.out}}}" }, "signature.secret"],
    [
      "with a wrong key of before",
      { ...STANDARD, secret: SECRET, previousSecret: "!" },
      "previous",
    ],
    ["of an unknown scheme", { scheme: "other", secret: SECRET }, "signature"],
    ["with a member that is none", { ...STANDARD, secret: SECRET, secrets: [] }, "signature"],
    ["over what is nothing", { ...HUB, secret: "x", content: "${id}" }, "signature"],
    ["with what only we seal", { ...HUB, secret: "~sealed.01234567.AA~" }, "~sealed"],
  ])("%s is refused where it is saved", async (_, signature, named) => {
    const user = await newUser();
    const { status, body } = await save(user, { T: hook(signature) });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(named)]);
  });

  it("that stands for a secret which isn't stored keeps its flow from starting", async () => {
    const user = await newUser();
    const { flowId } = (await save(user, { T: hook({ ...HUB, secret: M }), P: step() })).body;
    const { status, body } = await coordinate(user, flowId, "start");
    expect([status, body.message]).toEqual([400, expect.stringContaining("signature.secret")]);
  });

  it("null is none", async () => {
    const one = await running(null);
    expect((await one.call(BODY, {})).status).toBe(202);
  });
});
