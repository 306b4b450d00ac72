import { expect, it } from "vitest";
import { connect, createInstance, eventsOf } from "../e2e/polled.ts";
import { CLIENT, CODE } from "../vendors/grants.ts";
import { hubspotEmulator } from "../vendors/hubspot.ts";
import { startSandbox } from "../vendors/sandbox.ts";
import { serveVendor } from "../vendors/serve.ts";
import { cluster } from "./shared.ts";
import { call, everywhere, made } from "./world.ts";

/** What isolates of many must do one at a time, and what they count. */

it("a vendor's token that has ended is renewed once, whichever isolates find out together", async () => {
  const hubspot = await serveVendor(hubspotEmulator());
  const { token } = await createInstance(cluster, {
    element: { key: "hubspot" },
    providerData: { code: CODE },
    configuration: {
      "oauth.api.key": CLIENT.id,
      "oauth.api.secret": CLIENT.secret,
      "base.url": hubspot.url,
      "oauth.base.url": hubspot.url,
    },
  });
  const authorization = `User ${cluster.local.userSecret}, Element ${token}`;
  const askAll = () =>
    everywhere(cluster, async (isolate) => {
      const init = { headers: { authorization } };
      return (await cluster.fetch("/elements/api-v2/hubs/crm/contacts", init, isolate)).status;
    });
  const fine = Array.from({ length: cluster.isolates }, () => 200);
  expect(await askAll()).toEqual(fine);
  for (let round = 1; round <= 3; round += 1) {
    const granted = hubspot.oauth.granted.length;
    hubspot.oauth.expire();
    hubspot.delayNext({ delayMs: 300, path: "/oauth" });
    expect(await askAll()).toEqual(fine);
    expect(hubspot.oauth.granted.length).toBe(granted + 1);
  }
  await hubspot.close();
});

it("an account is polled by one isolate at a time, tells each change once, and its usage adds up", async () => {
  const sandbox = await startSandbox({ now: cluster.now });
  const { id, receiver } = await connect(cluster, {
    element: { key: "sandbox" },
    configuration: {
      "base.url": sandbox.url,
      "sandbox.api.key": sandbox.apiKey,
      "event.notification.enabled": true,
      "event.objects": "contacts",
    },
  });
  const openRequests: number[] = [];
  sandbox.onRequest = () => {
    openRequests.push(sandbox.requests.filter(({ status }) => status === 0).length);
  };
  const changes = 6 * cluster.isolates;
  for (let round = 0; round < 3; round += 1) {
    for (let n = 0; n < changes / 3; n += 1) sandbox.create("contacts", { lastName: `${n}` });
    sandbox.delayNext({ delayMs: 100, times: 100, path: "/v1/contacts" });
    await Promise.all([
      cluster.tick(),
      everywhere(cluster, (isolate) =>
        made(cluster, ["POST", `/v1/instances/${id}/poll`], isolate),
      ),
    ]);
  }
  const told = () => eventsOf(receiver.deliveries).map(({ objectId }) => objectId);
  await receiver.waitFor(() => told().length >= changes);
  const ids = sandbox.records("contacts").map((one) => one.id);
  expect(told()).toHaveLength(ids.length);
  expect(new Set(told())).toEqual(new Set(ids));
  expect(Math.max(...openRequests)).toBe(1);
  const used = async () => {
    await cluster.turn(300_000);
    await cluster.tick();
    const { body } = await call(cluster, ["GET", "/v1/usage?by=source"]);
    return body.items.find(({ key }: { key: string }) => key.includes(String(id)));
  };
  await expect.poll(used).toMatchObject({ events: changes });
  await Promise.all([sandbox.close(), receiver.close()]);
});
