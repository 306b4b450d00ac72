import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { readCursor } from "../../src/polling/cursor";
import { PAGES_PER_POLL, MOST_PAGES } from "../../src/polling/limits";
import { emulate, platform, stored, VENDOR } from "../platform";
import { timersEndWithin } from "../soon";
import { boxEmulator } from "../vendors/box";
import { dropboxEmulator } from "../vendors/dropbox";
import { quickbooksEmulator } from "../vendors/quickbooks";
import { consume, keepingQueue } from "./build";
import { connect as connectOn, pollWell } from "./pitfalls/connect";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const SINCE = Date.now() - 3_600_000;

/** An instance that has been polled once, and how its vendor gets well with one change to tell. */
type Patient = { id: number; place: string; recover: () => void; changed: string };

async function connect(key: string, configuration: object = {}, data: object = {}) {
  const since = { "event.poller.since": new Date(SINCE).toISOString() };
  const { id } = await connectOn(on, key, { ...since, ...configuration }, data);
  await pollWell(on, id);
  return id;
}

const patients: Record<string, () => Promise<Patient>> = {
  "a list": async () => {
    emulate(() => ({ status: 200, body: { data: [] } }));
    const id = await connect("sandbox", { "sandbox.api.key": "k", "event.objects": "contacts" });
    const at = new Date().toISOString();
    const contact = { id: "c1", createdDate: at, updatedDate: at };
    const recover = () =>
      void emulate(() => ({ status: 200, body: { data: [contact], paging: { next: null } } }));
    return { id, place: "contacts", recover, changed: "c1" };
  },
  "a log": async () => {
    const box = boxEmulator();
    emulate(box.answer);
    const id = await connect("box");
    const recover = () => {
      box.log("e1", "ITEM_UPLOAD", { type: "file", id: "7", etag: "0" });
      emulate(box.answer);
    };
    return { id, place: "feed", recover, changed: "7" };
  },
  "a tree": async () => {
    const dropbox = dropboxEmulator();
    emulate(dropbox.answer);
    const id = await connect("dropbox");
    const recover = () => {
      dropbox.put("id:1", "/a.txt");
      emulate(dropbox.answer);
    };
    return { id, place: "feed", recover, changed: "id:1" };
  },
  "a feed of many entities": async () => {
    const quickbooks = quickbooksEmulator();
    emulate(quickbooks.answer);
    const id = await connect("quickbooks", { "event.objects": "invoices" }, { realmId: "310687" });
    const recover = () => {
      quickbooks.put("Invoice", "9", Date.now());
      emulate(quickbooks.answer);
    };
    return { id, place: "feed", recover, changed: "9" };
  },
};

/** What the vendor was asked for, and how much of its answer was taken. */
type Seen = { requests: number; bytes: number };

/** Every request gets this answer. */
function answerAll(make: (signal: AbortSignal, seen: Seen) => Response): Seen {
  const seen: Seen = { requests: 0, bytes: 0 };
  vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
    if (url.origin !== VENDOR) return new Response("", { status: 503 });
    seen.requests += 1;
    return make(init.signal ?? new AbortController().signal, seen);
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  return seen;
}

const MB = 1024 * 1024;

const troubles: [string, (signal: AbortSignal, seen: Seen) => Response][] = [
  ["HTML", () => new Response("<html><body>Sorry</body></html>")],
  ["truncated JSON", () => new Response('{"data":[{"id":"c1","updatedDate":"2026-')],
  ["200 with an error body", () => Response.json({ error: { message: "Try later" } })],
  ["a bare null", () => new Response("null")],
  [
    "200 MB",
    (_, seen) =>
      new Response(
        new ReadableStream<Uint8Array>({
          pull(controller) {
            if (seen.bytes >= 200 * MB) return controller.close();
            seen.bytes += MB;
            controller.enqueue(new Uint8Array(MB).fill(0x20));
          },
        }),
      ),
  ],
  [
    "a byte a second",
    (signal) =>
      new Response(
        new ReadableStream<Uint8Array>({
          start(controller) {
            const timer = setInterval(() => controller.enqueue(new Uint8Array([0x20])), 1_000);
            signal.addEventListener("abort", () => {
              clearInterval(timer);
              controller.error(signal.reason);
            });
          },
        }),
      ),
  ],
];

/** A feed's answer must say from where it goes on; without that, nothing at all is no answer either. */
const feedTroubles: typeof troubles = [...troubles, ["nothing at all", () => new Response("")]];

const cursorOf = async (id: number) => readCursor((await on.streamOf(id).inspect()).cursor);

describe.each(Object.keys(patients))("the poll of %s", (kind) => {
  it.each(kind === "a list" ? troubles : feedTroubles)(
    "answered with %s fails cleanly, is counted and keeps its place",
    async (_, make) => {
      const patient = await patients[kind]?.();
      if (patient === undefined) throw new Error("No patient");
      const { id, place, recover, changed } = patient;
      const before = await cursorOf(id);
      const restoreTimers = timersEndWithin(300);
      const seen = answerAll(make);
      const { status, body } = await on.poll(id);
      restoreTimers();
      expect(status, JSON.stringify(body)).toBe(502);
      expect(seen.requests).toBe(1);
      expect(seen.bytes).toBeLessThan(13 * MB);
      const after = await cursorOf(id);
      expect(after.resources[place]?.failures).toBe(1);
      expect(after.resources[place]?.last).toBe(before.resources[place]?.last);
      expect(after.feed).toEqual(before.feed);
      expect(await stored(on, id)).toEqual([]);
      recover();
      expect((await on.poll(id)).status).toBe(200);
      expect(await stored(on, id)).toMatchObject([{ objectId: changed }]);
      expect((await cursorOf(id)).resources[place]?.failures ?? 0).toBe(0);
    },
  );
});

describe("the poll of a list", () => {
  it.each<[string, () => Response]>([
    ["a 204", () => new Response(null, { status: 204 })],
    ["a 205", () => new Response(null, { status: 205 })],
    ["a 304", () => new Response(null, { status: 304 })],
    ["an empty 200", () => new Response("")],
    ["a 200 of blanks", () => new Response(" \r\n")],
    [
      "an empty 200 that calls itself JSON",
      () => new Response("", { headers: { "content-type": "application/json" } }),
    ],
    ["an empty list", () => Response.json({ data: [] })],
  ])("answered with %s has found nothing, and fails not", async (_, make) => {
    const { id, place, recover, changed } = await patients["a list"]!();
    const seen = answerAll(make);
    const { status, body } = await on.poll(id);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(seen.requests).toBe(1);
    expect((await cursorOf(id)).resources[place]?.failures ?? 0).toBe(0);
    expect(await stored(on, id)).toEqual([]);
    recover();
    expect((await on.poll(id)).status).toBe(200);
    expect(await stored(on, id)).toMatchObject([{ objectId: changed }]);
  });
});

describe("a poll's error keeps the vendor's words", () => {
  it.each<[number, object | string, string]>([
    [400, { message: "Invalid parameter(s): status" }, "Invalid parameter(s): status"],
    [400, { errors: [{ message: "No such field" }] }, "No such field"],
    [403, { error: { message: "Scope is missing" } }, "Scope is missing"],
    [404, { Message: "No such resource" }, "No such resource"],
    [422, [{ message: "Bad sort", errorCode: "SORT" }], "Bad sort"],
    [500, "Out of order\n", "Out of order"],
  ])("of a %i %o", async (status, body, words) => {
    for (const kind of ["a list", "a log"]) {
      const { id, place } = await patients[kind]!();
      answerAll(
        () => new Response(typeof body === "string" ? body : JSON.stringify(body), { status }),
      );
      const answer = await on.poll(id);
      expect(JSON.stringify(answer.body)).toContain(words);
      const error = (await cursorOf(id)).resources[place]?.lastError;
      expect(error).toMatch(new RegExp(`answered with status ${status}: `));
      expect(error).toContain(words);
    }
  });
});

it("failures of a feed before its instance was enabled again count no more", async () => {
  const { id } = await patients["a log"]!();
  const cursor = await cursorOf(id);
  const feed = { ...cursor.resources["feed"], failures: 99, failedAt: Date.now() };
  await on.streamOf(id).commit({
    cursor: JSON.stringify({ ...cursor, resources: { feed } }),
    events: [],
    targets: [],
  });
  answerAll(() => new Response("<html>"));
  expect((await on.poll(id)).status).toBe(502);
  expect((await on.poll(id)).status).toBe(409);
  expect((await on.call("PUT", `/instances/${id}/enabled`)).status).toBe(200);
  expect((await on.poll(id)).status).toBe(502);
  expect((await cursorOf(id)).resources["feed"]?.failures).toBe(1);
  expect((await on.poll(id)).status).toBe(502);
});

describe("pages without an end", () => {
  const pages = (answer: (requests: number) => unknown) =>
    answerAll((_, seen) => Response.json(answer(seen.requests)));
  const contact = (id: string) => ({
    id,
    createdDate: new Date(SINCE + 1).toISOString(),
    updatedDate: new Date(SINCE + 1).toISOString(),
  });

  it("of a list that names its own page next fails at the second, counted, its cursor unmoved", async () => {
    const { id, recover } = await patients["a list"]!();
    const before = await cursorOf(id);
    const seen = pages(() => ({ data: [contact("a")], paging: { next: "same" } }));
    expect((await on.poll(id)).status).toBe(502);
    expect(seen.requests).toBe(2);
    const after = await cursorOf(id);
    expect(after.resources["contacts"]).toMatchObject({
      failures: 1,
      lastError: expect.stringContaining("circle"),
    });
    expect(after.resources["contacts"]?.last).toBe(before.resources["contacts"]?.last);
    recover();
    expect((await on.poll(id)).status).toBe(200);
  });

  it("of a list with ever new cursors is put off after some pages and fails after many", async () => {
    const { id } = await patients["a list"]!();
    const seen = pages((requests) => ({ data: [contact("a")], paging: { next: `${requests}` } }));
    const { queue, bodies } = keepingQueue();
    await consume("tributary-polls", [{ ids: [id] }], { POLLS_SLOW: queue });
    expect(seen.requests).toBe(PAGES_PER_POLL);
    expect(bodies).toEqual([{ ids: [id], again: true }]);
    const cursor = await cursorOf(id);
    const position = cursor.resources["contacts"];
    expect(position?.scan?.pages).toBe(PAGES_PER_POLL);
    // As after all the runs that a list may take.
    const scan = { ...position?.scan, pages: MOST_PAGES - 5 };
    const resources = { contacts: { ...position, scan } };
    await on.streamOf(id).commit({
      cursor: JSON.stringify({ ...cursor, resources }),
      events: [],
      targets: [],
    });
    bodies.length = 0;
    await consume("tributary-polls", [{ ids: [id], again: true }], { POLLS_SLOW: queue });
    expect(bodies).toEqual([]);
    const ended = (await cursorOf(id)).resources["contacts"];
    expect(ended).toMatchObject({
      failures: 1,
      lastError: expect.stringContaining("does not end"),
    });
    expect(ended?.scan).toBeUndefined();
    expect(ended?.last).toBe(position?.last);
    expect(await stored(on, id)).toHaveLength(1);
  });

  const entry = (name: string) => ({
    event_id: name,
    event_type: "ITEM_UPLOAD",
    created_at: new Date().toISOString(),
    source: { type: "file", id: name, etag: "0" },
  });

  it("of a log that does not move on fails before anything of it is told", async () => {
    const { id, recover } = await patients["a log"]!();
    const { feed } = await cursorOf(id);
    const seen = pages(() => ({ next_stream_position: feed?.position, entries: [entry("x")] }));
    expect((await on.poll(id)).status).toBe(502);
    expect(seen.requests).toBe(1);
    const after = await cursorOf(id);
    expect(after.feed).toEqual(feed);
    expect(after.resources["feed"]?.failures).toBe(1);
    expect(await stored(on, id)).toEqual([]);
    recover();
    expect((await on.poll(id)).status).toBe(200);
  });

  it("of a log that goes round in a circle fails, and tells what it saw once", async () => {
    const { id } = await patients["a log"]!();
    const seen = pages((requests) => ({
      next_stream_position: String(requests % 3),
      entries: [entry(`e${requests % 3}`)],
    }));
    expect((await on.poll(id)).status).toBe(502);
    expect(seen.requests).toBe(4);
    expect(await stored(on, id)).toHaveLength(3);
    expect((await cursorOf(id)).resources["feed"]?.failures).toBe(1);
  });

  it("of a log with ever new positions is put off after some pages and fails after many", async () => {
    const { id } = await patients["a log"]!();
    // With each request as much time goes by as the vendor's rate limit asks for, besides what it takes.
    const now = Date.now.bind(Date);
    let ahead = 0;
    const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + ahead);
    onTestFinished(() => clock.mockRestore());
    const seen = pages((requests) => {
      ahead += 60;
      return { next_stream_position: String(requests), entries: [entry("x")] };
    });
    const { queue, bodies } = keepingQueue();
    await consume("tributary-polls", [{ ids: [id] }], { POLLS_SLOW: queue });
    expect(seen.requests).toBe(PAGES_PER_POLL);
    expect(bodies).toHaveLength(1);
    const cursor = await cursorOf(id);
    expect(cursor.feed?.pages).toBe(PAGES_PER_POLL);
    const feed = { ...cursor.feed, pages: MOST_PAGES - PAGES_PER_POLL };
    await on.streamOf(id).commit({
      cursor: JSON.stringify({ ...cursor, feed }),
      events: [],
      targets: [],
    });
    bodies.length = 0;
    await consume("tributary-polls", [{ ids: [id], wake: true }], { POLLS_SLOW: queue });
    expect(bodies).toEqual([]);
    const after = await cursorOf(id);
    expect(after.resources["feed"]?.lastError).toContain("does not end");
    expect(after.feed?.pages).toBe(0);
    expect(await stored(on, id)).toHaveLength(1);
  });

  it("of a tree that always has more under the same cursor fails", async () => {
    const { id } = await patients["a tree"]!();
    const { feed } = await cursorOf(id);
    const seen = pages(() => ({ cursor: feed?.position, entries: [], has_more: true }));
    expect((await on.poll(id)).status).toBe(502);
    expect(seen.requests).toBe(1);
    expect((await cursorOf(id)).feed).toEqual(feed);
    expect((await cursorOf(id)).resources["feed"]?.failures).toBe(1);
  });
});
