import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ask, newUser } from "../accounts/ask";
import { cases } from "../cases";
import { createAccounts, signIn } from "../console/build";
import { destination, eventually, type Received, receiver } from "../delivery/build";
import { call, callV1 } from "../elements/build";
import { step, trigger } from "../flows/components";
import { ownOrganization } from "../organization";
import { platform } from "../platform";
import { commit, event, expireLeases, freshStream, target } from "./build";

/** Promise 12: one bad row dies alone, with a reason; its neighbours go, and every list that holds it stays readable. */

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
afterEach(() => vi.unstubAllGlobals());

let signedIn: ReturnType<typeof signIn> | undefined;
/** A member of the first organization, at the console. */
async function member() {
  await createAccounts();
  return (signedIn ??= signIn("vera@mine.example"));
}

type Stream = ReturnType<typeof freshStream>;

const elements = (instanceId: number) => ({
  format: "elements" as const,
  elementKey: "hubspot",
  hubKey: "crm",
  instanceId,
  instanceName: "Ada's",
});
const TEN = Array.from({ length: 10 }, (_, index) => index + 1);

/** Where each of these notifications stands, once none of them is open any more. */
const settled = (stream: Stream, seqs: readonly number[]) =>
  eventually(async () => {
    const views = await Promise.all(seqs.map((seq) => stream.notification(seq)));
    const states = views.flatMap((view) => view?.notification.state ?? []);
    return states.every(({ kind }) => kind === "delivered" || kind === "dead") && states;
  });

/** The ids of the notifications that came to a URL, each as often as it came. */
const idsAt = (received: readonly Received[], url: string) =>
  received.flatMap((one) => (one.url === url ? (one.headers.get("webhook-id") ?? "") : []));

/** What is on the queues is lost, and its lease over. */
async function loseQueues(stream: Stream, while_: () => Promise<unknown>): Promise<void> {
  const lost = { sendBatch: async () => undefined };
  await runInDurableObject(stream, (object) =>
    Reflect.set(object, "env", { ...env, DELIVERIES: lost, DELIVERIES_SLOW: lost }),
  );
  await while_();
  await runInDurableObject(stream, (object) => Reflect.set(object, "env", env));
  await expireLeases(stream);
}

/** Writes into the stored events what today's code lets nobody store. */
const spoil = (stream: Stream, from: string, to: string): Promise<unknown> =>
  runInDurableObject(stream, (_, { storage: { sql } }) => {
    sql.exec("UPDATE bundles SET segment = replace(segment, ?, ?)", from, to);
    sql.exec("UPDATE segments SET body = replace(body, ?, ?)", from, to);
  });

describe("promise 12: one bad row dies alone", () => {
  const spoiled: [string, string, string, object][] = [
    ["a date of no calendar", "1700000000004", "8700000000000000", {}],
    ["a date without end", "1700000000004", "1e400", {}],
    ["data that a transform cannot read", '{\\"id\\":\\"e4\\"}', "{=1", { transform: "message" }],
  ];
  it.each(spoiled)(
    "given %s in a stored row, then nine arrive once",
    async (_, from, to, policy) => {
      const { id: instanceId } = await on.instance("hubspot", {});
      const stream = on.streamOf(instanceId);
      const received = receiver(() => new Response());
      const { id, url } = await destination({ policy });
      // Polled, so that the body holds each event's data.
      const polled = { objectType: "accounts", pollDate: 1 };
      const envelope = { ...elements(instanceId), polled };
      const dated = (n: number) => event(`e${n}`, { date: n === 4 ? 1_700_000_000_004 : n * 1000 });
      await loseQueues(stream, async () => {
        const targets = [target({ destinationId: id, most: 1, envelope })];
        await stream.commit(commit({ targets, events: TEN.map(dated) }));
      });
      await spoil(stream, from, to);
      expect(await runDurableObjectAlarm(stream)).toBe(true);
      const states = await settled(stream, TEN);
      expect(states.map(({ kind }) => kind)).toEqual(
        TEN.map((n) => (n === 4 ? "dead" : "delivered")),
      );
      expect(states[3]).toMatchObject({ reason: "unrenderable" });
      const ids = idsAt(received, url ?? "");
      expect([ids.length, new Set(ids).size]).toEqual([9, 9]);
      await shows(instanceId, id);
    },
  );

  /** Every list that holds the fourth of ten notifications is read, and says of it that it is dead. */
  async function shows(instanceId: number, destinationId: string): Promise<void> {
    const dead = await on.streamOf(instanceId).notification(4);
    expect(dead?.notification.attempts).toMatchObject([{ n: 1, status: null }]);
    const id = dead?.id ?? "";
    const reason = "unrenderable";
    expect((await callV1("GET", `/deliveries/${id}`)).body).toMatchObject({
      status: "dead",
      reason,
    });
    const troubled = await callV1("GET", `/deliveries?destinationId=${destinationId}`);
    expect(troubled.body.items).toMatchObject([{ id, reason }]);
    const all = await callV1("GET", `/deliveries?source=instance:${instanceId}`);
    expect(all.body.items.filter((one: any) => one.reason === reason)).toHaveLength(1);
    const events = await callV1("GET", `/streams/instance:${instanceId}/events`);
    expect(events.body.items.map((one: any) => one.seq)).toEqual(TEN);
    const odd = events.body.items.filter((one: any) => one.unrenderable !== undefined);
    expect(odd).toMatchObject([{ seq: 4, notificationIds: [id] }]);
    for (const path of [
      `/instances/${instanceId}/events`,
      "/instances/events",
      "/instances/events/dispositions",
      `/notifications?topics[]=instance-${instanceId}-hubspot-events`,
    ]) {
      const listed = await call("GET", path);
      expect([path, listed.status]).toEqual([path, 200]);
      expect(JSON.stringify(listed.body)).toContain(id);
    }
    const browser = await member();
    for (const page of [`/console/deliveries/${id}`, `/console/instances/${instanceId}`])
      expect([page, (await browser.get(page)).status]).toEqual([page, 200]);
    expect(await call("GET", `/instances/${instanceId}/events/${id}`)).toMatchObject({
      status: 200,
      body: { id, status: "CONSUMED" },
    });
  }

  it("given a flow's step whose run cannot be read, then it is dead, and the run beside it goes on", async () => {
    const user = await newUser();
    const { token } = user;
    const url = `http://127.0.0.1:9/step-${crypto.randomUUID()}`;
    const flow = { T: trigger("odd"), P: step({ url, body: "{{{$.T.out.data.n}}}" }) };
    const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
    const command = { token, body: { command: "start" } };
    expect((await ask("POST", `/flows/${flowId}/coordinator`, command)).status).toBe(200);
    const row = await env.DB.prepare("SELECT id FROM users WHERE email = ?")
      .bind(user.email)
      .first<{ id: number }>();
    const stream = env.EVENT_STREAMS.getByName(`1/user:${row?.id}`);
    const received = receiver(() => new Response());
    const path = "/plugins/appmixer/utils/appevents/events/odd";
    await loseQueues(stream, async () => {
      for (const n of ["first", "second", "third"])
        expect((await ask("POST", path, { token, body: { n } })).status).toBe(200);
    });
    await spoil(stream, '{\\"n\\":\\"second\\"}', "{=1");
    expect(await runDurableObjectAlarm(stream)).toBe(true);
    const states = await settled(stream, [1, 2, 3]);
    expect(states).toMatchObject([
      { kind: "delivered" },
      { kind: "dead", reason: "unrenderable" },
      { kind: "delivered" },
    ]);
    expect(received.flatMap((one) => (one.url === url ? one.body : []))).toEqual([
      "first",
      "third",
    ]);
    for (const list of ["/app-events", "/logs", "/unprocessed-messages"])
      expect([list, (await ask("GET", list, { token })).status]).toEqual([list, 200]);
    const { body } = await ask("GET", "/app-events", { token });
    expect(body.items).toHaveLength(3);
    expect(body.items[1]).toMatchObject({ event: "odd", unrenderable: expect.any(String) });
    const one = await ask("GET", `/app-events/${body.items[1].eventId}`, { token });
    expect(one).toMatchObject({ status: 200, body: { event: "odd" } });
  });

  it("given bodies that one answer of the stream cannot hold together, then all of them arrive", async () => {
    const stream = freshStream();
    const received = receiver(() => new Response());
    const { id, url } = await destination();
    const targets = [target({ destinationId: id, most: 1, envelope: elements(1) })];
    const raw = JSON.stringify("x".repeat(1_500_000));
    await stream.commit(commit({ targets, raw, events: TEN.map((n) => event(`e${n}`)) }));
    const states = await settled(stream, TEN);
    expect(states.map(({ kind }) => kind)).toEqual(TEN.map(() => "delivered"));
    const ids = idsAt(received, url ?? "");
    expect([ids.length, new Set(ids).size]).toEqual([10, 10]);
  });

  it("given rows that one answer of the stream cannot hold together, then lists show all of them, in pages", async () => {
    const stream = freshStream();
    const data = JSON.stringify("x".repeat(1_700_000));
    const count = 20;
    const keep = [target({ destinationId: null, most: 1 })];
    for (let n = 0; n < count; n += 1)
      await stream.commit(commit({ targets: keep, events: [event(`e${n}`, { data })] }));
    const all = Array.from({ length: count }, (_, index) => index + 1);
    const forward: number[] = [];
    for (let after = 0; after < count;) {
      const page = await stream.events({ after, limit: 200 });
      forward.push(...page.events.map(({ seq }) => seq));
      after = page.last;
    }
    expect(forward).toEqual(all);
    const backward: number[] = [];
    for (let more = true; more;) {
      const page = await stream.eventsBefore({ before: backward.at(-1) ?? null, limit: 200 });
      backward.push(...page.events.map(({ seq }) => seq));
      more = page.next !== null;
    }
    expect(backward.toReversed()).toEqual(all);
    const views = await stream.notifications({ before: null, limit: 200, withEvents: true });
    expect(views.flatMap(({ events }) => events.map(({ seq }) => seq)).toReversed()).toEqual(all);
  });

  it("given any event in a bundle of ten, then nine arrive once and the tenth arrives or is dead", async () => {
    const received = receiver(() => new Response());
    const transforms = [undefined, "$", "message.raw", "$string(message)", '$error("no")'];
    // Its deaths are told to operators, but to nobody whom other tests listen to.
    const { id: organizationId } = await ownOrganization();
    const to = await Promise.all(
      transforms.map((transform) =>
        destination({ organizationId, policy: transform === undefined ? {} : { transform } }),
      ),
    );
    const stream = env.EVENT_STREAMS.getByName(`${organizationId}/instance:1`);
    let seq = 0;
    const text = fc.oneof(fc.string(), fc.constantFrom("\0", "\ud83d", "x".repeat(100_000)));
    const odd = fc.record({
      objectType: text,
      objectId: text,
      eventType: text,
      date: fc.oneof(fc.double(), fc.maxSafeInteger()),
      data: fc.oneof(fc.json(), text, fc.constant("[".repeat(3_000) + "]".repeat(3_000))),
    });
    const any = fc.record({
      odd,
      raw: fc.option(fc.oneof(fc.json(), text), { nil: undefined }),
      place: fc.integer({ min: 0, max: 9 }),
      destination: fc.constantFrom(...to),
      format: fc.constantFrom("elements", "polled", "verbatim"),
      ordering: fc.constantFrom("none" as const, "object" as const),
    });
    await fc.assert(
      fc.asyncProperty(any, async (one) => {
        const { id: destinationId, url } = one.destination;
        const polled = { objectType: "accounts", pollDate: 1 };
        const envelope =
          one.format === "verbatim"
            ? { format: "verbatim" as const }
            : { ...elements(1), ...(one.format === "polled" ? { polled } : {}) };
        const events = TEN.map((n) =>
          event(`${seq}-${n}`, n - 1 === one.place ? one.odd : { date: n * 1000 }),
        );
        const base = { envelope, most: 1, ordering: one.ordering };
        // The odd one goes to the destination with the transform, its neighbours to one that takes all.
        const neighbours = to[0];
        const targets = [
          target({ ...base, destinationId: neighbours?.id ?? "" }),
          target({ ...base, destinationId }),
        ];
        const addressed = events.map((each, index) => ({
          ...each,
          to: [index === one.place ? 1 : 0],
        }));
        received.length = 0;
        const before = seq;
        await stream.commit({
          events: addressed,
          targets,
          ...(one.raw === undefined ? {} : { raw: one.raw }),
        });
        seq += 10;
        const states = await settled(
          stream,
          TEN.map((n) => before + n),
        );
        const ids = idsAt(received, neighbours?.url ?? "");
        const own = neighbours?.url === url ? 10 : 9;
        const oddState = states.find(({ kind }) => kind === "dead");
        expect(states.filter(({ kind }) => kind === "dead").length).toBeLessThanOrEqual(1);
        if (oddState?.kind === "dead")
          expect(["unrenderable", "transform-failed"]).toContain(oddState.reason);
        expect([ids.length, new Set(ids).size]).toEqual([own, own]);
      }),
      { numRuns: cases(10, 2_000) },
    );
  });
});
