import { expect } from "vitest";
import type { Concur } from "../vendors/concur.ts";
import { type Delivery, type Receiver, startReceiver } from "../vendors/receiver.ts";
import type { Platform } from "./stack.ts";

/** What tests of polling share: an instance of an emulator, its receiver, and its polls. */

export const LEGACY_KEY = "123456";
const CALLBACK = "https://app.example/cb";

export type Polled = { id: number; token: string; receiver: Receiver };
export type PolledResource = Record<
  "fetched" | "created" | "updated" | "deleted" | "objectType" | "error",
  unknown
>;

/** An instance as `POST /instances` answers it. */
export async function createInstance(stack: Platform, draft: object): Promise<any> {
  const { status, body } = await stack.call("POST", "/elements/api-v2/instances", draft);
  expect(body).toMatchObject({ id: expect.any(Number) });
  expect(status).toBe(200);
  return body;
}

/** A polled instance of Concur with a receiver of its own that knows its secrets; made now, so nothing older counts. */
export async function connectConcur(
  stack: Platform,
  concur: Concur,
  configuration: Record<string, unknown> = {},
): Promise<Polled> {
  return connect(stack, {
    element: { key: "concur" },
    providerData: { code: concur.issueCode(CALLBACK) },
    configuration: {
      "oauth.callback.url": CALLBACK,
      "oauth.api.key": concur.clientId,
      "oauth.api.secret": concur.clientSecret,
      "base.url": concur.url,
      "oauth.base.url": concur.url,
      ...configuration,
    },
    name: "ConcurForDocs",
  });
}

/** An instance whose notifications arrive, signed twice, at a receiver of its own. */
export async function connect(
  stack: Platform,
  draft: { configuration: Record<string, unknown>; [member: string]: unknown },
): Promise<Polled> {
  const receiver = await startReceiver({ legacyKey: LEGACY_KEY });
  const { id, token } = await createInstance(stack, {
    ...draft,
    configuration: {
      "event.vendor.type": "polling",
      "event.notification.callback.url": `${receiver.url}/hook`,
      "event.notification.signature.key": LEGACY_KEY,
      "event.poller.refresh_interval": 1,
      ...draft.configuration,
    },
  });
  const signing = await stack.call("GET", `/v1/instances/${id}/signing-secret`);
  receiver.setSecret(signing.body.secret);
  return { id, token, receiver };
}

/** Polls now; what the one polled resource reports. */
export async function poll(stack: Platform, id: number): Promise<PolledResource> {
  const { status, body } = await stack.call("POST", `/v1/instances/${id}/poll`);
  expect(body).toMatchObject({ resources: expect.any(Array) });
  expect(status).toBe(200);
  return body.resources[0];
}

/** Waits for so many events, over all notifications that came for the first time, and proves every POST. */
export async function receive(receiver: Receiver, wanted: number): Promise<any[]> {
  await receiver.waitFor((deliveries) => eventsOf(deliveries).length >= wanted);
  for (const { standardVerified, legacyVerified } of receiver.deliveries)
    expect({ standardVerified, legacyVerified }).toEqual({
      standardVerified: true,
      legacyVerified: true,
    });
  return eventsOf(receiver.deliveries);
}

/** The event objects of notifications, each notification counted once however often it was tried. */
export function eventsOf(deliveries: readonly Delivery[]): any[] {
  const first = new Map(deliveries.toReversed().map((delivery) => [delivery.webhookId, delivery]));
  return [...first.values()].toReversed().flatMap(({ body }) => body.message.events);
}

/** How often each object was told, by its id. */
export function timesTold(events: readonly { objectId: string }[]): Record<string, number> {
  const times: Record<string, number> = {};
  for (const { objectId } of events) times[objectId] = (times[objectId] ?? 0) + 1;
  return times;
}
