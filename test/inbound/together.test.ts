import { createMessageBatch, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { pollDoors } from "../../src/polling/doors.io";
import { consumePolls } from "../../src/polling/polls.consumer";
import { emulate, platform, stored, VENDOR } from "../platform";
import { dropboxEmulator, dropboxNotification } from "../vendors/dropbox";
import { CLIENT, CODE } from "../vendors/grants";
import { hubspotEmulator } from "../vendors/hubspot";
import { sfdcEmulator } from "../vendors/sfdc";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const connect = (key: string, configuration: Record<string, unknown>) =>
  on.call("POST", "/instances", {
    element: { key },
    providerData: { code: CODE },
    configuration: {
      "oauth.api.key": CLIENT.id,
      "oauth.api.secret": CLIENT.secret,
      "base.url": VENDOR,
      "oauth.base.url": VENDOR,
      "event.poller.refresh_interval": "1440",
      ...configuration,
    },
  });

/** The message a webhook left with the stream for the polls queue. */
const wakeOf = (id: number) =>
  runInDurableObject(on.streamOf(id), (_, state) => {
    const [row] = state.storage.sql
      .exec<{ value: string }>("SELECT value FROM meta WHERE key = 'wake'")
      .toArray();
    return row === undefined
      ? undefined
      : (JSON.parse(row.value) as { at: number; message: { ids: number[]; wake: true } });
  });

/** What the polls queue does with that message. */
const wake = async (id: number) => {
  const found = await wakeOf(id);
  if (found === undefined) throw new Error("Nothing woke");
  await consume(found.message);
};

const consume = async (message: unknown) => {
  const batch = createMessageBatch("tributary-polls", [
    { id: "1", timestamp: new Date(), attempts: 1, body: message },
  ]);
  await consumePolls(batch, pollDoors(env));
};

describe("webhook and poll together", () => {
  const deliverHubspot = async (id: number, items: object[]) => {
    const body = JSON.stringify(items);
    const path = `/events/hubspot/${btoa(String(id))}`;
    const timestamp = String(Date.now());
    const signature = createHmac("sha256", CLIENT.secret)
      .update(`POSThttps://events.example.com/elements/api-v2${path}${body}${timestamp}`)
      .digest("base64");
    const headers = {
      "x-hubspot-signature-v3": signature,
      "x-hubspot-request-timestamp": timestamp,
    };
    return on.deliver(path, body, headers);
  };
  const item = (subscriptionType: string, objectId: number, occurredAt: number) => ({
    eventId: 1,
    subscriptionId: 1,
    portalId: 62515,
    occurredAt,
    subscriptionType,
    objectId,
  });

  it("a change seen by both is one event: the webhook wakes, the poll emits", async () => {
    const hubspot = hubspotEmulator();
    emulate(hubspot.answer);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { body: instance } = await connect("hubspot", {
      "event.vendor.type": "polling,webhook",
      "event.objects": "contacts",
    });
    const at = Date.now() + 1_000;
    hubspot.put("contacts", "1801", at);
    for (let times = 0; times < 3; times += 1)
      expect((await deliverHubspot(instance.id, [item("contact.creation", 1801, at)])).status).toBe(
        200,
      );
    expect(await stored(on, instance.id)).toEqual([]);
    const found = await wakeOf(instance.id);
    expect(found?.message).toEqual({ ids: [instance.id], wake: true });
    await wake(instance.id);
    await on.poll(instance.id);
    expect(await stored(on, instance.id)).toMatchObject([
      { objectType: "contacts", objectId: "1801", eventType: "CREATED" },
    ]);
  });

  it("deletes that no poll can see are emitted by the webhook", async () => {
    const hubspot = hubspotEmulator();
    emulate(hubspot.answer);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { body: instance } = await connect("hubspot", { "event.vendor.type": "polling,webhook" });
    await deliverHubspot(instance.id, [item("contact.deletion", 5, Date.now())]);
    expect(await stored(on, instance.id)).toMatchObject([{ objectId: "5", eventType: "DELETED" }]);
    expect(await wakeOf(instance.id)).toBeUndefined();
  });

  it("deletes that the poll sees are left to it, and SF-4 an overflow reads the entity anew", async () => {
    const sfdc = sfdcEmulator();
    emulate(sfdc.answer);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { body: instance } = await connect("sfdc", {
      "event.vendor.type": "polling,webhooks",
      "event.objects": "Contact",
    });
    const path = `/events/sfdc/${btoa(String(instance.id))}?token=${instance.configuration["event.vendor.token"]}`;
    const header = {
      entityName: "Contact",
      recordIds: ["003ak00000IiFInAAN"],
      commitTimestamp: Date.now(),
    };
    const deleted = { ChangeEventHeader: { ...header, changeType: "DELETE" } };
    expect((await on.deliver(path, JSON.stringify(deleted))).status).toBe(200);
    expect(await stored(on, instance.id)).toEqual([]);
    expect(await wakeOf(instance.id)).toBeDefined();
    const overflow = {
      ChangeEventHeader: { ...header, recordIds: [], changeType: "GAP_OVERFLOW" },
    };
    expect((await on.deliver(path, JSON.stringify(overflow))).status).toBe(200);
    sfdc.put("003ak00000IiFInAAN", Date.now() + 5_000, Date.now(), true);
    await wake(instance.id);
    expect(await stored(on, instance.id)).toMatchObject([
      { objectType: "Contact", eventType: "DELETED" },
    ]);
  });

  it("DB-3 given one account on three instances, then three syncs; bursts coalesce, syncs never overlap", async () => {
    const account = "dbid:of-three";
    const dropbox = dropboxEmulator({ account });
    emulate(dropbox.answer);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { fetch } = globalThis;
    // Of what is asked for files only: polls of other tests' instances may still run.
    let reading: string | null = null;
    let inFlight = 0;
    const overlaps: string[] = [];
    vi.stubGlobal("fetch", async (input: URL, init: RequestInit) => {
      const who = new Headers(init.headers).get("authorization");
      if (!new URL(input).pathname.startsWith("/2/files/")) return fetch(input, init);
      if (inFlight > 0 || (reading !== null && reading !== who))
        overlaps.push(`${who} while ${reading}`);
      reading = who;
      inFlight += 1;
      await scheduler.wait(20);
      inFlight -= 1;
      const response = await fetch(input, init);
      const { has_more } = await response.clone().json<{ has_more: boolean }>();
      if (!has_more) reading = null;
      return response;
    });
    const ids: number[] = [];
    for (let made = 0; made < 3; made += 1) {
      const { body } = await on.call("POST", "/instances", {
        element: { key: "dropbox" },
        providerData: { refresh_token: "the-refresh-token" },
        configuration: {
          "oauth.api.key": CLIENT.id,
          "oauth.api.secret": CLIENT.secret,
          "base.url": VENDOR,
          "oauth.base.url": VENDOR,
          "event.vendor.type": "webhook",
          "oauth.user.id": account,
        },
      });
      ids.push(body.id);
      expect((await on.poll(body.id)).status).toBe(200);
    }
    const names = ["1", "2", "3", "4", "5"];
    for (const name of names) dropbox.put(`id:${name}`, `/${name}.txt`);
    const { body, headers } = dropboxNotification([account], CLIENT.secret);
    for (let burst = 0; burst < 3; burst += 1)
      expect((await on.deliver("/events/dropbox", body, headers)).status).toBe(200);
    // Two syncs at the same time are one after the other, whoever woke them: these or the stream's alarm.
    await Promise.all(ids.flatMap((id) => [1, 2].map(() => consume({ ids: [id], wake: true }))));
    for (const id of ids)
      await expect
        .poll(async () => (await stored(on, id)).map(({ objectId }) => objectId))
        .toEqual(names.map((name) => `id:${name}`));
    expect(overlaps).toEqual([]);
  });

  it("DB-3 given a webhook where nothing is polled, then its feed is read all the same", async () => {
    const dropbox = dropboxEmulator();
    emulate(dropbox.answer);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { body: instance } = await connect("dropbox", { "event.vendor.type": "webhook" });
    expect((await on.poll(instance.id)).status).toBe(200);
    dropbox.put("id:1", "/a.txt");
    const body = '{"list_folder": {"accounts": ["dbid:AAH4"]}}';
    const signature = createHmac("sha256", CLIENT.secret).update(body).digest("hex");
    for (let times = 0; times < 3; times += 1)
      expect(
        (await on.deliver("/events/dropbox", body, { "x-dropbox-signature": signature })).status,
      ).toBe(200);
    // Woken by these webhooks; what its creation woke may still run, and then this comes back after it.
    await expect
      .poll(() => stored(on, instance.id))
      .toMatchObject([{ objectType: "files", objectId: "id:1", eventType: "CREATED" }]);
  });
});
