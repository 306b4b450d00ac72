/**
 * The demo of `npm start`: a sandbox CRM, a receiver, and a polled instance between them.
 * Makes a change every 20 seconds and prints every callback with its verified signature.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Delivery, startReceiver } from "../../test/vendors/receiver.ts";
import { startSandbox } from "../../test/vendors/sandbox.ts";

const changeEveryMs = 20_000;
const tag = "demo";
const local = JSON.parse(readFileSync(process.argv[2] ?? ".tributary/local.json", "utf8"));

async function call<T>(method: string, path: string, body?: unknown): Promise<T | undefined> {
  const response = await fetch(local.baseUrl + path, {
    method,
    headers: {
      authorization: `User ${local.userSecret}, Organization ${local.organizationSecret}`,
      "content-type": "application/json",
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (method === "GET" && response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

type Instance = { id: number };

/** The demo's instance, created at the first start on this state and pointed at us on each later one. */
async function connect(sandbox: { url: string; apiKey: string }, callbackUrl: string) {
  const legacyKey = "demo-signature-key";
  const configuration = {
    "base.url": sandbox.url,
    "sandbox.api.key": sandbox.apiKey,
    "event.notification.enabled": true,
    "event.vendor.type": "polling",
    "event.notification.callback.url": callbackUrl,
    "event.notification.signature.key": legacyKey,
    "event.poller.refresh_interval": "1",
  };
  const instances = "/elements/api-v2/instances";
  const found = await call<Instance[]>("GET", `${instances}?tags[]=${tag}`);
  const instance = found?.[0]
    ? await call<Instance>("PATCH", `${instances}/${found[0].id}`, { configuration })
    : await call<Instance>("POST", instances, {
        element: { key: "sandbox" },
        configuration,
        tags: [tag],
        name: "Demo CRM",
      });
  if (!instance) throw new Error("The demo has no instance");
  const signing = await call<{ secret: string }>(
    "GET",
    `/v1/instances/${instance.id}/signing-secret`,
  );
  return { id: instance.id, legacyKey, secret: signing?.secret };
}

function describe({ body, standardVerified, legacyVerified }: Delivery): string {
  const time = new Date().toLocaleTimeString("en-GB");
  const events: { eventType: string; objectType: string; objectId: string }[] =
    body?.message?.events ?? [];
  const what = events.map((event) => `${event.objectType} ${event.objectId} ${event.eventType}`);
  const signature =
    standardVerified && legacyVerified !== false ? "signature verified" : "SIGNATURE NOT VERIFIED";
  return `${time}  ${body?.topic}  ${what.join(", ")}  ${signature}`;
}

const sandbox = await startSandbox();
const receiver = await startReceiver();
const instance = await connect(sandbox, `${receiver.url}/callback`);
receiver.setSecret(instance.secret);
receiver.setLegacyKey(instance.legacyKey);
receiver.respond = (delivery) => {
  console.log(describe(delivery));
  return { status: 200 };
};
console.log(`Demo: instance ${instance.id} polls ${sandbox.url}; its callbacks arrive here:`);

sandbox.makeChange();
await call("POST", `/v1/instances/${instance.id}/poll`);
for (;;) {
  await sleep(changeEveryMs);
  sandbox.makeChange();
}
