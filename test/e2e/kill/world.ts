import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { KILL_WAIT_MS } from "../../patience.ts";
import { type Delivery, type Receiver, startReceiver } from "../../vendors/receiver.ts";
import { type Stack, startStack } from "../stack.ts";

/** A change is durable with its row; how it comes to the stream of its scope must survive any crash. */

const ALL = ["created", "updated", "deleted"];

type Reply = { status: number; body: any };
export type World = {
  stack: Stack;
  receiver: Receiver;
  apis: (method: string, path: string, body?: unknown) => Promise<Reply>;
  /** POST that must succeed. */
  made: (path: string, body: unknown) => Promise<void>;
  /** A hook that sends what an environment and its contents do to webhooks. */
  hook: (environment: string, webhooks: readonly string[]) => Promise<void>;
  /** The log of an environment and its contents: what was committed, in order. */
  logOf: (environment: string) => Promise<any[]>;
  /** Every logged change arrives at each webhook under one webhook-id of its own, and nothing else does. */
  allTold: (
    logged: readonly any[],
    environment: string,
    webhooks: readonly string[],
  ) => Promise<void>;
  stop: () => Promise<void>;
};

/** A stack whose resources' changes are told to the webhooks `one` and `two`. */
export async function startWorld(): Promise<World> {
  const stack = await startStack();
  const receiver = await startReceiver();
  const call = async (method: string, path: string, body?: unknown): Promise<Reply> => {
    const { baseUrl, apiKey } = stack.local;
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const apis = (method: string, path: string, body?: unknown): Promise<Reply> =>
    call(method, `/apis/management/v1${path}`, body);
  const made = async (path: string, body: unknown): Promise<void> => {
    const { status, body: reply } = await apis("POST", path, body);
    expect([status, reply]).toEqual([201, expect.any(Object)]);
  };
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
  const logOf = async (environment: string): Promise<any[]> => {
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
  };
  const allTold: World["allTold"] = async (logged, environment, webhooks) => {
    const ids = new Set<string>(logged.map(({ id }) => id));
    const mine = () =>
      receiver.deliveries.filter(
        ({ body: { payload } }) =>
          payload.metadata.scope?.name === environment || payload.name === environment,
      );
    const giveUpAt = Date.now() + KILL_WAIT_MS;
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
  };
  await made("/watchtopics", {
    name: "all",
    spec: { filters: [{ group: "*", kind: "*", name: "*", type: ALL }] },
  });
  for (const name of ["one", "two"])
    await made("/webhooks", { name, spec: { url: `${receiver.url}/${name}` } });
  const stop = async (): Promise<void> => {
    await stack.stop();
    await receiver.close();
  };
  return { stack, receiver, apis, made, hook, logOf, allTold, stop };
}

const idsAt = (path: string, deliveries: readonly Delivery[]): Set<string> =>
  new Set(deliveries.filter((delivery) => delivery.path === path).map(({ body }) => body.id));
