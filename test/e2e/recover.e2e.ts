import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { authorization, call, secret, signingSecret } from "../bench/costs.ts";
import { removeFolder, type Running, startWorker, stopAll } from "../bench/server.ts";
import { recoverMany } from "../bench/trouble.ts";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";

const COUNT = 3_000;
const folder = mkdtempSync(join(tmpdir(), "tributary-recover-"));
let server: Running;
let receiver: Receiver;

beforeAll(async () => {
  server = await startWorker("wrangler.toml", "test/bench/worker.ts", folder, {
    ENVIRONMENT: "local",
    SCHEDULE: "ticks",
    EGRESS_ALLOW: "127.0.0.1,localhost",
    MASTER_KEY: btoa("0123456789abcdef0123456789abcdef"),
    SESSION_KEY: secret("session"),
    BOOTSTRAP_KEY: secret("bootstrap"),
  });
  receiver = await startReceiver({ secret: signingSecret });
  const body = {
    organizationName: "Recover",
    organizationSecret: secret("organization"),
    userSecret: secret("user"),
    apiKey: secret("key"),
    email: "recover@tributary.local",
    password: secret("password"),
  };
  const bearer = { authorization: `Bearer ${secret("bootstrap")}` };
  await call(server, "POST", "/v1/bootstrap", bearer, body);
});
afterAll(async () => {
  stopAll();
  await receiver?.close();
  removeFolder(folder);
});

it(`recovers ${COUNT} dead notifications page by page, loses none when everything is killed on the way, and lets other traffic pass`, async () => {
  const door = { url: `${server.url}/bench/events`, headers: authorization.key };
  const recovered = await recoverMany(server, receiver, { door }, COUNT);
  expect(recovered).toMatchObject({ missing: 0, live: { missing: 0, unverified: 0 } });
  // What was under way when all was killed is sent again, and nothing else.
  expect(recovered.repeated).toBeLessThanOrEqual(500);
  expect(recovered.left).toBeGreaterThan(0);
  expect(recovered.live.acceptedToDelivered.p50).toBeLessThan(5_000);
}, 180_000);
