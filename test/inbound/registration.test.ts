import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { emulate, platform, PUBLIC_URL, VENDOR } from "../platform";
import { boxEmulator, boxHeaders } from "../vendors/box";
import { CLIENT, CODE } from "../vendors/grants";

let on: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  on = await platform();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const connect = async (items: string) => {
  const box = boxEmulator();
  emulate(box.answer);
  onTestFinished(() => void vi.unstubAllGlobals());
  /** The body of reference connector-events-api.md §4, pointed at the emulator. */
  const made = await on.call("POST", "/instances", {
    element: { key: "box" },
    providerData: { code: CODE },
    configuration: {
      "oauth.callback.url": "https://app.example/cb",
      "oauth.api.key": CLIENT.id,
      "oauth.api.secret": CLIENT.secret,
      "base.url": VENDOR,
      "oauth.base.url": VENDOR,
      "event.notification.enabled": true,
      "event.notification.callback.url": "https://app.example/hook",
      "event.notification.signature.key": "callback-key",
      "event.vendor.signature.key": "box-key",
      "events.list.ids": items,
    },
    tags: ["Docs"],
    name: "API Instance",
  });
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  return { box, instance: made.body };
};

describe("box webhooks", () => {
  it("are made for every file and folder that is listed, whatever its type", async () => {
    const { box, instance } = await connect("7,8");
    expect(instance).toMatchObject({
      name: "API Instance",
      tags: ["Docs"],
      valid: true,
      eventsEnabled: true,
      eventsNotificationCallbackUrl: "https://app.example/hook",
      element: { id: 22, key: "box", hub: "documents" },
    });
    const [file, folder] = [...box.hooks.values()];
    expect(file).toMatchObject({
      target: { id: "7", type: "file" },
      address: `${PUBLIC_URL}/elements/api-v2/events/box/${btoa(String(instance.id))}`,
    });
    expect(folder).toMatchObject({ target: { id: "8", type: "folder" } });
    expect(instance.configuration["box.webhook.ids"]).toBe(`${file?.id},${folder?.id}`);
  });

  it("are found on the app-wide address by their id", async () => {
    const { box, instance } = await connect("file:7");
    const [hook] = [...box.hooks.values()];
    const body = JSON.stringify({
      id: "d1",
      trigger: "FILE.RENAMED",
      webhook: { id: hook?.id },
      source: { id: "7", type: "file" },
    });
    expect((await on.deliver("/events/box", body, boxHeaders(body, "box-key"))).status).toBe(200);
    const { events } = await on.streamOf(instance.id).events({ after: 0, limit: 10 });
    expect(events).toMatchObject([{ objectId: "7", eventType: "UPDATED" }]);
  });

  it("BX-5 given 409 on create, then the existing hook is found and reused; 404 on delete is success", async () => {
    const first = await connect("file:7");
    const [hook] = [...first.box.hooks.values()];
    await on.call("PATCH", `/instances/${first.instance.id}`, {
      configuration: { "events.list.ids": "" },
    });
    expect(first.box.hooks.size).toBe(0);
    first.box.hooks.set("55", {
      id: "55",
      target: { id: "7", type: "file" },
      address: "",
      triggers: [],
    });
    const patched = await on.call("PATCH", `/instances/${first.instance.id}`, {
      configuration: { "events.list.ids": "file:7" },
    });
    expect(patched.body.configuration["box.webhook.ids"]).toBe("55");
    expect(first.box.hooks.get("55")?.address).toBe(hook?.address);
    first.box.hooks.clear();
    expect((await on.call("DELETE", `/instances/${first.instance.id}`)).status).toBe(200);
  });

  it("go with the instance", async () => {
    const { box, instance } = await connect("7,8");
    expect(box.hooks.size).toBe(2);
    await on.call("DELETE", `/instances/${instance.id}`);
    expect(box.hooks.size).toBe(0);
  });

  it("BX-4 given `WEBHOOK.DELETED` (`additional_info.reason` `auto_cleanup`), then the hook is re-created", async () => {
    const { box, instance } = await connect("file:7");
    const [old] = [...box.hooks.keys()];
    box.hooks.clear();
    const body = JSON.stringify({
      id: "x",
      trigger: "WEBHOOK.DELETED",
      webhook: { id: old },
      source: {},
      additional_info: { reason: "auto_cleanup" },
    });
    const path = `/events/box/${btoa(String(instance.id))}`;
    expect((await on.deliver(path, body, boxHeaders(body, "box-key"))).status).toBe(200);
    expect(box.hooks.size).toBe(1);
    const after = await on.call("GET", `/instances/${instance.id}`);
    expect(after.body.configuration["box.webhook.ids"]).toBe([...box.hooks.keys()][0]);
  });
});
