import { env } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../../src/config";
import { builtIn } from "../../../src/connectors/catalog";
import { keyring } from "../../../src/db/sealed";
import { readInstance } from "../../../src/instances/store";
import { classify } from "../../../src/polling/classify";
import { parseInstant } from "../../../src/polling/java-date";
import { parseZone, UTC } from "../../../src/polling/zone";
import { dateReader, readPage } from "../../../src/polling/records";
import { polledResources } from "../../../src/polling/settings";
import { emulate, platform, stored } from "../../platform";
import { FIRST } from "../../organization";
import { boxEmulator } from "../../vendors/box";
import { dropboxEmulator } from "../../vendors/dropbox";
import { CLIENT } from "../../vendors/grants";
import { hubspotEmulator } from "../../vendors/hubspot";
import { quickbooksEmulator } from "../../vendors/quickbooks";
import { sfdcEmulator } from "../../vendors/sfdc";
import { connect, HOUR, type On, pollWell, told } from "./connect";

/** Reference vendors.md §0: what holds for every connector, as far as it is polled. */

let on: On;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);
afterEach(() => vi.unstubAllGlobals());

const sandbox = (body: () => unknown) => emulate(() => ({ status: 200, body: body() }));
const contact = (id: unknown, updated: number, created = updated) => ({
  id,
  createdDate: new Date(created).toISOString(),
  updatedDate: new Date(updated).toISOString(),
});
const SANDBOX = { "sandbox.api.key": "k", "event.objects": "contacts" };

/** The first resource that each connector polls by a list. */
const polled = builtIn.flatMap((connector) => {
  const settings = polledResources({ connector, configuration: {} });
  const [resource] = settings.ok ? settings.resources : [];
  return resource === undefined ? [] : [{ key: connector.key, connector, resource }];
});

const put = (record: Record<string, any>, path: string, value: unknown): void => {
  const [first = "", ...rest] = path.split(".");
  if (rest.length === 0) record[first] = value;
  else put((record[first] ??= {}), rest.join("."), value);
};

describe("C-2", () => {
  it("C-2: given a valid delivery, then it is committed (one object request), then acknowledged, before any other work", async () => {
    const hubspot = hubspotEmulator();
    const { paths } = emulate(hubspot.answer);
    const { id } = await connect(on, "hubspot", { "event.vendor.type": "webhook" });
    paths.length = 0;
    const items = Array.from({ length: 100 }, (_, index) => ({
      eventId: index,
      subscriptionId: 1,
      portalId: 62515,
      occurredAt: Date.now(),
      subscriptionType: "contact.creation",
      objectId: index + 1,
    }));
    const body = JSON.stringify(items);
    const path = `/events/hubspot/${btoa(String(id))}`;
    const timestamp = String(Date.now());
    const signature = createHmac("sha256", CLIENT.secret)
      .update(`POSThttps://events.example.com/elements/api-v2${path}${body}${timestamp}`)
      .digest("base64");
    const before = await on.streamOf(id).meter();
    const answer = await on.deliver(path, body, {
      "x-hubspot-signature-v3": signature,
      "x-hubspot-request-timestamp": timestamp,
    });
    expect(answer.status).toBe(200);
    const after = await on.streamOf(id).meter();
    // The meter's own look is the other request.
    expect(after.requests - before.requests).toBeLessThanOrEqual(2);
    expect(await stored(on, id)).toHaveLength(100);
    expect(paths).toEqual([]);
  });
});

describe("C-3 to C-5", () => {
  it("C-3: given a repeated record, then one event", async () => {
    const at = Date.now() - HOUR;
    sandbox(() => ({ data: [contact("a", at), contact("a", at)], paging: { next: null } }));
    const { id } = await connect(on, "sandbox", SANDBOX);
    await pollWell(on, id);
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([["CREATED", "contacts", "a"]]);
  });

  it("C-4: given an id or cursor above 2^53, then its digits survive", async () => {
    const at = new Date(Date.now() - HOUR).toISOString();
    const cursors: (string | null)[] = [];
    emulate(({ query }) => {
      cursors.push(query.get("cursor"));
      const isFirst = query.get("cursor") === null;
      const id = isFirst ? "9007199254740993" : "9007199254740995";
      const next = isFirst ? "1152922976252290801" : "null";
      const record = `{"id":${id},"createdDate":"${at}","updatedDate":"${at}"}`;
      return { status: 200, body: `{"data":[${record}],"paging":{"next":${next}}}` };
    });
    const { id } = await connect(on, "sandbox", SANDBOX);
    await pollWell(on, id);
    expect(cursors).toEqual([null, "1152922976252290801"]);
    expect((await told(on, id)).map(([, , objectId]) => objectId)).toEqual([
      "9007199254740993",
      "9007199254740995",
    ]);
  });

  const INSTANT = Date.UTC(2026, 2, 8, 10, 30, 5, 120);
  it.each<[string, unknown, string | undefined, string, number]>([
    ["Z", "2026-03-08T10:30:05.12Z", undefined, "UTC", INSTANT],
    ["+0000", "2026-03-08T10:30:05.120+0000", "yyyy-MM-dd'T'HH:mm:ss.SSSZ", "UTC", INSTANT],
    ["+hh:mm", "2026-03-08T12:30:05.12+02:00", "yyyy-MM-dd'T'HH:mm:ssXXX", "UTC", INSTANT],
    ["no zone, default UTC", "2026-03-08T10:30:05.120", undefined, "UTC", INSTANT],
    ["no zone, configured zone", "2026-03-08T03:30:05.120", undefined, "MST", INSTANT],
    ["no fraction", "2026-03-08T10:30:05Z", undefined, "UTC", INSTANT - 120],
    ["9 fraction digits", "2026-03-08T10:30:05.120999999Z", undefined, "UTC", INSTANT],
    ["epoch ms as a number", INSTANT, "milliseconds", "UTC", INSTANT],
    ["epoch ms as text", String(INSTANT), "milliseconds", "UTC", INSTANT],
  ])("C-5: given %s, then the right instant", (_, value, format, zone, expected) => {
    expect(parseInstant(value, format, parseZone(zone) ?? UTC)).toBe(expected);
  });
});

describe("C-6: the poll window", () => {
  it.each(polled)(
    "C-6: of $key has lower = cursor - lookback and dedupes on (type, id, version or time)",
    ({ key, connector, resource }) => {
      const source = "instance:1";
      const after = Date.UTC(2026, 0, 1);
      const reading = {
        source,
        resource,
        deleted: undefined,
        after,
        startedAt: after + HOUR,
        templated: true,
        firstPoll: false,
        updated: dateReader(resource.updated),
        created: dateReader(resource.created),
      };
      const record = (at: number) => {
        const made: Record<string, unknown> = {};
        put(made, resource.idField, "1");
        const text = new Date(at).toISOString().replace("Z", key === "concur" ? "" : "Z");
        put(made, resource.updated?.field ?? "", text);
        put(made, resource.created?.field ?? "", text);
        return made;
      };
      expect(readPage([record(after)], reading).events).toEqual([]);
      const [first, again, later] = [1_000, 1_000, 2_000].map(
        (ms) => readPage([record(after + ms)], reading).events[0],
      );
      expect(first?.id).toBe(again?.id);
      expect(later?.id).not.toBe(first?.id);
      expect(connector.key).toBe(key);
    },
  );

  it("C-6: the cursor never passes the poll's start, and a record of the same instant is found by the next", async () => {
    const at = Date.now() + 50;
    let data: object[] = [];
    sandbox(() => ({ data, paging: { next: null } }));
    const { id } = await connect(on, "sandbox", SANDBOX);
    data = [contact("a", at)];
    const before = Date.now();
    await pollWell(on, id);
    const { cursor } = await on.streamOf(id).inspect();
    const { last } = JSON.parse(cursor ?? "").resources.contacts;
    expect(last).toBeGreaterThanOrEqual(before);
    expect(last).toBeLessThanOrEqual(Date.now());
    data = [contact("b", at), contact("a", at)];
    await pollWell(on, id);
    expect((await told(on, id)).map(([, , objectId]) => objectId)).toEqual(["a", "b"]);
  });
});

describe("C-7", () => {
  it.each(polled)(
    "C-7: given |updated - created| <= tolerance of $key, then CREATED, else UPDATED",
    ({ resource: { createdCheckToleranceMs: toleranceMs, filterByUpdatedDate } }) => {
      const created = Date.UTC(2026, 0, 1);
      const rule = {
        after: created - 1,
        upTo: created + HOUR,
        filterByUpdatedDate,
        filterByCurrentDate: false,
        toleranceMs,
      };
      const typeOf = (updated: number) => {
        const found = classify({ updated, created }, rule);
        return found.kind === "emit" ? found.eventType : found.kind;
      };
      expect(typeOf(created + toleranceMs)).toBe("CREATED");
      expect(typeOf(created + toleranceMs + 1)).toBe("UPDATED");
    },
  );

  it("C-7: given a restored object, then it is CREATED", async () => {
    const box = boxEmulator();
    emulate(box.answer);
    const { id } = await connect(on, "box");
    await pollWell(on, id);
    box.log("e1", "ITEM_TRASH", { type: "file", id: "1", etag: "3" });
    box.log("e2", "ITEM_UNDELETE_VIA_TRASH", { type: "file", id: "1", etag: "3" });
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([
      ["DELETED", "files", "1"],
      ["CREATED", "files", "1"],
    ]);
  });
});

const storedToken = async (id: number) => {
  const ring = keyring(readConfig(env).masterKeys);
  return (await readInstance(env.DB, ring, id))?.configuration["oauth.user.token"];
};

describe("C-8", () => {
  const vendors = {
    box: () => boxEmulator(),
    dropbox: () => dropboxEmulator(),
    sfdc: () => sfdcEmulator(),
    hubspot: () => hubspotEmulator(),
    quickbooks: () => quickbooksEmulator(),
  };
  const realm = { realmId: "310687" };

  it.each(Object.entries(vendors))(
    "C-8: given concurrent refreshes of %s, then one token request; the new token is stored before use",
    async (key, make) => {
      const vendor = make();
      let refreshed: string | undefined;
      const answer = (request: Parameters<typeof vendor.answer>[0]) => {
        const given = vendor.answer(request);
        if (/token|bearer$/.test(request.path) && given.status === 200)
          refreshed = (given.body as { access_token: string }).access_token;
        return given;
      };
      emulate(answer);
      const instance = await connect(on, key, {}, realm);
      vendor.oauth.expire();
      refreshed = undefined;
      const kept: Promise<string | null | undefined>[] = [];
      emulate((request) => {
        const isUse = request.headers["authorization"] === `Bearer ${refreshed}`;
        if (isUse && kept.length === 0) kept.push(storedToken(instance.id));
        return answer(request);
      });
      const authorization = `User ${FIRST.userSecret}, Element ${instance.token}`;
      const pings = Array.from({ length: 6 }, () =>
        on.call("GET", "/ping", undefined, { authorization }),
      );
      const answers = await Promise.all([...pings, on.poll(instance.id)]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(vendor.oauth.granted).toEqual(["authorization_code", "refresh_token"]);
      expect(await Promise.all(kept)).toEqual([refreshed]);
      expect((await on.poll(instance.id)).status).toBe(200);
      expect(vendor.oauth.granted).toHaveLength(2);
    },
  );
});

describe("C-9", () => {
  it("C-9: given an expired cursor of box, then resync, not failure", async () => {
    const box = boxEmulator();
    emulate(box.answer);
    const { id } = await connect(on, "box");
    await pollWell(on, id);
    const { cursor } = await on.streamOf(id).inspect();
    const lost = JSON.parse(cursor ?? "");
    lost.feed.position = "1";
    await on.streamOf(id).commit({ cursor: JSON.stringify(lost), events: [], targets: [] });
    expect((await on.poll(id)).status).toBe(200);
    box.log("e1", "ITEM_CREATE", { type: "folder", id: "8" });
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([["CREATED", "folders", "8"]]);
  });

  it("C-9: given a first poll, then only what changed after the baseline, no history", async () => {
    const quickbooks = quickbooksEmulator();
    const since = Date.now() - HOUR;
    quickbooks.put("Invoice", "old", since - 1_000);
    quickbooks.put("Invoice", "new", since + 60_000);
    emulate(quickbooks.answer);
    const { id } = await connect(
      on,
      "quickbooks",
      { "event.objects": "invoices", "event.poller.since": new Date(since).toISOString() },
      { realmId: "310687" },
    );
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([["CREATED", "invoices", "new"]]);
  });

  it("C-9: given a dry run, then it shows what a feed would tell, and nothing moves", async () => {
    const box = boxEmulator();
    emulate(box.answer);
    const { id } = await connect(on, "box");
    await pollWell(on, id);
    box.log("e1", "ITEM_UPLOAD", { type: "file", id: "7", etag: "0" });
    const before = await on.streamOf(id).inspect();
    const dry = await on.dry(id);
    expect(dry.body.resources).toMatchObject([
      {
        objectType: "feed",
        request: expect.stringContaining("/2.0/events?stream_type=changes&stream_position=115"),
        events: [{ objectId: "7", eventType: "CREATED" }],
        error: null,
      },
    ]);
    expect((await on.streamOf(id).inspect()).version).toBe(before.version);
    await pollWell(on, id);
    expect(await told(on, id)).toEqual([["CREATED", "files", "7"]]);
    expect((await on.dry(id)).body.resources).toMatchObject([{ events: [] }]);
  });

  it("C-9: given a dry run of a tree, then it shows what the tree would tell, and nothing moves", async () => {
    const dropbox = dropboxEmulator();
    emulate(dropbox.answer);
    const { id } = await connect(on, "dropbox");
    await pollWell(on, id);
    dropbox.put("id:1", "/a.txt");
    const before = await on.streamOf(id).inspect();
    expect((await on.dry(id)).body.resources).toMatchObject([
      {
        request: "POST /2/files/list_folder/continue",
        events: [{ objectId: "id:1", eventType: "CREATED" }],
      },
    ]);
    expect((await on.streamOf(id).inspect()).version).toBe(before.version);
    emulate(() => ({ status: 200, body: "<html>" }));
    expect((await on.dry(id)).body.resources).toMatchObject([
      { events: [], error: expect.stringContaining("not JSON") },
    ]);
  });
});
