import { exports } from "cloudflare:workers";
import { vi } from "vitest";
import { FIRST, firstOrganization, MINE } from "../organization";

export { MINE, THEIRS } from "../organization";

/** Two organizations, and the Worker as their programs call it: the outside world alone is stubbed. */

/** The sandbox connector's own address, where stubbed vendors are found. */
export const VENDOR = "http://127.0.0.1:9001";
export const CALLBACK = "https://app.example/hook";

/** Ids 1 and 2. */
export const createOrganizations = firstOrganization;

export type Answer = { status: number; body: any; headers: Headers };

/** Calls the connector surface; an absent `body` sends none, a text goes as it is. */
export async function call(
  method: string,
  path: string,
  body?: unknown,
  authorization: string = MINE,
): Promise<Answer> {
  return fetchWorker(method, `/elements/api-v2${path}`, body, authorization);
}

/** Calls our own surface. */
export async function callV1(
  method: string,
  path: string,
  authorization: string = MINE,
  body?: unknown,
): Promise<Answer> {
  return fetchWorker(method, `/v1${path}`, body, authorization);
}

async function fetchWorker(
  method: string,
  path: string,
  body: unknown,
  authorization: string,
): Promise<Answer> {
  const response = await exports.default.fetch(`https://tributary.example${path}`, {
    method,
    headers: { authorization },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, body: text === "" ? undefined : JSON.parse(text) };
}

/** `POST /instances` of the sandbox connector: polled, with credentials and a callback. */
export const draft = (change: Record<string, unknown> = {}, members: object = {}) => ({
  element: { key: "sandbox" },
  configuration: {
    "sandbox.api.key": "vendor-secret",
    "event.vendor.type": "polling",
    "event.notification.callback.url": CALLBACK,
    "event.objects": "accounts",
    ...change,
  },
  name: "Sandbox",
  tags: ["test"],
  ...members,
});

/** An instance, of my organization unless told otherwise. */
export async function create(
  change: Record<string, unknown> = {},
  members: object = {},
  authorization: string = MINE,
): Promise<any> {
  const { status, body } = await call("POST", "/instances", draft(change, members), authorization);
  if (status !== 200) throw new Error(`POST /instances answered ${status}: ${body.message}`);
  return body;
}

/** `Authorization` with an instance's token, without the organization's secret. */
export const withToken = ({ token }: { token: string }): string =>
  `User ${FIRST.userSecret}, Element ${token}`;

export type Sent = { url: URL; text: string; headers: Headers };

/** What goes out, answered by `answer`; the requests so far. */
export function stubOutside(answer: (sent: Sent) => Response | Promise<Response>): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", async (input: URL, init: RequestInit) => {
    const text = typeof init.body === "string" ? init.body : "";
    const one = { url: new URL(input), text, headers: new Headers(init.headers) };
    sent.push(one);
    return answer(one);
  });
  return sent;
}

/** A record of the sandbox as its lists show it. */
export const record = (id: string, at: number, change: object = {}) => ({
  id,
  name: `Name of ${id}`,
  createdDate: new Date(at).toISOString(),
  updatedDate: new Date(at).toISOString(),
  deleted: false,
  ...change,
});
