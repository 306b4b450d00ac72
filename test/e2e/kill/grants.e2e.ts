import { globSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, it, onTestFinished } from "vitest";
import { boxEmulator } from "../../vendors/box";
import { CLIENT, CODE } from "../../vendors/grants";
import { hubspotEmulator } from "../../vendors/hubspot";
import { startReceiver } from "../../vendors/receiver";
import { serveVendor } from "../../vendors/serve";
import type { Server } from "../../vendors/server";
import { createInstance } from "../polled";
import { type Stack, startStack } from "../stack";

async function connect(stack: Stack, key: string, { url }: Server): Promise<any> {
  return createInstance(stack, {
    element: { key },
    providerData: { code: CODE },
    configuration: {
      "oauth.api.key": CLIENT.id,
      "oauth.api.secret": CLIENT.secret,
      "base.url": url,
      "oauth.base.url": url,
    },
  });
}

function call(stack: Stack, { token }: { token: string }, path: string): Promise<Response> {
  const authorization = `User ${stack.local.userSecret}, Element ${token}`;
  return fetch(`${stack.baseUrl}/elements/api-v2/hubs${path}`, { headers: { authorization } });
}

/** As if the leases of the dead had run out. */
function endLeases({ state }: Stack): void {
  const [path = ""] = globSync(`${state}/v3/d1/miniflare-D1DatabaseObject/*.sqlite`).filter(
    (file) => !file.endsWith("metadata.sqlite"),
  );
  const db = new DatabaseSync(path);
  const { changes } = db
    .prepare("UPDATE instances SET refresh_lease_until = 2 WHERE refresh_lease_until > 0")
    .run();
  db.close();
  expect(changes).toBe(2);
}

it("a kill between a vendor's answer to a refresh and our write strands nobody in silence", async () => {
  const [box, hubspot] = await Promise.all([
    serveVendor(boxEmulator()),
    serveVendor(hubspotEmulator()),
  ]);
  const operations = await startReceiver();
  const stack = await startStack();
  onTestFinished(async () => {
    await stack.stop();
    await Promise.all([box, hubspot, operations].map((server) => server.close()));
  });
  const told = { operationsCallback: { url: `${operations.url}/operations` } };
  expect((await stack.call("PATCH", "/v1/organization", told)).status).toBe(200);
  const single = await connect(stack, "box", box);
  const steady = await connect(stack, "hubspot", hubspot);
  for (const vendor of [box, hubspot]) {
    vendor.oauth.expire();
    // The vendor does its part; its answer never comes.
    vendor.delayNext({ delayMs: Infinity, path: "/oauth" });
  }
  const cutOff = Promise.allSettled([
    call(stack, single, "/documents/webhooks"),
    call(stack, steady, "/crm/contacts"),
  ]);
  await expect.poll(() => [box.oauth.granted.length, hubspot.oauth.granted.length]).toEqual([2, 2]);
  await stack.kill9();
  await cutOff;
  endLeases(stack);
  await stack.restart();

  expect((await call(stack, steady, "/crm/contacts")).status).toBe(200);
  const path = (id: number) => `/elements/api-v2/instances/${id}`;
  expect((await stack.call("GET", path(steady.id))).body).toMatchObject({ valid: true });

  expect((await call(stack, single, "/documents/webhooks")).status).toBe(502);
  const { body } = await stack.call("GET", path(single.id));
  expect(body).toMatchObject({
    valid: false,
    invalidReason: expect.stringContaining("a token refresh was cut off"),
  });
  const [notice] = await operations.waitFor(1);
  expect(notice?.body).toMatchObject({
    type: "instance.invalid",
    data: { instanceId: single.id, reason: body.invalidReason },
  });
});
