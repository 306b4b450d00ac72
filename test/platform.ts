import { createExecutionContext } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { vi } from "vitest";
import { app } from "../src/app";
import type { Answer, Incoming } from "./vendors/server";
import { FIRST, firstOrganization, MINE } from "./organization";
import { instanceSource, streamName } from "../src/stream/stream-name";

/** Vendors see the platform under a name of its own. */
export const PUBLIC_URL = "https://events.example.com";
const env = { ...bindings, TRIBUTARY_PUBLIC_URL: PUBLIC_URL };

/** The platform in this very isolate, with one organization. */
export async function platform() {
  await firstOrganization();
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const response = await app.request(
      `/elements/api-v2${path}`,
      {
        method,
        headers: {
          authorization: MINE,
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      },
      env,
      createExecutionContext(),
    );
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : (JSON.parse(text) as any) };
  };
  return {
    call,
    /** Calls an open address, as a vendor does. */
    deliver: (
      path: string,
      body: string | Uint8Array | undefined,
      headers: Record<string, string> = {},
    ) =>
      app.request(
        `/elements/api-v2${path}`,
        body === undefined ? { headers } : { method: "POST", body, headers },
        env,
        createExecutionContext(),
      ),
    async instance(key: string, configuration: Record<string, unknown>) {
      const made = await call("POST", "/instances", {
        element: { key },
        configuration: { "event.vendor.type": "webhook", ...configuration },
        name: `A ${key}`,
      });
      if (made.status !== 200) throw new Error(JSON.stringify(made.body));
      return made.body as { id: number; token: string; configuration: Record<string, string> };
    },
    /** Polls now; what became of each resource. */
    async poll(id: number) {
      const response = await app.request(
        `/v1/instances/${id}/poll`,
        { method: "POST", headers: { authorization: `Bearer ${FIRST.apiKey}` } },
        env,
        createExecutionContext(),
      );
      return { status: response.status, body: (await response.json()) as any };
    },
    /** What the next poll would tell. */
    async dry(id: number) {
      const response = await app.request(
        `/v1/instances/${id}/poll?dryRun=true`,
        { method: "POST", headers: { authorization: `Bearer ${FIRST.apiKey}` } },
        env,
        createExecutionContext(),
      );
      return { status: response.status, body: (await response.json()) as any };
    },
    streamOf: (id: number) =>
      env.EVENT_STREAMS.getByName(streamName({ organizationId: 1, source: instanceSource(id) })),
  };
}

/**
 * Where emulated vendors stand: every file has a place of its own, so that polls which an earlier file of this
 * runtime left under way are nobody else's requests.
 */
export let VENDOR = "http://127.0.0.1:10000";

/** Called for every file, before it is read. */
export function moveVendor(): void {
  const port = Number(new URL(VENDOR).port) + 1;
  VENDOR = `http://127.0.0.1:${port}`;
}

/** Whether an address is that of some file's emulated vendor. */
export const isVendor = (url: string): boolean => /^http:\/\/127\.0\.0\.1:1\d{4}\//.test(url);

/** Answers what is asked of `VENDOR` by an emulator, in this isolate. */
export function emulate(answer: (request: Incoming) => Answer): { paths: string[] } {
  const paths: string[] = [];
  vi.stubGlobal("fetch", async (input: URL | string, init: RequestInit = {}) => {
    const url = new URL(input);
    if (url.origin !== VENDOR) return new Response("", { status: isVendor(url.href) ? 503 : 200 });
    paths.push(`${init.method ?? "GET"} ${url.pathname}`);
    const headers = Object.fromEntries(
      [...new Headers(init.headers)].map(([name, value]) => [name.toLowerCase(), value]),
    );
    const given = answer({
      at: Date.now(),
      method: init.method ?? "GET",
      host: url.host,
      path: url.pathname,
      query: url.searchParams,
      headers,
      text: typeof init.body === "string" ? init.body : "",
    });
    const isText = typeof given.body === "string" || given.body === undefined;
    const body = isText ? (given.body as string | undefined) : JSON.stringify(given.body);
    return new Response(given.status === 204 ? null : (body ?? ""), {
      status: given.status,
      headers: given.headers ?? {},
    });
  });
  return { paths };
}

export const stored = async (platformOf: Awaited<ReturnType<typeof platform>>, id: number) =>
  (await platformOf.streamOf(id).events({ after: 0, limit: 1000 })).events;
