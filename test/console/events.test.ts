import { env } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { afterEach, beforeAll, describe, expect, inject, it, onTestFinished, vi } from "vitest";
import { readEvent } from "../../src/console/events/find.io";
import { ask, newUser } from "../accounts/ask";
import { countD1 } from "../d1-rows";
import { eventually, receiver } from "../delivery/build";
import { callV1, create } from "../elements/build";
import { memberOf, type Own, ownOrganization } from "../organization";
import { commit, event, target } from "../stream/build";
import { caughtUp, longStream, rowsRead } from "../stream/long";
import { type Browser, createAccounts, signIn } from "./build";

const CALLBACK = "http://127.0.0.1:9/events-hook";

let own: Own;
let browser: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
});
afterEach(() => vi.unstubAllGlobals());

const streamOf = (source: string) => env.EVENT_STREAMS.getByName(`${own.id}/${source}`);

/** An instance of which these events came, each in a notification of its own that came to rest. */
async function happened(
  name: string,
  events: ReturnType<typeof event>[],
  answer: () => Response = () => new Response("thank you"),
): Promise<{ id: number; source: string }> {
  receiver(answer);
  const configuration = { "event.notification.callback.url": CALLBACK };
  const { id } = await create(configuration, { name }, own.authorization);
  const stream = streamOf(`instance:${id}`);
  const targets = [target({ destinationId: `instance-${id}`, most: 1 })];
  await stream.commit(commit({ targets, events }));
  await eventually(async () => {
    const views = await stream.notifications({ before: null, limit: 50, withEvents: false });
    return views.every(({ notification }) => notification.attempts.length > 0);
  });
  return { id, source: `instance:${id}` };
}

const search = async (query: Record<string, string>) =>
  browser.get(`/console/events?${new URLSearchParams(query).toString()}`);

/** The objects of the lines, newest first. */
const objectsIn = (html: string): string[] =>
  [...html.matchAll(/<\/b> \w+ ([\w-]+)<\/a>/g)].map(([, id = ""]) => id);

describe("the events of a source", () => {
  it("are found by object, type, status, destination, time and a text of their data", async () => {
    const abort = { "webhook-delivery": "abort-message" };
    const answers = [new Response("fine"), new Response("no", { status: 400, headers: abort })];
    const { id, source } = await happened(
      "CRM of Ada",
      [
        event("1", { objectId: "a", data: '{"note":"the \\"Quick\\" fox"}' }),
        event("2", { objectId: "b", objectType: "contacts", eventType: "DELETED" }),
      ],
      () => answers.shift() ?? new Response("late"),
    );
    const found = async (query: Record<string, string>) =>
      objectsIn((await search({ source, ...query })).html);
    expect(await found({})).toEqual(["b", "a"]);
    expect(await found({ objectType: "contacts" })).toEqual(["b"]);
    expect(await found({ objectId: "a" })).toEqual(["a"]);
    expect(await found({ eventType: "DELETED" })).toEqual(["b"]);
    expect(await found({ text: 'THE "quick"' })).toEqual(["a"]);
    expect(await found({ text: "slow" })).toEqual([]);
    expect([
      ...(await found({ status: "delivered" })),
      ...(await found({ status: "dead" })),
    ]).toEqual(expect.arrayContaining(["a", "b"]));
    expect(await found({ status: "dead", text: "slow" })).toEqual([]);
    expect(await found({ destinationId: `instance-${id}` })).toEqual(["b", "a"]);
    expect(await found({ destinationId: "instance-999999" })).toEqual([]);
    expect(await found({ to: "2020-01-01T00:00" })).toEqual([]);
    expect(await found({ from: "2020-01-01T00:00", to: "2099-01-01T00:00" })).toEqual(["b", "a"]);
    const { items } = (
      await callV1("GET", `/streams/${source}/events?text=quick`, own.authorization)
    ).body;
    expect(items.map(({ objectId }: any) => objectId)).toEqual(["a"]);
    const listed = await callV1(
      "GET",
      `/deliveries?source=${source}&text=quick`,
      own.authorization,
    );
    expect(listed.body.items.map(({ objectIds }: any) => objectIds)).toEqual([["a"]]);
  });

  it("of a wrong search are not looked for: each fault stands beside its field, with what was typed", async () => {
    const { source } = await happened("Wrong", [event("w")]);
    const query = { source, status: "delivred", from: "yesterday", to: "to-day", objectType: "x" };
    const { status, html } = await search(query);
    expect(status).toBe(200);
    for (const [name, words] of [
      ["status", "Expected pending, sent"],
      ["from", "Expected an ISO 8601 instant, got &#39;yesterday&#39;"],
      ["to", "Expected an ISO 8601 instant, got &#39;to-day&#39;"],
    ]) {
      expect(html).toContain(`aria-describedby="search-${name}-fault"`);
      expect(html.split(`id="search-${name}-fault"`)[1]).toMatch(new RegExp(`^[^<]*${words}`));
    }
    expect(html).toContain('value="yesterday"');
    expect(html).toContain('value="x"');
    expect(objectsIn(html)).toEqual([]);
  });

  it("are paged: nothing is left out, nothing comes twice", async () => {
    const all = Array.from({ length: 120 }, (_, n) => event(`p${n}`, { to: [] }));
    const { source } = await happened("Paged", []);
    await streamOf(source).commit(commit({ events: all }));
    const seen: string[] = [];
    let path = `/console/events?source=${source}`;
    for (let page = 0; page < 4 && path !== ""; page += 1) {
      const { html } = await browser.get(path);
      seen.push(...objectsIn(html));
      path = (/id="more"><a href="([^"]+)"/.exec(html)?.[1] ?? "").replaceAll("&amp;", "&");
    }
    expect(seen).toEqual(all.map(({ objectId }) => objectId).toReversed());
  });

  it("cost as few queries and requests of many as of some", async () => {
    const stream = await longStream(inject("isLong") ? 100_000 : 20_000);
    await caughtUp(stream);
    const source = (stream.name ?? "").slice("1/".length);
    const { id } = await create();
    const longId = Number(source.slice("instance:".length));
    await env.DB.prepare("UPDATE instances SET id = ?, name = 'Long' WHERE id = ?")
      .bind(longId, id)
      .run();
    // Others list the instances of this organization, and no key opens this one's secrets.
    onTestFinished(async () => {
      await env.DB.prepare("DELETE FROM instances WHERE id = ?").bind(longId).run();
    });
    const anna = await signIn("anna@mine.example");
    for (const query of ["", "&objectId=often", "&status=held", "&from=2026-01-01T05:00", "77/"]) {
      const path = query.endsWith("/")
        ? `/console/events/${query}${source}`
        : `/console/events?source=${source}${query}`;
      // Others of the runtime ask the database, too: the visit that met the fewest of them counts.
      const visits = [];
      for (let visit = 0; visit < 3; visit += 1) {
        const { requests } = await stream.meter();
        const counted = countD1();
        const rows = await rowsRead(stream, async () => {
          const { status, html } = await anna.get(path);
          expect({ path, status }).toEqual({ path, status: 200 });
          expect(html).toContain("Long");
        });
        counted.end();
        const asked = counted.queries.length;
        visits.push({ asked, rows, requests: (await stream.meter()).requests - requests });
      }
      const [calmest] = visits.toSorted((one, other) => one.asked - other.asked);
      // Two of the queries tell whose session it is.
      expect(calmest?.asked).toBeLessThanOrEqual(5);
      expect(calmest?.requests).toBeLessThanOrEqual(2);
      expect({ query, few: (calmest?.rows ?? 1_000) < 1_000 }).toEqual({ query, few: true });
    }
  });
});

describe("the events of an organization", () => {
  it("are those of its latest sources, each by its name, and the page says so", async () => {
    const { source } = await happened("Books of Grace", [event("g", { objectId: "ledger-1" })]);
    const { html } = await search({});
    expect(html).toContain("Books of Grace");
    expect(html).not.toContain(`>${source}<`);
    expect(objectsIn(html)).toContain("ledger-1");
    expect(html).toMatch(/Looked through the (one|\d+) sources? in which something happened last/);
  });

  it("that are dead are listed for all sources together", async () => {
    const abort = { "webhook-delivery": "abort-message" };
    await happened("Late", [event("d", { objectId: "dead-1" })], () => {
      return new Response("no", { status: 400, headers: abort });
    });
    const dead = await eventually(async () => {
      const { html } = await search({ status: "dead" });
      return objectsIn(html).includes("dead-1") && html;
    });
    expect(dead).toContain("All sources");
  });

  it("are paged over streams: nothing is left out, nothing comes twice", async () => {
    const other = await ownOrganization();
    const theirs = await signIn(other.email, other.password);
    const ids: string[] = [];
    for (const name of ["One", "Two", "Three"]) {
      const { id } = await create({}, { name }, other.authorization);
      const events = Array.from({ length: 40 }, (_, n) => event(`${name}-${n}`, { to: [] }));
      ids.push(...events.map(({ objectId }) => objectId));
      await env.EVENT_STREAMS.getByName(`${other.id}/instance:${id}`).commit(commit({ events }));
    }
    const seen: string[] = [];
    let path = "/console/events";
    for (let page = 0; page < 5 && path !== ""; page += 1) {
      const { html } = await theirs.get(path);
      seen.push(...objectsIn(html));
      path = (/id="more"><a href="([^"]+)"/.exec(html)?.[1] ?? "").replaceAll("&amp;", "&");
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });

  it("teach what to send as long as there is none", async () => {
    const other = await ownOrganization();
    const { html } = await (await signIn(other.email, other.password)).get("/console/events");
    expect(html).toContain("https://tributary.example/v1/events");
  });

  it("of users' apps stand under the user's name", async () => {
    const user = await newUser();
    const name = `placed-${crypto.randomUUID()}`;
    const { token } = user;
    await ask("POST", `/plugins/appmixer/utils/appevents/events/${name}`, {
      token,
      body: { a: 1 },
    });
    const row = await env.DB.prepare("SELECT id FROM users WHERE email = ?")
      .bind(user.email)
      .first<{ id: number }>();
    const { html } = await (
      await signIn("anna@mine.example")
    ).get(`/console/events?source=user:${row?.id}`);
    expect(html).toContain(name);
    expect(html).toContain("Of the app’s user ");
    expect(html).not.toContain(`>user:${row?.id}<`);
  });
});

describe("one event", () => {
  it("is shown normalised, as a record, as the vendor sent it, and with each try", async () => {
    const { source, id } = await happened("Shown", []);
    receiver(() => new Response("thank you"));
    const stream = streamOf(source);
    await stream.commit(
      commit({
        raw: '{"from":"the vendor"}',
        targets: [target({ destinationId: `instance-${id}`, most: 1 })],
        events: [event("shown", { data: '{"name":"Ada"}' })],
      }),
    );
    const { html } = await eventually(async () => {
      const page = await browser.get(`/console/events/1/${source}`);
      return page.html.includes("thank you") && page;
    });
    for (const part of [
      "created accounts object-shown",
      "Shown",
      "&quot;eventType&quot;: &quot;CREATED&quot;",
      "&quot;name&quot;: &quot;Ada&quot;",
      "&quot;from&quot;: &quot;the vendor&quot;",
      "127.0.0.1:9/events-hook",
      `/console/deliveries/${id}101`,
      ">delivered<",
    ])
      expect(html).toContain(part);
    expect((await browser.get(`/console/events/2/${source}`)).status).toBe(404);
  });

  it("is read from an object of the version before by what that knows", async () => {
    const { source } = await happened("Old", [event("o1"), event("o2", { objectId: "old" })]);
    const stream = streamOf(source);
    const older = {
      // What the runtime says of a method that an object's code lacks.
      eventAt: async () => {
        throw new TypeError('The RPC receiver does not implement the method "eventAt".');
      },
      eventsBefore: (request: any) => stream.eventsBefore(request),
      notification: (seq: number) => stream.notification(seq),
    } as unknown as typeof stream;
    const told = async (from: typeof stream) => {
      const { event: found, deliveries } = (await readEvent(from, 2)) as any;
      return { found, sent: deliveries.map(({ id, notification }: any) => ({ id, notification })) };
    };
    const { found, sent } = await told(older);
    expect({ found, sent }).toEqual(await told(stream));
    expect({ object: found.objectId, sent: sent.length }).toEqual({ object: "old", sent: 1 });
    expect(await readEvent(older, 3)).toBeNull();
  });

  it("has for each notification the request as a command, and what its signature was made of", async () => {
    const { source, id } = await happened("Proved", [event("it's", { data: `{"a":"it's"}` })]);
    const { secret } = (await callV1("GET", `/instances/${id}/signing-secret`, own.authorization))
      .body;
    const { html } = await browser.get(`/console/deliveries/${id}101`);
    const text = html.replaceAll("&#39;", "'").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
    expect(text).toContain(`--data-raw '{"a":"it'\\''s"}'`);
    expect(text).toContain(`the secret whsec_…${secret.slice(-4)}`);
    expect(text).not.toContain(secret);
    const timestamp = /webhook-timestamp: (\d+)/.exec(text)?.[1] ?? "";
    expect(text).toContain(`${id}101.${timestamp}.{"a":"it's"}`);
    const signature = createHmac("sha256", Buffer.from(secret.slice(6), "base64"))
      .update(`${id}101.${timestamp}.{"a":"it's"}`)
      .digest("base64");
    expect(text).toContain(`<dd>${signature}</dd>`);
    expect(source).toBe(`instance:${id}`);
  });
});

describe("a range", () => {
  it("is delivered again from the page of its source, by an editor and not by a viewer", async () => {
    const { source } = await happened("Replayed", [event("r")]);
    const received = receiver(() => new Response("again"));
    const path = `/console/events/${source}/replay`;
    const range = { from: "2020-01-01T00:00", to: "2099-01-01T00:00" };
    const { status, location } = await browser.post(path, range);
    expect(status).toBe(303);
    expect((await browser.get(location ?? "")).html).toContain("being delivered again");
    await eventually(async () => received.length > 0);
    const email = `reading-${crypto.randomUUID()}@mine.example`;
    await env.DB.batch(memberOf(own.id, { email, password: own.password, role: "viewer" }));
    const reading = await signIn(email, own.password);
    expect((await reading.post(path, range)).status).toBe(403);
    expect((await reading.get(`/console/events?source=${source}`)).html).not.toContain(
      "Replay the",
    );
  });

  it("that is none is told with all faults beside their fields, and what was typed", async () => {
    const { source } = await happened("Unclear", []);
    const { status, html } = await browser.post(`/console/events/${source}/replay`, {
      from: "soon",
      to: "",
      objectType: "kept",
    });
    expect(status).toBe(400);
    expect(html).toContain('id="again-from-fault"');
    expect(html).toContain('id="again-to-fault"');
    expect(html).toContain('value="soon"');
    expect(html).toContain('value="kept"');
  });

  it("of what died is recovered since an instant", async () => {
    const abort = { "webhook-delivery": "abort-message" };
    const { id, source } = await happened("Recovered", [event("x")], () => {
      return new Response("no", { status: 400, headers: abort });
    });
    await eventually(async () =>
      (await search({ source, status: "dead" })).html.includes(">dead<"),
    );
    const { location } = await browser.post(`/console/destinations/instance-${id}/recover`, {
      since: "2020-01-01T00:00",
      source,
    });
    expect(location).toBe(`/console/events?source=instance%3A${id}`);
    expect((await browser.get(location ?? "")).html).toContain("1 notification is being delivered");
  });
});

it("shows hostile names, events, answers and searches as the text they are", async () => {
  const evil = `"><script>alert(1)</script>`;
  const { id, source } = await happened(
    evil.slice(0, 40),
    [
      event("evil", {
        objectId: evil,
        objectType: evil,
        eventType: evil,
        data: JSON.stringify({ a: evil }),
      }),
    ],
    () => new Response(evil, { headers: { "x-evil": evil } }),
  );
  await env.DB.prepare("UPDATE instances SET name = ? WHERE id = ?").bind(evil, id).run();
  const query = new URLSearchParams({ source, objectType: evil, text: evil, from: evil });
  for (const path of [
    "events",
    `events?source=${source}`,
    `events?${query.toString()}`,
    `events/1/${source}`,
    `deliveries/${id}101`,
  ]) {
    const { html, status } = await browser.get(`/console/${path}`);
    expect({ path, status }).toEqual({ path, status: 200 });
    expect(html).toContain("&lt;script&gt;alert(1)");
    expect(html.toLowerCase()).not.toContain("<script>alert");
  }
});

it("knows no other organization's sources", async () => {
  const { source } = await happened("Ours", [event("o")]);
  const otto = await signIn("otto@theirs.example");
  for (const path of [
    `/console/events?source=${source}`,
    `/console/events/1/${source}`,
    "/console/events?source=nonsense",
    "/console/events?source=user:999999",
  ])
    expect({ path, status: (await otto.get(path)).status }).toEqual({ path, status: 404 });
  expect((await otto.post(`/console/events/${source}/replay`)).status).toBe(404);
  const cursor = Buffer.from(JSON.stringify({ [source]: 9 })).toString("base64url");
  expect((await otto.get(`/console/events?cursor=${cursor}`)).html).not.toContain("object-o");
});
