import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

/** How an endpoint is called, over the network. */

let platform: Platform;
let receiver: Receiver;
let tokens: Receiver;

beforeAll(async () => {
  platform = await sharedStack();
  receiver = await startReceiver();
  tokens = await startReceiver({
    respond: () => ({
      status: 200,
      body: { access_token: `t${tokens.deliveries.length}`, token_type: "Bearer", expires_in: 600 },
    }),
  });
});
afterAll(async () => {
  await receiver?.close();
  await tokens?.close();
});

it("brings a token, got once and again when it is turned down, and a second signature", async () => {
  const type = `sending.${crypto.randomUUID()}`;
  let good = "Bearer t1";
  receiver.respond = ({ headers }) => ({ status: headers["authorization"] === good ? 200 : 401 });
  const made = await platform.call("POST", "/v1/destinations", {
    url: `${receiver.url}/hook`,
    eventTypes: [type],
    timeoutMs: 5_000,
    concurrency: 2,
    signature: {
      header: "X-Hub-Signature-256",
      prefix: "sha256=",
      encoding: "hex",
      secret: "It's a Secret to Everybody",
    },
    auth: {
      type: "oauth2",
      tokenUrl: `${tokens.url}/token`,
      clientId: "c",
      clientSecret: "s",
      authStyle: "body",
    },
  });
  expect(made.status).toBe(201);
  const publish = (id: string) =>
    platform.call("POST", "/v1/events", { type, id: `${type}.${id}`, data: { id } });
  for (const id of ["a", "b", "c", "d", "e", "f"]) await publish(id);
  await receiver.waitFor(6);
  expect(receiver.deliveries.map(({ headers }) => headers["authorization"])).toEqual(
    Array.from({ length: 6 }, () => good),
  );
  for (const { headers, text } of receiver.deliveries)
    expect(headers["x-hub-signature-256"]).toBe(
      `sha256=${createHmac("sha256", "It's a Secret to Everybody").update(text).digest("hex")}`,
    );
  good = "Bearer t2";
  await publish("g");
  const all = await receiver.waitFor(8);
  expect(all.slice(6).map(({ headers }) => headers["authorization"])).toEqual([
    "Bearer t1",
    "Bearer t2",
  ]);
  expect(tokens.deliveries.map(({ text }) => text)).toEqual(
    Array.from({ length: 2 }, () => "grant_type=client_credentials&client_id=c&client_secret=s"),
  );
});
