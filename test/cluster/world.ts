import { expect } from "vitest";
import { createClient } from "../../src/sdk/client.ts";
import type { Cluster } from "./cluster.ts";

/** What tests on a cluster set up. */

export type Reply = { status: number; body: any };

/** As JSON, as the organization's key, at one isolate or whichever the deal names. */
export async function call(
  cluster: Cluster,
  [method, path, body]: [method: string, path: string, body?: unknown],
  isolate?: number,
  bearer = cluster.local.apiKey,
): Promise<Reply> {
  const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await cluster.fetch(path, init, isolate);
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** What must succeed. */
export async function made(...given: Parameters<typeof call>): Promise<any> {
  const { status, body } = await call(...given);
  expect([status, body]).toEqual([expect.toSatisfy((code) => code < 300), body]);
  return body;
}

/** What every isolate says. */
export const everywhere = <T>(
  { isolates }: Cluster,
  ask: (isolate: number) => Promise<T>,
): Promise<T[]> => Promise.all(Array.from({ length: isolates }, (_, isolate) => ask(isolate)));

const resources = "/apis/management/v1";

/** Streams of resources: as many environments, and a webhook that is told what is made in them. */
export type Scopes = {
  destinationId: string;
  webhook: string;
  /** Makes the n-th resource, in one of the streams by turns. */
  make(n: number, isolate?: number): Promise<any>;
};

export async function scopesOf(
  cluster: Cluster,
  name: string,
  url: string,
  streams: number,
): Promise<Scopes> {
  const webhook = `${resources}/webhooks`;
  const { metadata } = await made(cluster, ["POST", webhook, { name, spec: { url } }]);
  const scopes = Array.from({ length: streams }, (_, index) => `${name}-${index}`);
  for (const scope of scopes)
    await made(cluster, ["POST", `${resources}/environments`, { name: scope }]);
  const triggers = scopes.map((scope) => ({
    group: "*",
    kind: "APIService",
    name: "*",
    type: ["created"],
    scope: { kind: "Environment", name: scope },
  }));
  const hook = { name: `of-${name}`, spec: { triggers, webhooks: [name] } };
  await made(cluster, ["POST", `${resources}/resourcehooks`, hook]);
  return {
    destinationId: metadata.destinationId,
    webhook: `${webhook}/${name}`,
    make(n, isolate) {
      const path = `${resources}/environments/${scopes[n % streams]}/apiservices`;
      return made(cluster, ["POST", path, { name: `${name}-${n}` }], isolate);
    },
  };
}

/** A new user, with a flow that posts the data of each event of this name to a URL, and runs. */
export async function userWithFlow(cluster: Cluster, username: string, url: string) {
  const client = createClient({ baseUrl: cluster.baseUrl });
  const { token } = await client.signUp({ username, password: "a-good-password" });
  const start = async (event: string, to: string): Promise<string> => {
    const { flowId } = await client.flows.create({ name: event, flow: flowOf(event, to) });
    await client.flows.start(flowId);
    return flowId;
  };
  return { client, token, start, flowId: await start(username, url) };
}

const flowOf = (event: string, url: string) => ({
  T: {
    type: "appmixer.utils.appevents.OnAppEvent",
    source: {},
    config: { properties: { event } },
  },
  P: {
    type: "appmixer.utils.http.Post",
    source: { in: { T: ["out"] } },
    config: { transform: { in: { T: { out: { lambda: { url, body: "{{{$.T.out.data}}}" } } } } } },
  },
});

/** So many at a time. */
export async function inTurns<Item>(
  items: readonly Item[],
  atATime: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const next = items.values();
  await Promise.all(
    Array.from({ length: atATime }, async () => {
      for (const item of next) await work(item);
    }),
  );
}
