import { expect, inject, it } from "vitest";
import { createClient } from "../../src/sdk/client.ts";
import { cluster, receiver } from "./shared.ts";
import { call, everywhere, inTurns, made, scopesOf, userWithFlow } from "./world.ts";

/** What isolates remember of what another has changed since: no longer than promised, on every one of them. */

/** How long an isolate trusts what it read of who is asking, and of destinations. */
const TRUST_MS = 5_000;

const MOST_FAILURES = 600;

type Guest = { bearer: string; path: string; refused: number; leave: () => Promise<unknown> };

const statuses = (bearer: string, path: string) =>
  everywhere(cluster, async (isolate) => {
    const headers = { authorization: `Bearer ${bearer}` };
    return (await cluster.fetch(path, { headers }, isolate)).status;
  });
const onAll = (status: number) => Array.from({ length: cluster.isolates }, () => status);

const GUESTS: [string, () => Promise<Guest>][] = [
  [
    "an API key that is revoked",
    async () => {
      const { id, key } = await made(cluster, [
        "POST",
        "/v1/keys",
        { name: "guest", scopes: ["read"] },
      ]);
      const leave = () => made(cluster, ["DELETE", `/v1/keys/${id}`]);
      return { bearer: key, path: "/v1/stats", refused: 401, leave };
    },
  ],
  [
    "the key of an organization that is deleted",
    async () => {
      const draft = {
        name: "Guests",
        email: "guest@cluster.local",
        password: "a-good-password-of-a-guest",
      };
      const { id, apiKey } = await made(cluster, ["POST", "/v1/organizations", draft]);
      const leave = () => made(cluster, ["DELETE", `/v1/organizations/${id}`], undefined, apiKey);
      return { bearer: apiKey, path: "/v1/stats", refused: 401, leave };
    },
  ],
  [
    "the token of a user who is switched off",
    async () => {
      const { token } = await createClient({ baseUrl: cluster.baseUrl }).signUp({
        username: "guest",
        password: "a-good-password",
      });
      const { body } = await call(cluster, ["GET", "/user"], undefined, token);
      const leave = () => made(cluster, ["PATCH", `/v1/users/${body.id}`, { isActive: false }]);
      return { bearer: token, path: "/flows", refused: 401, leave };
    },
  ],
];

it.each(GUESTS)("%s gets in nowhere after five seconds", async (_, enter) => {
  const { bearer, path, refused, leave } = await enter();
  expect(await statuses(bearer, path)).toEqual(onAll(200));
  await leave();
  await cluster.turn(TRUST_MS);
  expect(await statuses(bearer, path)).toEqual(onAll(refused));
});

it("no isolate takes a step of a flow for an event after its stop was answered", async () => {
  const { token, client, start, flowId } = await userWithFlow(
    cluster,
    "stopped",
    `${receiver.url}/stopped`,
  );
  await start("stopped", `${receiver.url}/running`);
  const fire = (phase: string) =>
    everywhere(cluster, async (isolate) => {
      const n = `${phase}-${isolate}`;
      const path = "/plugins/appmixer/utils/appevents/events/stopped";
      await made(cluster, ["POST", path, { n }], isolate, token);
      return n;
    });
  const at = (path: string) =>
    receiver.deliveries.filter((one) => one.path === path).map(({ body }) => body.n);
  // The first three are to be tried again a minute later; more failures would open a circuit.
  const again = (n: string) => /-[012]$/.test(n);
  receiver.respond = ({ body: { n } }) => ({ status: again(n) ? 503 : 200 });
  const before = await fire("before");
  for (const path of ["/stopped", "/running"])
    await receiver.waitFor(() => before.every((n) => at(path).includes(n)));
  receiver.respond = () => ({ status: 200 });
  await client.flows.stop(flowId);
  const after = await fire("after");
  await cluster.turn(70_000);
  await receiver.waitFor(() => at("/running").length === before.length + 3 + after.length);
  expect(at("/stopped")).toHaveLength(before.length);
  expect(new Set(at("/stopped"))).toEqual(new Set(before));
});

it("a destination that is changed is called at its new address alone after five seconds", async () => {
  const moved = await scopesOf(cluster, "moved", `${receiver.url}/old`, 3);
  const names = (path: string) =>
    new Set(
      receiver.deliveries.filter((one) => one.path === path).map(({ body }) => body.payload.name),
    );
  const count = 2 * cluster.isolates;
  // One after the other: each is a batch of its own, and dealt anew.
  const makeAll = async (first: number, path: string) => {
    for (let n = first; n < first + count; n += 1) {
      await moved.make(n);
      await receiver.waitFor(() => names(path).has(`moved-${n}`));
    }
  };
  await makeAll(0, "/old");
  const spec = { url: `${receiver.url}/new` };
  await made(cluster, ["PUT", moved.webhook, { name: "moved", spec }]);
  await cluster.turn(TRUST_MS);
  await makeAll(count, "/new");
  expect(names("/old").size).toBe(count);
});

it("failed sign-ins of a user are counted once for all isolates, however often they are restarted", async () => {
  await createClient({ baseUrl: cluster.baseUrl }).signUp({
    username: "guessed",
    password: "a-good-password",
  });
  const tryAt = async (isolate: number) => {
    const body = { username: "guessed", password: "a-wrong-password" };
    return (await call(cluster, ["POST", "/user/auth", body], isolate)).status;
  };
  const tries: number[] = [];
  for (let n = 0; n < 12; n += 1) {
    if (n === 6) await cluster.restartIsolate(0);
    tries.push(await tryAt(n % cluster.isolates));
  }
  // Ten are free; each further one makes the next wait.
  expect(tries).toEqual([...Array.from({ length: 10 }, () => 403), 429, 429]);
});

it("a member's failed sign-ins at the console are counted once for all isolates", async () => {
  const { email, password } = cluster.local;
  const tryAt = async (isolate: number, given: string) => {
    const body = new URLSearchParams({ email, password: given });
    const headers = { origin: cluster.baseUrl };
    const init = { method: "POST", body, headers, redirect: "manual" } as const;
    return (await cluster.fetch("/console/sign-in", init, isolate)).status;
  };
  const tries: number[] = [];
  for (let n = 0; n < 11; n += 1) tries.push(await tryAt(n % cluster.isolates, "a-wrong-password"));
  expect(tries.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => tries[0]));
  expect(tries[10]).toBe(429);
  expect(await everywhere(cluster, (isolate) => tryAt(isolate, password))).toEqual(onAll(429));
});

it.runIf(inject("isLong"))(
  "what an address fails at is counted once for all isolates",
  async () => {
    const headers = { "cf-connecting-ip": "203.0.113.77" };
    const numbers = Array.from({ length: 2 * MOST_FAILURES + 1 }, (_, n) => n);
    let refused = 0;
    // A window may end meanwhile, so it takes up to twice as many.
    await inTurns(numbers, 20, async (n) => {
      if (refused > 0) return;
      const { status } = await cluster.fetch("/v1/stats", { headers }, n % cluster.isolates);
      if (status === 429) refused += 1;
    });
    expect(refused).toBeGreaterThan(0);
  },
);
