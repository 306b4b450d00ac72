import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { app } from "../../src/app";
import { MOST_SIGN_UPS } from "../../src/accounts/users/routes";
import { MOST_FAILURES } from "../../src/http/failure-limit";
import { API_KEY, foundation } from "../accounts/ask";
import { createAccounts, signIn } from "../console/build";
import { MINE } from "../organization";

beforeAll(foundation);

const FEW = 5;
const failed = new Map<string, number>();
/** In the place of the platform's limiter one that has enough of an address after a few failures. */
const soon: RateLimit = {
  limit: async ({ key }) => {
    const count = (failed.get(key) ?? 0) + 1;
    failed.set(key, count);
    return { success: count <= FEW };
  },
};

/** Who counts failures, and how many are too many. */
const COUNTING = {
  soon: { bindings: { FAILURES: soon, SIGN_UPS: soon }, most: FEW },
  isolate: { bindings: { FAILURES: undefined, SIGN_UPS: undefined }, most: MOST_FAILURES },
};
type Counting = keyof typeof COUNTING;

let addresses = 0;
/** Asks from one address. */
function visitor(counting: Counting) {
  const address = `203.0.113.${(addresses += 1)}`;
  return async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const response = await app.request(
      path,
      { method, headers: { "cf-connecting-ip": address, ...headers } },
      { ...env, ...COUNTING[counting].bindings } as never,
      { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} },
    );
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

type Door = { path: string; authorization: string | undefined; failure: number; says: string };
const DOORS: Door[] = [
  { path: "/v1/organization", authorization: `Bearer ${API_KEY}`, failure: 401, says: '"limited"' },
  { path: "/elements/api-v2/elements", authorization: MINE, failure: 401, says: "message" },
  {
    path: "/apis/management/v1/environments",
    authorization: `Bearer ${API_KEY}`,
    failure: 401,
    says: "Too many requests",
  },
  {
    path: "/flows/f/components/W",
    authorization: undefined,
    failure: 404,
    says: "Too Many Requests",
  },
  {
    path: "/events/management/v1/watchtopics/none",
    authorization: undefined,
    failure: 401,
    says: "Too many requests",
  },
  { path: "/flows", authorization: undefined, failure: 401, says: "Too Many Requests" },
  {
    path: "/console/invitations/none",
    authorization: undefined,
    failure: 404,
    says: "Too many requests",
  },
];

/** Fails until told to go away. A window may end meanwhile, so it takes up to twice as many failures. */
async function failUntilLimited(
  visit: ReturnType<typeof visitor>,
  { path, failure }: Pick<Door, "path" | "failure">,
  headers: Record<string, string> = {},
) {
  for (let failures = 1; failures <= 2 * MOST_FAILURES + 1; failures += 1) {
    const answer = await visit(path, headers);
    if (answer.status === 429) return { ...answer, failures };
    expect(answer.status).toBe(failure);
  }
  throw new Error(`${path} never limits`);
}

async function isLimited(door: Door, counting: Counting) {
  const visit = visitor(counting);
  const { failures, headers, text } = await failUntilLimited(visit, door);
  expect(failures).toBeGreaterThan(COUNTING[counting].most);
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  expect(text).toContain(door.says);
  if (door.authorization !== undefined)
    expect((await visit(door.path, { authorization: door.authorization })).status).toBe(200);
  expect((await visitor(counting)(door.path)).status).toBe(door.failure);
}

describe("an address that fails too often", () => {
  it.each(DOORS)("is told when to come back at $path, and passes with what fits", (door) =>
    isLimited(door, "soon"),
  );
  const hook = { path: "/flows/f/components/W", failure: 404 };

  it.each([
    { authorization: "Bearer nothing" },
    { authorization: "Basic Og==" },
    { cookie: "tributary_session=nothing" },
  ])("is not taken for another with a credential that nobody asks for: %o", async (headers) => {
    await failUntilLimited(visitor("soon"), hook, headers);
  });

  it("is told what is wrong with a form once it is signed in", async () => {
    await createAccounts();
    const { cookies } = await signIn("vera@mine.example");
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const visit = visitor("soon");
    await failUntilLimited(visit, hook);
    const origin = "https://tributary.example";
    const { status } = await visit(`${origin}/console/password`, { cookie, origin }, "POST");
    expect(status).toBe(400);
  });

  it("is counted by the isolate where the platform is not bound", () =>
    isLimited(DOORS[0]!, "isolate"));
});

describe("the platform", () => {
  it.each([
    ["FAILURES", MOST_FAILURES],
    ["SIGN_UPS", MOST_SIGN_UPS],
  ] as const)("counts %s as the isolate does, up to %i", async (name, most) => {
    const key = `203.0.113.${(addresses += 1)}`;
    // A window may end meanwhile, so it takes up to twice as many.
    let count = 0;
    while (count <= 2 * most && (await env[name].limit({ key })).success) count += 1;
    expect(count).toBeGreaterThanOrEqual(most);
    expect(count).toBeLessThanOrEqual(2 * most);
  });
});

describe("open sign-up", () => {
  let names = 0;
  const signUp = async (counting: Counting, headers: Record<string, string>) => {
    const body = JSON.stringify({ username: `crowd-${(names += 1)}`, password: "long enough 1" });
    const bindings = { ...env, SIGNUP: "open", ...COUNTING[counting].bindings };
    const init = {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    };
    const { status, headers: answered } = await app.request("/user", init, bindings as never);
    return { status, retryAfter: Number(answered.get("retry-after")) };
  };

  it.each([
    ["soon", FEW],
    ["isolate", MOST_SIGN_UPS],
  ] as const)(
    "makes an address wait after so many new users, and nobody else (counted by: %s, up to %i)",
    async (counting, most) => {
      // The window of a minute stands still: passwords are hashed slowly on a busy machine.
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
      onTestFinished(() => void vi.useRealTimers());
      const from = { "cf-connecting-ip": `203.0.113.${(addresses += 1)}` };
      for (let made = 0; made < most; made += 1)
        expect((await signUp(counting, from)).status).toBe(200);
      const answer = await signUp(counting, from);
      expect(answer.status).toBe(429);
      expect(answer.retryAfter).toBeGreaterThan(0);
      const other = { "cf-connecting-ip": `203.0.113.${(addresses += 1)}` };
      expect((await signUp(counting, other)).status).toBe(200);
      expect((await signUp(counting, {})).status).toBe(200);
      const keyed = { ...from, authorization: `Bearer ${API_KEY}` };
      expect((await signUp(counting, keyed)).status).toBe(200);
    },
  );
});

describe("a delivery that names instances", () => {
  it("may name fifty", async () => {
    const ids = (count: number): string =>
      Array.from({ length: count }, (_, index) => 9_000_000 + index).join();
    const visit = visitor("soon");
    const named = (count: number) =>
      visit("/elements/api-v2/events/quickbooks", { "Element-Instances": ids(count) }, "POST");
    expect((await named(50)).status).toBe(200);
    expect(await named(51)).toMatchObject({ status: 400 });
  });
});
