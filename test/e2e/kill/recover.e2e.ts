import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { authorization, signingSecret, startTributary } from "../../bench/costs.ts";
import { removeFolder, type Running, stopAll } from "../../bench/server.ts";
import { type Recovered, recoverMany } from "../../bench/trouble.ts";
import { type Receiver, startReceiver } from "../../vendors/receiver.ts";
import { cases } from "../../cases.ts";

const COUNT = cases(1_000, 100_000);
const folder = mkdtempSync(join(tmpdir(), "tributary-recover-"));
let server: Running;
let receiver: Receiver;

beforeAll(async () => {
  server = await startTributary(folder);
  receiver = await startReceiver({ secret: signingSecret });
});
afterAll(async () => {
  stopAll();
  await receiver?.close();
  removeFolder(folder);
});

const once = { run: undefined as Promise<Recovered> | undefined };
const recovered = (): Promise<Recovered> => {
  const door = { url: `${server.url}/bench/events`, headers: authorization.key };
  return (once.run ??= recoverMany(server, receiver, { door }, COUNT));
};

it(`recovers ${COUNT} dead notifications page by page, and lets other traffic pass meanwhile`, async () => {
  const { missing, left, live } = await recovered();
  expect({ missing, lost: live.missing, unverified: live.unverified }).toEqual({
    missing: 0,
    lost: 0,
    unverified: 0,
  });
  expect(left).toBeGreaterThan(0);
});

it("given kill -9 in mid-delivery, then every accepted event arrives at least once and duplicates share one `webhook-id`", async () => {
  const { missing, repeated } = await recovered();
  expect(missing).toBe(0);
  // What was under way when all was killed is sent again under its own id, and nothing else.
  expect(repeated).toBeLessThanOrEqual(500);
});
