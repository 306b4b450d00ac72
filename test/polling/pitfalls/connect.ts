import { vi } from "vitest";
import { type platform, stored, VENDOR } from "../../platform";
import { CLIENT, CODE } from "../../vendors/grants";

/** What the tables of pitfalls share: instances that were authenticated at an emulator, and what they told. */

export type On = Awaited<ReturnType<typeof platform>>;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const SINCE = Date.now() - 10 * DAY;

export type Connected = { id: number; token: string; configuration: Record<string, string> };

/** A polled instance whose code was exchanged at the emulator. */
export async function connect(
  on: On,
  key: string,
  configuration: Record<string, unknown> = {},
  data: object = {},
): Promise<Connected> {
  const { status, body } = await on.call("POST", "/instances", {
    element: { key },
    providerData: { code: CODE, ...data },
    configuration: {
      "oauth.api.key": CLIENT.id,
      "oauth.api.secret": CLIENT.secret,
      "base.url": VENDOR,
      "oauth.base.url": VENDOR,
      "event.vendor.type": "polling",
      "event.poller.since": new Date(SINCE).toISOString(),
      ...configuration,
    },
  });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body;
}

/** Polls, which must go well. */
export async function pollWell(on: On, id: number): Promise<any> {
  const { status, body } = await on.poll(id);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body;
}

/** `[eventType, objectType, objectId]` of all events so far, in order. */
export async function told(on: On, id: number): Promise<string[][]> {
  return (await stored(on, id)).map((event) => [event.eventType, event.objectType, event.objectId]);
}

const realNow = Date.now.bind(Date);
let offset = 0;

/** The clock goes ahead for the rest of the file, never back: budgets remember it. */
export function later(ms: number): void {
  offset += ms;
  vi.spyOn(Date, "now").mockImplementation(() => realNow() + offset);
}
