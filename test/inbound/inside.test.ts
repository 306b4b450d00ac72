import { env as bindings } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app";
import { readConfig } from "../../src/config";
import { post } from "../../src/delivery/callback.client";
import { isOwnAddress, MOST_HOPS } from "../../src/delivery/own-address";
import { platform, PUBLIC_URL } from "../platform";
import { relayOf } from "./relay";

const env = { ...bindings, TRIBUTARY_PUBLIC_URL: PUBLIC_URL };
let on: Awaited<ReturnType<typeof platform>>;

beforeAll(async () => {
  on = await platform();
  expect((await on.call("POST", "/elements", relayOf("relay"))).status).toBe(200);
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

/** An instance and the address that its vendor calls. */
const make = async () => {
  const { id, configuration } = await on.instance("relay", {});
  const token = configuration["event.vendor.token"];
  const address = `${PUBLIC_URL}/elements/api-v2/events/relay/${btoa(String(id))}?token=${token}`;
  return { id, address };
};

const send = (address: string, id: string, body: string, hops?: number) =>
  post(
    {
      organizationId: 1,
      kind: "instance",
      ownerId: "1",
      url: address,
      headers: {},
      query: {},
      legacyKey: null,
      signers: [],
    },
    {
      seq: 1,
      n: 1,
      tries: 0,
      destinationId: "instance-1",
      id,
      createdAt: 0,
      parked: false,
      forced: false,
      noted: false,
      body,
      ...(hops === undefined ? {} : { hops }),
    },
    { config: readConfig(env), inside: async (request) => app.fetch(request, env) },
    Date.now(),
  );

describe("the platform as its own receiver", () => {
  it("lets an instance call its own inbound addresses, and nothing else of it", async () => {
    const { id, address } = await make();
    const change = (url: string) =>
      on.call("PATCH", `/instances/${id}`, {
        configuration: { "event.notification.callback.url": url },
      });
    expect((await change(address)).status).toBe(200);
    expect((await change(`${PUBLIC_URL}/v1/bootstrap`)).status).toBe(400);
    expect(isOwnAddress(address, PUBLIC_URL)).toBe(true);
    expect(
      isOwnAddress("https://events.example.com.evil.example/elements/api-v2/events/x", PUBLIC_URL),
    ).toBe(false);
    expect(isOwnAddress(address, undefined)).toBe(false);
    expect(isOwnAddress(address, "https://other.example.com", PUBLIC_URL)).toBe(true);
  });

  it("hands a callback over in process, and a circle of instances comes to an end", async () => {
    const [one, two] = [await make(), await make()];
    const event = { objectType: "x", objectId: "1", eventType: "CREATED" };
    let body = JSON.stringify({ eventId: "0", message: { events: [event] } });
    let from = one;
    let hops: number | undefined;
    let statuses: (number | null)[] = [];
    for (let round = 0; round < MOST_HOPS + 2; round += 1) {
      const { attempt } = await send(from.address, String(round), body, hops);
      statuses = [...statuses, attempt.status];
      if (attempt.status !== 200) break;
      const [view] = await on
        .streamOf(from.id)
        .notifications({ before: null, limit: 1, withEvents: false });
      const { envelope, seq } = view!.notification;
      hops = envelope.format === "elements" ? envelope.hops : undefined;
      body = (await on.streamOf(from.id).notificationBody(seq)) ?? "";
      from = from === one ? two : one;
    }
    expect(statuses).toEqual([...Array.from({ length: MOST_HOPS }, () => 200), 400]);
    expect(hops).toBe(MOST_HOPS);
  });
});
