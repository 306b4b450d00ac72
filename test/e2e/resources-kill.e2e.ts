import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Delivery, type Receiver, startReceiver } from "../vendors/receiver.ts";
import { type Stack, startStack } from "./stack.ts";

/** A change is durable with its row; how it comes to the stream of its scope must survive any crash. */

const CLIENTS = 8;
const ROUNDS = Number(process.env["TRIBUTARY_TEST_ROUNDS"] ?? 1);
const CHILDREN = Number(process.env["TRIBUTARY_TEST_EVENTS"] ?? 300);
/** What was under way is sent again when its lease (45 s) has run out. */
const SETTLED_MS = 240_000;
const ALL = ["created", "updated", "deleted"];

let stack: Stack;
let receiver: Receiver;

beforeAll(async () => {
  stack = await startStack();
  receiver = await startReceiver();
  await made("/watchtopics", {
    name: "all",
    spec: { filters: [{ group: "*", kind: "*", name: "*", type: ALL }] },
  });
  for (const name of ["one", "two"])
    await made("/webhooks", { name, spec: { url: `${receiver.url}/${name}` } });
});
afterAll(async () => {
  await stack?.stop();
  await receiver?.close();
});

async function call(method: string, path: string, body?: unknown) {
  const { baseUrl, apiKey } = stack.local;
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

const apis = (method: string, path: string, body?: unknown) =>
  call(method, `/apis/management/v1${path}`, body);

async function made(path: string, body: unknown): Promise<void> {
  const { status, body: reply } = await apis("POST", path, body);
  expect([status, reply]).toEqual([201, expect.any(Object)]);
}

/** A hook that sends what an environment and its contents do to webhooks. */
const hook = (environment: string, webhooks: readonly string[]) =>
  made("/resourcehooks", {
    name: `hook-of-${environment}`,
    spec: {
      triggers: [
        { group: "*", kind: "Environment", name: environment, type: ALL },
        {
          group: "*",
          kind: "*",
          name: "*",
          type: ALL,
          scope: { kind: "Environment", name: environment },
        },
      ],
      webhooks,
    },
  });

/** The log of an environment and its contents: what was committed, in order. */
async function logOf(environment: string): Promise<any[]> {
  const entries: any[] = [];
  for (let page = 1; ; page += 1) {
    const { body } = await call(
      "GET",
      `/events/management/v1/watchtopics/all?sort=sequenceID,ASC&pageSize=500&page=${page}`,
    );
    entries.push(...body);
    if (body.length < 500) break;
  }
  return entries.filter(
    ({ payload: { kind, name, metadata } }) =>
      metadata.scope?.name === environment || (kind === "Environment" && name === environment),
  );
}

const idsAt = (path: string, deliveries: readonly Delivery[]): Set<string> =>
  new Set(deliveries.filter((delivery) => delivery.path === path).map(({ body }) => body.id));

/** Every logged change arrives at each webhook under one webhook-id of its own, and nothing else does. */
async function allTold(
  logged: readonly any[],
  environment: string,
  webhooks: readonly string[],
): Promise<void> {
  const ids = new Set<string>(logged.map(({ id }) => id));
  const mine = () =>
    receiver.deliveries.filter(
      ({ body: { payload } }) =>
        payload.metadata.scope?.name === environment || payload.name === environment,
    );
  const giveUpAt = Date.now() + SETTLED_MS;
  for (const path of webhooks.map((name) => `/${name}`))
    while ([...ids].some((id) => !idsAt(path, mine()).has(id))) {
      if (Date.now() > giveUpAt)
        throw new Error(`${idsAt(path, mine()).size} of ${ids.size} arrived at ${path}`);
      await stack.tick();
      await sleep(500);
    }
  for (const path of webhooks.map((name) => `/${name}`)) {
    expect(idsAt(path, mine())).toEqual(ids);
    const own = mine().filter((delivery) => delivery.path === path);
    const byEvent = Map.groupBy(own, ({ body }) => body.id);
    for (const tries of byEvent.values()) {
      expect(new Set(tries.map(({ webhookId }) => webhookId)).size).toBe(1);
      expect(new Set(tries.map(({ text }) => text)).size).toBe(1);
    }
    expect(new Set(own.map(({ webhookId }) => webhookId)).size).toBe(ids.size);
  }
}

describe("kill -9 of everything", () => {
  it("at random moments of a load of changes loses none that was committed, and tells none twice", async () => {
    await hook("load", ["one", "two"]);
    await made("/environments", { name: "load" });
    const acknowledged: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      let running = true;
      const clients = Array.from({ length: CLIENTS }, async (_, client) => {
        for (let index = 0; running; index += 1) {
          const name = `r${round}-c${client}-${index}`;
          const reply = await apis("POST", "/environments/load/apiservices", { name }).catch(
            () => undefined,
          );
          if (reply?.status === 201) acknowledged.push(name);
          else if (reply !== undefined) expect(reply).toBeUndefined();
          else await sleep(50);
        }
      });
      while (acknowledged.length < 2 * CLIENTS * (round + 1)) await sleep(10);
      await sleep(Math.random() * 300);
      await stack.kill9();
      running = false;
      await Promise.all(clients);
      await stack.restart();
    }
    const logged = await logOf("load");
    const names = new Set(logged.map(({ payload }) => payload.name));
    for (const name of acknowledged) expect(names).toContain(name);
    expect(names.size).toBe(logged.length);
    const { body } = await apis("GET", "/environments/load/apiservices?pageSize=1000");
    expect(new Set([...body.map(({ name }: any) => name), "load"])).toEqual(names);
    await allTold(logged, "load", ["one", "two"]);
  }, 400_000);

  it("in a cascade of 1,000 children, twice, tells 1,001 changes of one request, children first", async () => {
    const scope = "/environments/full";
    await made("/environments", { name: "full" });
    let next = 0;
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        while (next < CHILDREN) await made(`${scope}/apiservices`, { name: `s${(next += 1)}` });
      }),
    );
    await hook("full", ["one"]);
    receiver.respond = () => ({ status: 200, delayMs: 20 });
    const answer = apis("DELETE", scope)
      .then(({ status }) => status)
      .catch(() => "no answer");
    await Promise.race([answer, sleep(100 + Math.random() * 300)]);
    await stack.kill9();
    expect([204, "no answer"]).toContain(await answer);
    await stack.restart();
    const { body } = await apis("GET", "/environments?query=name==full");
    // Killed before its one transaction was written: as if it had never been asked.
    if (body.length === 1) {
      const { body: children } = await apis("GET", `${scope}/apiservices?pageSize=1000`);
      expect(children).toHaveLength(CHILDREN);
      expect((await apis("DELETE", scope)).status).toBe(204);
    }
    const ticking = stack.tick().catch(() => undefined);
    const before = receiver.deliveries.length;
    await receiver.waitFor(before + 60, 60_000);
    await stack.kill9();
    await ticking;
    expect(receiver.deliveries.length - before).toBeLessThan(CHILDREN);
    receiver.respond = () => ({ status: 200 });
    await stack.restart();
    const deleted = (await logOf("full")).filter(({ type }) => type === "ResourceDeleted");
    expect(deleted).toHaveLength(CHILDREN + 1);
    expect(new Set(deleted.map(({ correlationId }) => correlationId)).size).toBe(1);
    expect(deleted.at(-1).payload.kind).toBe("Environment");
    await allTold(deleted, "full", ["one"]);
  }, 400_000);
});
