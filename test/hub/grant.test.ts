import { env } from "cloudflare:workers";
import { createHash, createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import { OPERATIONS_SOURCE } from "../../src/stream/operational-event";
import { streamName } from "../../src/stream/stream-name";
import { clientName } from "../../src/hub/authorize";
import { listRecords } from "../../src/hub/records.client";
import type { Instance } from "../../src/instances/instance";
import { readInstance } from "../../src/instances/store";
import { boxEmulator } from "../vendors/box";
import { dropboxEmulator } from "../vendors/dropbox";
import { CLIENT, CODE } from "../vendors/grants";
import { hubspotEmulator } from "../vendors/hubspot";
import { quickbooksEmulator } from "../vendors/quickbooks";
import type { Answer, Incoming } from "../vendors/server";
import { sfdcEmulator } from "../vendors/sfdc";
import { emulate, platform, VENDOR } from "../platform";
import { FIRST } from "../organization";

const config = readConfig(env);
const ring = keyring(config.masterKeys);
const doors = { db: env.DB, config, streams: env.EVENT_STREAMS };
const CALLBACK = "https://app.example/cb";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);
afterEach(() => vi.unstubAllGlobals());

const draft = (key: string, configuration: object = {}, code: string = CODE) => ({
  element: { key },
  providerData: { code, realmId: "310687" },
  configuration: {
    "oauth.callback.url": CALLBACK,
    "oauth.api.key": CLIENT.id,
    "oauth.api.secret": CLIENT.secret,
    "base.url": VENDOR,
    "oauth.base.url": VENDOR,
    ...configuration,
  },
});

async function connect(key: string, configuration: object = {}): Promise<Instance> {
  const { status, body } = await on.call("POST", "/instances", draft(key, configuration));
  expect(status, JSON.stringify(body)).toBe(200);
  return read(body.id);
}

async function read(id: number): Promise<Instance> {
  const instance = await readInstance(env.DB, ring, id);
  if (instance === undefined) throw new Error(`No instance ${id}`);
  return instance;
}

/** What an organization's operators were told of an instance. */
async function noticesOf({ id, organizationId }: Instance): Promise<unknown[]> {
  const name = streamName({ organizationId, source: OPERATIONS_SOURCE });
  const { events } = await env.EVENT_STREAMS.getByName(name).events({ after: 0, limit: 1000 });
  return events.flatMap((event) => (event.objectId === String(id) ? JSON.parse(event.data) : []));
}

const isRefresh = ({ text }: Incoming) => text.includes("grant_type=refresh_token");
const refreshes = (granted: readonly string[]) =>
  granted.filter((grant) => grant === "refresh_token").length;

/** The database of an isolate that ends before it writes a grant. */
const crashing: D1Database = new Proxy(env.DB, {
  get(db, name) {
    const member: unknown = Reflect.get(db, name);
    if (typeof member !== "function") return member;
    return (...given: unknown[]) => {
      if (/json_patch/.test(String(given[0]))) throw new Error("The isolate is gone");
      return member.apply(db, given);
    };
  },
});

/** A refresh whose answer comes, and is never written; then its lease runs out. */
async function crashInRefresh(id: number): Promise<void> {
  const instance = await read(id);
  const cutOff = listRecords(
    instance,
    LISTS[instance.connector.key] ?? "",
    {},
    {
      ...doors,
      db: crashing,
    },
  );
  await expect(cutOff).rejects.toThrow();
  const [row] = await rowsOf(id);
  expect(row?.refresh_lease_until).toBeGreaterThan(Date.now());
  await env.DB.prepare("UPDATE instances SET refresh_lease_until = ? WHERE id = ?")
    .bind(Date.now() - 1, id)
    .run();
}

async function rowsOf(id: number) {
  const { results } = await env.DB.prepare("SELECT * FROM instances WHERE id = ?")
    .bind(id)
    .all<{ refresh_lease_until: number }>();
  return results;
}

const LISTS: Record<string, string> = {
  box: "webhooks",
  sfdc: "contacts",
  dropbox: "files",
  hubspot: "contacts",
  quickbooks: "customers",
};

describe("a crash between a refresh and its write-back", () => {
  it.each([
    ["dropbox", dropboxEmulator],
    ["hubspot", hubspotEmulator],
    ["quickbooks", quickbooksEmulator],
  ])("does not strand an instance of %s, which takes the token again", async (key, emulator) => {
    const vendor = emulator();
    emulate(vendor.answer);
    const { id } = await connect(key);
    vendor.oauth.expire();
    await crashInRefresh(id);
    const page = await listRecords(await read(id), LISTS[key] ?? "", {}, doors);
    expect(page.kind).toBe("page");
    expect(refreshes(vendor.oauth.granted)).toBe(2);
    expect(await read(id)).toMatchObject({ valid: true, invalidReason: null });
    expect(await noticesOf(await read(id))).toEqual([]);
  });

  it.each([
    ["box", boxEmulator],
    ["sfdc", sfdcEmulator],
  ])(
    "marks an instance of %s, whose token is spent, with the reason, and tells the operators once",
    async (key, emulator) => {
      const vendor = emulator();
      emulate(vendor.answer);
      const { id, organizationId } = await connect(key);
      vendor.oauth.expire();
      await crashInRefresh(id);
      const readers = await Promise.all(Array.from({ length: 10 }, () => read(id)));
      const pages = await Promise.all(
        readers.map((reader) => listRecords(reader, LISTS[key] ?? "", {}, doors)),
      );
      expect(new Set(pages.map(({ kind }) => kind))).toEqual(new Set(["unauthorized"]));
      const reason =
        "invalid_grant: a token refresh was cut off before its answer was stored, which may have spent the refresh token";
      const marked = await read(id);
      expect(marked).toMatchObject({ valid: false, invalidReason: reason });
      expect(await noticesOf({ ...marked, organizationId })).toEqual([
        {
          type: "instance.invalid",
          timestamp: expect.any(String),
          data: { instanceId: id, reason },
        },
      ]);
      const again = await on.call("PATCH", `/instances/${id}`, {
        providerData: { access_token: "a", refresh_token: "the-refresh-token" },
      });
      expect(again.body).toMatchObject({ valid: true });
      const page = await listRecords(await read(id), LISTS[key] ?? "", {}, doors);
      expect(page.kind).toBe("page");
    },
  );

  it.each<[number, object, string]>([
    [400, { error: "invalid_grant" }, "invalid_grant"],
    [200, { error: "invalid_grant" }, "invalid_grant"],
    [200, { error: "invalid_grant", error_description: "Revoked" }, "Revoked"],
    [200, { error: "bad_refresh_token", error_description: "Expired" }, "Expired"],
    [200, { ok: false, error: "token_revoked" }, "token_revoked"],
    [201, { access_token: null, error: "invalid_grant" }, "invalid_grant"],
    [200, { access_token: "", error: "invalid_client" }, "invalid_client"],
  ])(
    "is told apart from a grant that the customer took back: %i %o",
    async (status, body, invalidReason) => {
      const box = boxEmulator();
      emulate((request) => (isRefresh(request) ? { status, body } : box.answer(request)));
      const instance = await connect("box");
      box.oauth.expire();
      await listRecords(instance, "webhooks", {}, doors);
      expect(await read(instance.id)).toMatchObject({ valid: false, invalidReason });
      expect(await noticesOf(instance)).toHaveLength(1);
    },
  );

  it.each([
    [200, { error: "temporarily_unavailable" }],
    [200, { error: "server_error" }],
    [200, { error: { code: 5 } }],
    [200, { error: "" }],
    [400, { error: "temporarily_unavailable" }],
  ])("is not lost when the vendor is only in trouble: %i %o", async (status, body) => {
    const box = boxEmulator();
    emulate((request) => (isRefresh(request) ? { status, body } : box.answer(request)));
    const instance = await connect("box");
    box.oauth.expire();
    expect((await listRecords(instance, "webhooks", {}, doors)).kind).not.toBe("page");
    expect(await read(instance.id)).toMatchObject({ valid: true });
  });

  it("counts as cut off when the answer of the vendor was lost on the way", async () => {
    const box = boxEmulator();
    let isLost = true;
    emulate((request) => {
      const answer = box.answer(request);
      if (!isRefresh(request) || !isLost) return answer;
      isLost = false;
      return { status: 200, body: "<html>a gateway" };
    });
    const instance = await connect("box");
    box.oauth.expire();
    expect((await listRecords(instance, "webhooks", {}, doors)).kind).toBe("unreachable");
    expect((await listRecords(instance, "webhooks", {}, doors)).kind).toBe("unauthorized");
    expect((await read(instance.id)).invalidReason).toContain("cut off");
  });
});

/** A vendor that holds back its answers to refreshes until `go` is called. */
function holding(answer: (request: Incoming) => Answer) {
  let go = (): void => undefined;
  const gone = new Promise<void>((resolve) => (go = resolve));
  const arrived = { refresh: false };
  emulate(answer);
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", async (input: URL, init: RequestInit) => {
    const response = await fetch(input, init);
    const form = typeof init.body === "string" ? init.body : "";
    if (!form.includes("grant_type=refresh_token")) return response;
    arrived.refresh = true;
    await gone;
    return response;
  });
  return { go, arrived };
}

describe("C-8 given concurrent refreshes, then one token request; the new token is stored before use", () => {
  it("a refresh in flight does not overwrite the grant of somebody who authenticated again", async () => {
    const hubspot = hubspotEmulator();
    const { go, arrived } = holding(hubspot.answer);
    const instance = await connect("hubspot");
    hubspot.oauth.expire();
    const page = listRecords(instance, "contacts", {}, doors);
    await expect.poll(() => arrived.refresh).toBe(true);
    const fresh = { access_token: "theirs", refresh_token: "the-refresh-token" };
    const patched = await on.call("PATCH", `/instances/${instance.id}`, { providerData: fresh });
    expect(patched.status).toBe(200);
    go();
    await page;
    const stored = await read(instance.id);
    expect(stored.configuration["oauth.user.token"]).not.toMatch(/^access-\d+\.2-/);
    const [row] = await rowsOf(instance.id);
    expect(row?.refresh_lease_until).toBe(0);
  });

  it("a refusal in flight does not mark an instance that was authenticated again", async () => {
    const hubspot = hubspotEmulator();
    const { go, arrived } = holding((request) =>
      isRefresh(request) && !request.text.includes("theirs")
        ? { status: 400, body: { error: "invalid_grant" } }
        : hubspot.answer(request),
    );
    const instance = await connect("hubspot");
    hubspot.oauth.expire();
    const page = listRecords(instance, "contacts", {}, doors);
    await expect.poll(() => arrived.refresh).toBe(true);
    const fresh = { access_token: "theirs", refresh_token: "theirs" };
    await on.call("PATCH", `/instances/${instance.id}`, { providerData: fresh });
    go();
    await page;
    expect((await read(instance.id)).configuration["oauth.user.refresh_token"]).toBe("theirs");
    expect(await noticesOf(instance)).toEqual([]);
  });

  it("an edit keeps the grant that a refresh stored since it read the instance", async () => {
    const box = boxEmulator();
    const { go, arrived } = holding(box.answer);
    const instance = await connect("box");
    box.oauth.expire();
    const page = listRecords(instance, "webhooks", {}, doors);
    await expect.poll(() => arrived.refresh).toBe(true);
    // The edit reads before the refresh is stored and writes after it, or the other way: both must hold.
    const edits = Promise.all(
      ["One", "Two", "Three"].map((name) =>
        on.call("PATCH", `/instances/${instance.id}`, { name, tags: [name] }),
      ),
    );
    go();
    expect((await edits).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await page).kind).toBe("page");
    const stored = await read(instance.id);
    expect(stored.configuration["oauth.user.token"]).toMatch(/^access-\d+\.3-/);
    expect(["One", "Two", "Three"]).toContain(stored.name);
    expect(stored.tags).toEqual([stored.name]);
  });

  it("an edit whose code was exchanged meanwhile is made on what others left", async () => {
    const hubspot = hubspotEmulator();
    emulate(hubspot.answer);
    const { id } = await connect("hubspot");
    const another = hubspotEmulator();
    emulate(another.answer);
    const { fetch } = globalThis;
    vi.stubGlobal("fetch", async (input: URL, init: RequestInit) => {
      await env.DB.prepare(
        "UPDATE instances SET name = 'Theirs', updated_at = updated_at + 1 WHERE id = ?",
      )
        .bind(id)
        .run();
      return fetch(input, init);
    });
    const patched = await on.call("PATCH", `/instances/${id}`, {
      providerData: { code: CODE },
      tags: ["mine"],
    });
    expect(patched).toMatchObject({ status: 200, body: { name: "Theirs", tags: ["mine"] } });
    expect(another.oauth.granted).toEqual(["authorization_code"]);
  });

  it("50 hub calls and polls at expiry make one token request", async () => {
    const box = boxEmulator();
    emulate(box.answer);
    const instances = [
      await connect("box", { "event.vendor.type": "polling" }),
      await connectAgain(box.answer),
    ];
    box.oauth.expire();
    for (const { id } of instances)
      await env.DB.prepare(
        `UPDATE instances SET configuration = json_set(configuration, '$."oauth.user.expires_at"', '1') WHERE id = ?`,
      )
        .bind(id)
        .run();
    const [first] = instances;
    if (first === undefined) throw new Error("No instance");
    const authorization = `User ${FIRST.userSecret}, Element ${first.token}`;
    const calls = Array.from({ length: 40 }, () =>
      on.call("GET", "/hubs/documents/webhooks", undefined, { authorization }),
    );
    const polls = Array.from({ length: 10 }, () => on.poll(first.id));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    const polled = await Promise.all(polls);
    expect(polled.every(({ status }) => status === 200 || status === 409)).toBe(true);
    expect(refreshes(box.oauth.granted)).toBe(1);
    expect(await read(first.id)).toMatchObject({ valid: true });
  });
});

/** Another instance of the same account, from a consent of its own. */
async function connectAgain(answer: (request: Incoming) => Answer): Promise<Instance> {
  const { body } = await on.call("POST", "/instances", draft("box", {}, codeOf(answer, {})));
  return read(body.id);
}

/** What the user's consent brings back when the application asks with these parameters. */
function codeOf(
  answer: (request: Incoming) => Answer,
  parameters: Record<string, string>,
  path = "/api/oauth2/authorize",
): string {
  const query = new URLSearchParams({
    client_id: CLIENT.id,
    redirect_uri: CALLBACK,
    response_type: "code",
    ...parameters,
  });
  const { headers } = answer({
    at: 0,
    method: "GET",
    host: "",
    path,
    query,
    headers: {},
    text: "",
  });
  return new URL(headers?.["location"] ?? "").searchParams.get("code") ?? "";
}

describe("HubSpot by a private app's token", () => {
  const configured = () => ({
    "authentication.type": "apiKey",
    "hubspot.authorization.apikey": "pat-1",
    "base.url": VENDOR,
  });

  it("is an instance without a consent, whose calls carry the token", async () => {
    const seen: (string | undefined)[] = [];
    emulate(({ headers }) => {
      seen.push(headers["authorization"]);
      return { status: 200, body: { total: 0, results: [] } };
    });
    const { body } = await on.call("POST", "/instances", {
      element: { key: "hubspot" },
      configuration: configured(),
    });
    expect(body).toMatchObject({
      valid: true,
      element: { authentication: { type: "apiKey" } },
      configuration: { "hubspot.authorization.apikey": "********" },
    });
    const page = await listRecords(await read(body.id), "contacts", {}, doors);
    expect(page).toMatchObject({ kind: "page", total: 0 });
    expect(seen).toEqual(["Bearer pat-1"]);
    const changed = await on.call("PATCH", `/instances/${body.id}`, {
      configuration: { "authentication.type": "oauth2" },
    });
    expect(changed.body).toMatchObject({ valid: false, invalidReason: "No credentials yet" });
  });

  it("takes the key as providerData too, and no other way than those it knows", async () => {
    const { "hubspot.authorization.apikey": _, ...rest } = configured();
    const made = await on.call("POST", "/instances", {
      element: { key: "hubspot" },
      providerData: { apikey: "pat-2" },
      configuration: rest,
    });
    expect(made.body).toMatchObject({ valid: true });
    const refused = await on.call("POST", "/instances", {
      element: { key: "hubspot" },
      configuration: { ...rest, "authentication.type": "basic" },
    });
    expect([refused.status, refused.body.message]).toEqual([
      400,
      expect.stringContaining("authentication.type"),
    ]);
  });
});

describe("a code that may be bound by a verifier (RFC 7636)", () => {
  const AUTHORIZE = "/services/oauth2/authorize";
  const post = (code: string, callback: string, state?: string) => {
    const { providerData, ...rest } = draft("sfdc", { "oauth.callback.url": callback }, code);
    return on.call("POST", "/instances", { ...rest, providerData: { ...providerData, state } });
  };
  /** The parameters of an authorize URL that the platform built. */
  const ours = async (callbackUrl: string, changes: Record<string, string> = {}) => {
    const asked = { apiKey: CLIENT.id, apiSecret: CLIENT.secret, callbackUrl, ...changes };
    const query = new URLSearchParams(asked);
    const { body } = await on.call("GET", `/elements/sfdc/oauth/url?${query.toString()}`);
    return Object.fromEntries(new URL(body.oauthUrl).searchParams) as Record<string, string>;
  };
  /** Salesforce, and the verifiers that its token endpoint is sent; it takes a code once, right or wrong. */
  const salesforce = () => {
    const { answer } = sfdcEmulator();
    const verifiers: (string | null)[] = [];
    emulate((request) => {
      if (request.path.endsWith("/token"))
        verifiers.push(new URLSearchParams(request.text).get("code_verifier"));
      return answer(request);
    });
    return {
      verifiers,
      consent: (parameters: Record<string, string>) => codeOf(answer, parameters, AUTHORIZE),
    };
  };
  const pending = (callback: string) =>
    env.DB.prepare("SELECT * FROM oauth_verifiers WHERE client = ?")
      .bind(clientName(1, "sfdc", { apiKey: CLIENT.id, callbackUrl: callback }))
      .all()
      .then(({ results }) => results);

  it("goes with its verifier when the authorize URL was ours", async () => {
    const { verifiers, consent } = salesforce();
    const callback = "https://ours.example/cb";
    const made = await post(consent(await ours(callback)), callback);
    expect(made).toMatchObject({ status: 200, body: { valid: true } });
    expect(verifiers).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
  });

  it.each([
    ["in their order", [0, 1]],
    ["the later one first", [1, 0]],
  ])(
    "has a verifier of its own: two people's codes come back with their state, %s",
    async (order, [first = 0, second = 0]) => {
      const { verifiers, consent } = salesforce();
      const callback = `https://two.example/${first}`;
      const states = ["anna", "bert"];
      const urls = await Promise.all(states.map((state) => ours(callback, { state })));
      expect(new Set(urls.map((url) => url["code_challenge"])).size, order).toBe(2);
      const codes = urls.map(consent);
      for (const at of [first, second])
        expect(await post(codes[at] ?? "", callback, states[at])).toMatchObject({ status: 200 });
      expect(new Set(verifiers).size).toBe(2);
      expect(verifiers).toHaveLength(2);
      expect(await pending(callback)).toEqual([]);
    },
  );

  it("without a state goes with the newest verifier, then with those before it", async () => {
    const { verifiers, consent } = salesforce();
    const callback = "https://newest.example/cb";
    const [older, newer] = [await ours(callback), await ours(callback)];
    expect(older["code_challenge"]).not.toBe(newer["code_challenge"]);
    expect(older["state"]).toBe("sfdc");
    expect(await post(consent(newer), callback)).toMatchObject({ status: 200 });
    expect(await post(consent(older), callback)).toMatchObject({ status: 200 });
    expect(verifiers).toHaveLength(2);
  });

  it("finds an older verifier too, where a vendor lets a refused code live", async () => {
    const sfdc = sfdcEmulator();
    const callback = "https://older.example/cb";
    const [older] = [await ours(callback), await ours(callback)];
    const verifiers: string[] = [];
    emulate((request) => {
      if (!request.path.endsWith("/token")) return sfdc.answer(request);
      const verifier = new URLSearchParams(request.text).get("code_verifier") ?? "";
      verifiers.push(verifier);
      return createHash("sha256").update(verifier).digest("base64url") === older["code_challenge"]
        ? sfdc.answer(request)
        : { status: 400, body: { error: "invalid_grant" } };
    });
    const code = codeOf(sfdc.answer, older, AUTHORIZE);
    expect(await post(code, callback)).toMatchObject({ status: 200 });
    expect(verifiers).toHaveLength(2);
    expect(await pending(callback)).toHaveLength(1);
  });

  it("goes without one when the application built the authorize URL itself", async () => {
    const { verifiers, consent } = salesforce();
    const callback = "https://built-elsewhere.example/cb";
    const code = consent({ redirect_uri: callback });
    expect(await post(code, callback)).toMatchObject({ status: 200, body: { valid: true } });
    expect(verifiers).toEqual([null]);
  });

  it("goes without one when its state is of no authorize URL of ours", async () => {
    const { verifiers, consent } = salesforce();
    const callback = "https://mixed.example/cb";
    await ours(callback, { state: "ours" });
    const code = consent({ redirect_uri: callback });
    expect(await post(code, callback, "theirs")).toMatchObject({ status: 200 });
    expect(verifiers).toEqual([null]);
  });

  it("is tried without one at last, where a vendor lets a refused code live", async () => {
    const sfdc = sfdcEmulator();
    const callback = "https://both.example/cb";
    await ours(callback);
    const texts: string[] = [];
    emulate((request) => {
      if (!request.path.endsWith("/token")) return sfdc.answer(request);
      texts.push(request.text);
      return request.text.includes("code_verifier")
        ? { status: 400, body: { error: "invalid_grant" } }
        : sfdc.answer(request);
    });
    const code = codeOf(sfdc.answer, { redirect_uri: callback }, AUTHORIZE);
    expect(await post(code, callback)).toMatchObject({ status: 200 });
    expect(texts.map((text) => text.includes("code_verifier"))).toEqual([true, false]);
  });

  it("keeps its verifier when the vendor cannot be reached", async () => {
    const { consent } = salesforce();
    const callback = "https://trouble.example/cb";
    const code = consent(await ours(callback));
    const { fetch } = globalThis;
    emulate(() => ({ status: 503, body: {} }));
    expect((await post(code, callback)).status).not.toBe(200);
    vi.stubGlobal("fetch", fetch);
    expect(await post(code, callback)).toMatchObject({ status: 200 });
  });

  it("is not bound by a verifier that is an hour old", async () => {
    const callback = "https://late.example/cb";
    await ours(callback);
    await env.DB.prepare("UPDATE oauth_verifiers SET created_at = created_at - 3600000").run();
    const { verifiers, consent } = salesforce();
    expect(await post(consent({ redirect_uri: callback }), callback)).toMatchObject({
      status: 200,
    });
    expect(verifiers).toEqual([null]);
    await ours("https://later.example/cb");
    expect(await pending(callback)).toEqual([]);
  });

  it("waits with at most a thousand others of its client and callback", async () => {
    const callback = "https://crowd.example/cb";
    const client = clientName(1, "sfdc", { apiKey: CLIENT.id, callbackUrl: callback });
    await env.DB.prepare(
      `INSERT INTO oauth_verifiers (client, state, sealed, created_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
       SELECT ?, '', 'old', ? FROM n`,
    )
      .bind(client, Date.now())
      .run();
    await ours(callback);
    const waiting = await pending(callback);
    expect(waiting).toHaveLength(1000);
    expect(waiting.filter(({ sealed }) => sealed !== "old")).toHaveLength(1);
  });

  it("goes with the verifier of the version before, whose authorize URL is on its way", async () => {
    const { verifiers, consent } = salesforce();
    const callback = "https://before.example/cb";
    const client = clientName(1, "sfdc", {
      apiKey: CLIENT.id,
      callbackUrl: callback,
    });
    await env.DB.prepare("INSERT INTO oauth_challenges (name, created_at) VALUES (?, ?)")
      .bind(client, Date.now())
      .run();
    const verifier = createHmac("sha256", config.sessionKey)
      .update(JSON.stringify(["pkce", CLIENT.id, callback]))
      .digest("base64url");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const parameters = {
      redirect_uri: callback,
      code_challenge: challenge,
      code_challenge_method: "S256",
    };
    expect(await post(consent(parameters), callback)).toMatchObject({ status: 200 });
    expect(verifiers).toEqual([verifier]);
  });

  it("has its verifier kept sealed, for its own organization, client and callback", async () => {
    const { verifiers, consent } = salesforce();
    const callback = "https://kept.example/cb";
    const url = await ours(callback, { state: "a secret state" });
    const rows = JSON.stringify(await pending(callback));
    for (const secret of [CLIENT.id, callback, "a secret state"])
      expect(rows).not.toContain(secret);
    await post(consent(url), callback);
    expect(rows).not.toContain(verifiers[0]);
    expect(await pending("https://another.example/cb")).toEqual([]);
  });
});
