import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../src/config";
import { concur } from "../../src/connectors/concur";
import { sandbox } from "../../src/connectors/sandbox";
import { keyring } from "../../src/db/sealed";
import { destinationOf } from "../../src/instances/destination";
import { releaseRefreshLease, saveGrant, takeRefreshLease } from "../../src/instances/grants.store";
import { getRecord, type HubDoors, listRecords, ping } from "../../src/hub/records.client";
import { exchangeCode } from "../../src/hub/code.client";
import type { Instance } from "../../src/instances/instance";
import { insertInstance, nextInstanceId, readInstance } from "../../src/instances/store";
import { firstOrganization } from "../organization";

const config = readConfig(env);
const ring = keyring(config.masterKeys);
const doors: HubDoors = { db: env.DB, config, streams: env.EVENT_STREAMS };
const VENDOR = "http://127.0.0.1:9999";

beforeAll(firstOrganization);
afterEach(() => vi.unstubAllGlobals());

/** A Concur instance with a token that lives ten minutes; `changes` are laid over its configuration. */
async function concurInstance(changes: Record<string, string | null> = {}): Promise<Instance> {
  const id = await nextInstanceId(env.DB);
  const instance: Instance = {
    id,
    organizationId: 1,
    userId: 1,
    connector: concur,
    name: "Concur",
    tenant: null,
    tags: [],
    token: `token-${id}`,
    configuration: {
      "base.url": VENDOR,
      "oauth.base.url": VENDOR,
      "oauth.api.key": "client",
      "oauth.api.secret": "secret",
      "oauth.user.token": "access-0",
      "oauth.user.refresh_token": "refresh-0",
      "oauth.user.expires_at": String(Date.now() + 600_000),
      ...changes,
    },
    externalAuthentication: "none",
    valid: true,
    invalidReason: null,
    disabled: false,
    pollerDisabled: null,
    registrationFault: null,
    pollsUntil: null,
    baseline: 0,
    enabledAt: 0,
    createdAt: 1,
    updatedAt: 1,
  };
  const destination = destinationOf(instance, config.egress);
  if (!destination.ok) throw new Error(destination.message);
  await insertInstance(env.DB, ring, instance, destination.draft);
  return instance;
}

const reread = async (instance: Instance) => (await readInstance(env.DB, ring, instance.id))!;
const expired = { "oauth.user.expires_at": String(Date.now() - 1) };

/** A vendor of one refresh token at a time; `tokenAnswer` and `listAnswer` take the place of its right answers. */
function vendor(
  options: {
    good?: string[];
    tokenAnswer?: (calls: number) => Response | Promise<Response>;
    listAnswer?: (calls: number) => Response;
    onList?: (token: string) => Promise<void>;
  } = {},
) {
  const good = new Set(options.good ?? []);
  const seen = { tokens: 0, lists: 0, urls: [] as string[], used: [] as string[] };
  let current = "refresh-0";
  vi.stubGlobal("fetch", async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    seen.urls.push(request.url);
    if (url.pathname === "/oauth2/v0/token") {
      seen.tokens += 1;
      const form = await request.formData();
      await scheduler.wait(20);
      if (options.tokenAnswer) return options.tokenAnswer(seen.tokens);
      if (form.get("grant_type") === "refresh_token" && form.get("refresh_token") !== current)
        return Response.json(
          { error: "invalid_grant", error_description: "Used" },
          { status: 400 },
        );
      current = `refresh-${seen.tokens}`;
      good.add(`access-${seen.tokens}`);
      return Response.json({
        access_token: `access-${seen.tokens}`,
        refresh_token: current,
        expires_in: "3600",
        geolocation: "https://eu.api.concursolutions.com",
      });
    }
    seen.lists += 1;
    const token = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
    seen.used.push(token);
    await options.onList?.(token);
    if (!good.has(token)) return Response.json({ Message: "Expired" }, { status: 401 });
    return (
      options.listAnswer?.(seen.lists) ?? Response.json({ Items: [{ ID: "A" }], NextPage: null })
    );
  });
  return seen;
}

describe("listRecords", () => {
  it("reads a page and follows the vendor's next URL on the instance's own host", async () => {
    const instance = await concurInstance();
    const seen = vendor({
      good: ["access-0"],
      listAnswer: (calls) =>
        Response.json({
          Items: [{ ID: `A${calls}`, Big: 1 }],
          NextPage:
            calls === 1
              ? "https://us.api.concursolutions.com/api/v3.0/expense/reports?offset=x"
              : null,
        }),
    });
    const first = await listRecords(instance, "reports", { pageSize: 500 }, doors);
    expect(first).toMatchObject({ kind: "page", records: [{ ID: "A1" }] });
    if (first.kind !== "page" || first.next === null) throw new Error("no next page");
    const second = await listRecords(instance, "reports", { position: first.next }, doors);
    expect(second).toMatchObject({ kind: "page", records: [{ ID: "A2", Big: 1 }], next: null });
    expect(seen.urls).toEqual([
      `${VENDOR}/api/v3.0/expense/reports?user=ALL&limit=100`,
      `${VENDOR}/api/v3.0/expense/reports?offset=x`,
    ]);
  });

  it("C-8 given 50 calls that find the token ended, then one token request", async () => {
    const instance = await concurInstance(expired);
    const seen = vendor();
    const readers = await Promise.all(Array.from({ length: 50 }, () => reread(instance)));
    const pages = await Promise.all(readers.map((it) => listRecords(it, "reports", {}, doors)));
    expect(pages.every(({ kind }) => kind === "page")).toBe(true);
    expect(seen.tokens).toBe(1);
    expect(new Set(seen.used)).toEqual(new Set(["access-1"]));
    expect(
      readers.every((it) => it.configuration["oauth.user.refresh_token"] === "refresh-1"),
    ).toBe(true);
  });

  it("renews a token that ends within a minute, and goes on with it when that fails", async () => {
    const ending = { "oauth.user.expires_at": String(Date.now() + 30_000) };
    const seen = vendor();
    await listRecords(await concurInstance(ending), "reports", {}, doors);
    expect(seen.used).toEqual(["access-1"]);
    const broken = vendor({
      good: ["access-0"],
      tokenAnswer: () => new Response("Down", { status: 503 }),
    });
    const page = await listRecords(await concurInstance(ending), "reports", {}, doors);
    expect(page.kind).toBe("page");
    expect(broken.used).toEqual(["access-0"]);
  });

  it("CO-3 given refresh returns a new geolocation and token, then both are stored and used; text `expires_in` is parsed", async () => {
    const instance = await concurInstance({ ...expired, "base.url": null });
    const seen = vendor();
    expect((await listRecords(instance, "reports", {}, doors)).kind).toBe("page");
    expect(seen.urls.at(-1)).toMatch(/^https:\/\/eu\.api\.concursolutions\.com\/api\//);
    expect(seen.used).toEqual(["access-1"]);
    const { configuration } = await reread(instance);
    expect(configuration).toMatchObject({
      "oauth.geolocation": "https://eu.api.concursolutions.com",
      "oauth.user.token": "access-1",
    });
    const left = Number(configuration["oauth.user.expires_at"]) - Date.now();
    expect(left).toBeGreaterThan(3_500_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
  });

  it("stores the rotated grant, sealed, before the token is used", async () => {
    const instance = await concurInstance(expired);
    const stored: unknown[] = [];
    vendor({
      onList: async () => {
        const { configuration } = await reread(instance);
        stored.push(configuration["oauth.user.refresh_token"], configuration["oauth.geolocation"]);
      },
    });
    await listRecords(instance, "reports", {}, doors);
    expect(stored).toEqual(["refresh-1", "https://eu.api.concursolutions.com"]);
    const row = await env.DB.prepare("SELECT * FROM instances WHERE id = ?")
      .bind(instance.id)
      .first();
    expect(JSON.stringify(row)).not.toMatch(/access-1|refresh-1/);
    expect(row).toMatchObject({ refresh_lease_until: 0 });
  });

  it("renews once and tries once more when the vendor refuses a living token", async () => {
    const instance = await concurInstance();
    const seen = vendor();
    expect((await listRecords(instance, "reports", {}, doors)).kind).toBe("page");
    expect(seen).toMatchObject({ tokens: 1, used: ["access-0", "access-1"] });
  });

  it("does not try a third time", async () => {
    const instance = await concurInstance();
    const seen = vendor({
      listAnswer: () => Response.json({ Message: "No right" }, { status: 401 }),
    });
    expect(await listRecords(instance, "reports", {}, doors)).toMatchObject({
      kind: "vendor-error",
      status: 401,
    });
    expect(seen).toMatchObject({ tokens: 1, lists: 2 });
    expect(await reread(instance)).toMatchObject({ valid: true });
  });

  it("takes the grant that another isolate stored, without a request of its own", async () => {
    const instance = await concurInstance(expired);
    const seen = vendor({ good: ["access-9"] });
    expect(await takeRefreshLease(env.DB, instance.id, Date.now() + 60_000, Date.now())).toBe(
      "free",
    );
    const page = listRecords(instance, "reports", {}, doors);
    await scheduler.wait(50);
    expect(seen.lists).toBe(0);
    const grant = {
      "oauth.user.token": "access-9",
      "oauth.user.expires_at": String(Date.now() + 3_600_000),
    };
    await saveGrant(env.DB, ring, instance, grant, Date.now());
    expect((await page).kind).toBe("page");
    expect(seen).toMatchObject({ tokens: 0, used: ["access-9"] });
  });

  it("tries itself when the lease of another isolate ends without a grant", async () => {
    const instance = await concurInstance(expired);
    const seen = vendor();
    await takeRefreshLease(env.DB, instance.id, Date.now() + 60_000, Date.now());
    const page = listRecords(instance, "reports", {}, doors);
    await scheduler.wait(50);
    await releaseRefreshLease(env.DB, instance.id, "finished");
    expect((await page).kind).toBe("page");
    expect(seen.tokens).toBe(1);
  });

  it("marks the instance when its refresh token is refused for good, and does not ask again", async () => {
    const instance = await concurInstance({ ...expired, "oauth.user.refresh_token": "old" });
    const seen = vendor();
    const message = "The instance must be authenticated with Concur again: Used";
    expect(await listRecords(instance, "reports", {}, doors)).toEqual({
      kind: "unauthorized",
      message,
    });
    const marked = await reread(instance);
    expect(marked).toMatchObject({ valid: false, invalidReason: "Used" });
    expect(await listRecords(marked, "reports", {}, doors)).toEqual({
      kind: "unauthorized",
      message,
    });
    expect(seen).toMatchObject({ tokens: 1, lists: 0 });
  });

  it("keeps an instance whose refresh failed for the vendor's own reasons", async () => {
    const instance = await concurInstance(expired);
    vendor({
      tokenAnswer: () =>
        new Response("<h1>Busy</h1>", { status: 503, headers: { "retry-after": "5" } }),
    });
    expect(await listRecords(instance, "reports", {}, doors)).toMatchObject({
      kind: "vendor-error",
      status: 503,
      retryAt: expect.any(Number),
    });
    expect(await reread(instance)).toMatchObject({ valid: true });
    const seen = vendor();
    expect((await listRecords(instance, "reports", {}, doors)).kind).toBe("page");
    expect(seen.tokens).toBe(1);
  });

  it("asks for authentication when a token ends that cannot be renewed", async () => {
    const instance = await concurInstance({ "oauth.user.refresh_token": null });
    vendor();
    expect((await listRecords(instance, "reports", {}, doors)).kind).toBe("unauthorized");
    expect(await reread(instance)).toMatchObject({ valid: false });
    const empty = await concurInstance({
      "oauth.user.refresh_token": null,
      "oauth.user.token": null,
    });
    expect((await listRecords(empty, "reports", {}, doors)).kind).toBe("unauthorized");
  });

  it.each<[string, () => Response, string]>([
    ["HTML", () => new Response("<html>"), "The answer of Concur is not JSON"],
    ["cut JSON", () => new Response('{"Items":[{"ID"'), "The answer of Concur is not JSON"],
    ["another list", () => Response.json({ Message: "ok" }), "The answer has no list at 'Items'"],
  ])("takes %s for no answer", async (_, answer, message) => {
    vendor({ good: ["access-0"], listAnswer: answer });
    expect(await listRecords(await concurInstance(), "reports", {}, doors)).toEqual({
      kind: "unreachable",
      message,
    });
  });

  it("stops reading an answer of 200 MB", async () => {
    let sent = 0;
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1_000_000;
        if (sent > 200_000_000) controller.close();
        else controller.enqueue(new Uint8Array(1_000_000).fill(32));
      },
      cancel() {
        cancelled = true;
      },
    });
    vendor({ good: ["access-0"], listAnswer: () => new Response(endless) });
    expect(await listRecords(await concurInstance(), "reports", {}, doors)).toEqual({
      kind: "unreachable",
      message: "The answer of Concur is too large",
    });
    expect(cancelled).toBe(true);
    expect(sent).toBeLessThan(20_000_000);
  });

  it("never calls an address that the guard refuses", async () => {
    const seen = vendor({ good: ["access-0"] });
    const instance = await concurInstance({ "base.url": "http://169.254.169.254" });
    expect(await listRecords(instance, "reports", {}, doors)).toMatchObject({
      kind: "unreachable",
    });
    expect(seen.lists).toBe(0);
  });

  it("tells the caller's own mistakes without asking the vendor", async () => {
    const seen = vendor({ good: ["access-0"] });
    const instance = await concurInstance();
    expect(await listRecords(instance, "reports", { where: "a=" }, doors)).toMatchObject({
      kind: "bad-request",
    });
    expect(await listRecords(instance, "trips", {}, doors)).toMatchObject({ kind: "bad-request" });
    expect(seen.lists).toBe(0);
  });
});

describe("getRecord", () => {
  it("reads one record and tells an absent one", async () => {
    const instance = await concurInstance();
    const seen = vendor({
      good: ["access-0"],
      listAnswer: (calls) =>
        calls === 1
          ? Response.json({ ID: "a b" })
          : Response.json({ Message: "No data found" }, { status: 404 }),
    });
    expect(await getRecord(instance, "reports", "a b", doors)).toEqual({
      kind: "record",
      record: { ID: "a b" },
    });
    expect(await getRecord(instance, "reports", "x", doors)).toMatchObject({
      kind: "vendor-error",
      status: 404,
      providerMessage: "No data found",
    });
    expect(seen.urls[0]).toBe(`${VENDOR}/api/v3.0/expense/reports/a%20b`);
    expect(await getRecord(instance, "reports", "..", doors)).toMatchObject({
      kind: "bad-request",
    });
  });
});

describe("ping", () => {
  it("asks the vendor with the instance's credentials", async () => {
    const seen = vendor({ good: ["access-0"] });
    expect(await ping(await concurInstance(), doors)).toEqual({ kind: "answered" });
    expect(seen.urls).toEqual([`${VENDOR}/api/v3.0/expense/reports?user=ALL&limit=1`]);
  });
});

describe("exchangeCode", () => {
  const app = { "oauth.api.key": "k", "oauth.api.secret": "s", "oauth.base.url": VENDOR };

  it("gives the grant as configuration", async () => {
    vendor();
    expect(await exchangeCode(1, concur, app, { code: "code" }, doors)).toEqual({
      ok: true,
      configuration: {
        "oauth.user.token": "access-1",
        "oauth.user.refresh_token": "refresh-1",
        "oauth.user.expires_at": expect.stringMatching(/^\d{13}$/),
        "oauth.geolocation": "https://eu.api.concursolutions.com",
      },
    });
  });

  it.each<[string, () => Response, object]>([
    [
      "the vendor's refusal",
      () =>
        Response.json(
          { error: "invalid_grant", error_description: "Unknown or used code" },
          { status: 400 },
        ),
      { status: 400, providerMessage: "Unknown or used code" },
    ],
    [
      "a refusal in a 200",
      () => Response.json({ error: "invalid_grant", error_description: "Unknown or used code" }),
      { status: 400, providerMessage: "Unknown or used code" },
    ],
    ["an answer that is no grant", () => Response.json({}), { status: 502 }],
    ["an answer that is not JSON", () => new Response("<html>"), { status: 502 }],
  ])("tells %s", async (_, tokenAnswer, expected) => {
    vendor({ tokenAnswer });
    expect(await exchangeCode(1, concur, app, { code: "code" }, doors)).toMatchObject({
      ok: false,
      ...expected,
    });
  });

  it("tells what is missing", async () => {
    expect(await exchangeCode(1, concur, {}, { code: "code" }, doors)).toMatchObject({
      ok: false,
      status: 400,
      message: "Missing configuration 'oauth.api.key'",
    });
    expect(await exchangeCode(1, sandbox, app, { code: "code" }, doors)).toMatchObject({
      ok: false,
      status: 400,
    });
  });
});
