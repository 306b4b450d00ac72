import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { app } from "../../src/app";
import { lists, objects } from "./nested";

/** The whole platform, of which every use throws, and is written down. */
function unusable(): { bindings: typeof env; used: string[] } {
  const used: string[] = [];
  const binding = (name: string): object =>
    new Proxy(
      {},
      {
        get(_, member) {
          used.push(`${name}.${String(member)}`);
          throw new Error(`${name} was used`);
        },
      },
    );
  const names = [
    "DB",
    "EVENT_STREAMS",
    "ENDPOINTS",
    "VENDOR_BUDGETS",
    "POLLS",
    "POLLS_SLOW",
    "TICKS",
    "DELIVERIES",
    "DELIVERIES_SLOW",
  ];
  const replaced = Object.fromEntries(names.map((name) => [name, binding(name)]));
  const bindings = Object.assign({ ...env, ...replaced }, { SIGNUP: "open" });
  return { bindings, used };
}

async function send(path: string, body: string): Promise<{ status: number; used: string[] }> {
  const { bindings, used } = unusable();
  const response = await app.request(
    path,
    {
      method: "POST",
      body,
      headers: { "content-type": "application/json", origin: "http://localhost" },
    },
    bindings,
    { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} },
  );
  return { status: response.status, used };
}

const DEEP = [lists(501), objects(501)];
const TEXT = "x".repeat(2_000);
const LARGE = [`"${"x".repeat(8 * 1024 * 1024)}"`, lists(5_000_000)];

describe("promise 11, no request keeps others waiting, cheap checks before dear ones: neither database nor stream nor queue is asked for", () => {
  // On the connector surface 429 means too large (reference connector-events-api.md §2).
  it.each<[path: string, bodies: string[], status: number]>([
    ["/elements/api-v2/events/hubspot", DEEP, 400],
    ["/elements/api-v2/events/hubspot", LARGE, 429],
    ["/elements/api-v2/events/hubspot/12", LARGE, 429],
    ["/user/auth", DEEP, 400],
    ["/user/auth", LARGE, 413],
    ["/user", DEEP, 400],
    ["/user", LARGE, 413],
    ["/user", ["", "[]", "{}", '{"username":"a","password":"short"}'], 400],
    ["/flows/f/components/w", DEEP, 400],
    ["/flows/f/components/w", LARGE, 413],
    ["/console/sign-in", LARGE, 413],
    ["/console/sign-in", ["", "email=a", "password=b", `email=${TEXT}&password=b`], 401],
    ["/console/sign-in", [`email=a&password=${TEXT}`], 401],
    ["/console/invitations/none", LARGE, 413],
  ])("what nobody signed and %s refuses (%#)", async (path, bodies, status) => {
    for (const body of bodies) expect(await send(path, body)).toEqual({ status, used: [] });
  });

  it.each([
    "/elements/api-v2/instances",
    "/apis/management/v1/environments",
    "/flows",
    "/plugins/appmixer/utils/appevents/events/signed-up",
    "/v1/bootstrap",
    "/v1/destinations",
  ])("a request without credentials, at %s", async (path) => {
    for (const body of ["{}", ...DEEP, ...LARGE])
      expect(await send(path, body)).toEqual({ status: 401, used: [] });
  });
});
