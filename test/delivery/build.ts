import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { expect, vi } from "vitest";
import { readConfig } from "../../src/config";
import { tellAll } from "../../src/db/directory/tell";
import { keyring } from "../../src/db/sealed";
import { Isolate } from "../../src/delivery/admission.io";
import { consumeDeliveries, type DeliveryDoors } from "../../src/delivery/deliveries.consumer";
import type { DestinationDraft } from "../../src/delivery/destination";
import { saveDestination } from "../../src/delivery/save-destination.store";
import { firstOrganization } from "../organization";
import { WAIT_MS } from "../patience";

/** One POST that reached a stand-in receiver. */
export type Received = {
  url: string;
  headers: Headers;
  body: string;
  at: number;
};

/**
 * Takes the place of the network: every outbound request is answered by `answer`. Returned are those that are
 * `ours`: what other tests of the runtime left behind may still be tried again.
 */
export function receiver(
  answer: (received: Received) => Response | Promise<Response>,
  ours: (received: Received) => boolean = () => true,
): Received[] {
  const received: Received[] = [];
  vi.stubGlobal("fetch", async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    const one = {
      url: request.url,
      headers: request.headers,
      body: await request.text(),
      at: Date.now(),
    };
    if (ours(one)) received.push(one);
    return Promise.race([answer(one), aborted(init?.signal)]);
  });
  return received;
}

function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("aborted")));
  });
}

/** A receiver that never answers while the test lasts. */
export const silence = async (): Promise<Response> => {
  await scheduler.wait(60_000);
  return new Response();
};

/** What a consumer in an isolate of its own works with: it shares no standing with any other. */
export const isolate = (): DeliveryDoors => ({
  db: env.DB,
  streams: env.EVENT_STREAMS,
  endpoints: env.ENDPOINTS,
  isolate: new Isolate(),
  config: readConfig(env),
  announce: () => Promise.resolve(),
  handlers: {},
});

/** Consumes a batch, and waits until the last of its calls is settled. */
export async function consumeWhole(batch: MessageBatch, doors: DeliveryDoors): Promise<void> {
  const works: Promise<void>[] = [];
  await consumeDeliveries(batch, doors, (work) => works.push(work));
  await Promise.all(works);
}

let destinations = 0;
/** The addresses of destinations, and the test that made each. */
const madeBy = new Map<string, string | undefined>();

/**
 * Whether a request goes to a destination that the test made itself. Others may come at any time: tries again of what
 * another test left behind, and news of failures, to whatever operations callback the organization has just then.
 */
export const mine = ({ url }: Received): boolean =>
  madeBy.has(url) && madeBy.get(url) === expect.getState().currentTestName;

/** A destination of the first organization; addresses are on loopback, which tests allow. */
export async function destination(
  change: Partial<DestinationDraft> = {},
): Promise<DestinationDraft> {
  await firstOrganization();
  destinations += 1;
  const draft: DestinationDraft = {
    id: `webhook-${destinations}-${crypto.randomUUID()}`,
    organizationId: 1,
    kind: "webhook",
    ownerId: String(destinations),
    url: `http://127.0.0.1:9/receiver-${destinations}-${crypto.randomUUID()}`,
    headers: {},
    legacyKey: null,
    policy: {},
    ...change,
  };
  if (draft.url !== null) madeBy.set(draft.url, expect.getState().currentTestName);
  const [statement] = await saveDestination(
    env.DB,
    keyring(readConfig(env).masterKeys),
    draft,
    Date.now(),
  );
  await drizzle(env.DB).batch([statement]);
  await tellAll(env.DB);
  return draft;
}

/** Waits until something holds; what is slow is not wrong, so most tests end of their own time before. */
export async function eventually<T>(
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  for (const giveUpAt = performance.now() + WAIT_MS; performance.now() < giveUpAt;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    await scheduler.wait(5);
  }
  throw new Error("It never came to hold");
}
