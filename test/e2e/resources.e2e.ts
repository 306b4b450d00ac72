import { afterAll, beforeAll, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../vendors/receiver.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

/** A client of the original, told nothing but an address and a key: everything else it discovers. */

let stack: Platform;
let receiver: Receiver;

beforeAll(async () => {
  stack = await sharedStack();
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver?.close();
});

type Reply = { status: number; body: any; headers: Headers };
const ROUNDS = 3;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/;

async function call(method: string, path: string, body?: unknown): Promise<Reply> {
  const { baseUrl, apiKey, organizationId } = stack.local;
  const response = await fetch(`${baseUrl}${path}`, {
    method,
    redirect: "manual",
    headers: {
      authorization: `Bearer ${apiKey}`,
      "x-axway-tenant-id": organizationId,
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  if (isJson && method !== "HEAD") expect(() => decoded(text)).not.toThrow();
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && method !== "HEAD" ? JSON.parse(text) : undefined,
  };
}

/** As strictly as such clients decode: one form of time, never an empty one. */
function decoded(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => {
    if (key.endsWith("Timestamp") && !(typeof value === "string" && TIME.test(value)))
      throw new Error(`${key}: ${String(value)}`);
    return value;
  });
}

/** Every page, by the total count. */
async function pages(path: string): Promise<any[]> {
  const items: any[] = [];
  for (let page = 1; ; page += 1) {
    const { status, body, headers } = await call("GET", `${path}?pageSize=50&page=${page}`);
    expect(status).toBe(200);
    items.push(...body);
    if (items.length >= Number(headers.get("x-axway-total-count"))) return items;
  }
}

type Definition = { group: string; spec: any; words: string[]; columns: string[] };

async function discover(): Promise<Definition[]> {
  const root = "/apis/definitions/v1alpha1/groups";
  const found = await Promise.all(
    (await pages(root)).map(async (group) => {
      const [definitions, lines] = await Promise.all([
        pages(`${root}/${group.name}/resources`),
        pages(`${root}/${group.name}/commandlines`),
      ]);
      return definitions.map(({ name, metadata, spec }): Definition => {
        expect(metadata.scope.name).toBe(group.name);
        expect(spec.references).toEqual({
          toResources: expect.any(Array),
          fromResources: expect.any(Array),
        });
        const [line, ...more] = lines.filter((one) => one.spec.resourceDefinition === name);
        expect(more).toEqual([]);
        const { plural, singular, shortNames } = line.spec.names;
        return {
          group: group.name,
          spec,
          words: [plural, singular, ...shortNames],
          columns: line.spec.columns.map(({ jsonPath }: any) => jsonPath.slice(1)),
        };
      });
    }),
  );
  return found.flat();
}

/** Where a document's kind lives, from discovery and its own scope alone. */
function collection(all: readonly Definition[], document: any): { path: string; spec: any } {
  const scope = document.metadata?.scope;
  const own = all.find(
    ({ spec }) => spec.kind === document.kind && spec.scope?.kind === scope?.kind,
  );
  const holder = all.find(({ spec }) => spec.kind === scope?.kind);
  expect(own).toBeDefined();
  const served = own?.spec.apiVersions.find(({ name }: any) => name === document.apiVersion);
  const version = served?.name ?? own?.spec.apiVersions.find((one: any) => !one.deprecated).name;
  const inner = scope === undefined ? "" : `/${holder?.spec.plural}/${scope.name}`;
  return {
    path: `/apis/${own?.group}/${version}${inner}/${own?.spec.plural}`,
    spec: own?.spec,
  };
}

async function apply(all: readonly Definition[], document: any): Promise<string> {
  const { path, spec } = collection(all, document);
  const item = `${path}/${document.name}`;
  const known = await call("GET", item);
  if (known.status !== 200) expect(known.body.errors[0].status).toBe(404);
  const created = known.status !== 200;
  const main = created
    ? await call("POST", path, document)
    : await call("PUT", item, { ...document, name: document.name });
  expect([main.status, main.body]).toEqual([created ? 201 : 200, expect.any(Object)]);
  let resource = main.body;
  for (const sub of Object.keys(document))
    if (spec.subResources.names.includes(sub) || sub.startsWith("x-")) {
      const { status, body } = await call("PUT", `${item}/${sub}?fields=${sub}`, {
        [sub]: document[sub],
      });
      expect([status, body]).toEqual([200, { [sub]: document[sub] }]);
      resource = { ...resource, ...body };
    }
  const { body } = await call("GET", item);
  expect(body).toEqual({ ...resource, metadata: body.metadata });
  return created ? "created" : "updated";
}

const inE = { metadata: { scope: { kind: "Environment", name: "discovered" } } };
const documents = (url: string) => [
  {
    group: "management",
    apiVersion: "v1alpha1",
    kind: "Environment",
    name: "discovered",
    spec: {},
  },
  { kind: "Integration", name: "discovered-tools", spec: { description: "d" } },
  {
    kind: "Webhook",
    name: "w",
    metadata: { scope: { kind: "Integration", name: "discovered-tools" } },
    spec: { url, enabled: true, headers: { "Content-Type": "application/json" } },
  },
  {
    kind: "ResourceHook",
    name: "h",
    metadata: { scope: { kind: "Integration", name: "discovered-tools" } },
    spec: {
      triggers: [
        {
          group: "management",
          kind: "APIService",
          name: "*",
          type: ["created", "updated", "deleted"],
          scope: { kind: "Environment", name: "*" },
        },
      ],
      webhooks: ["w"],
    },
  },
  {
    kind: "WatchTopic",
    name: "discovered-topic",
    spec: {
      filters: [{ group: "*", kind: "*", name: "*", type: ["created", "updated", "deleted"] }],
    },
  },
  { kind: "APIService", name: "svc", ...inE, spec: {}, details: { a: 1 }, "x-agent": { b: 2 } },
  { kind: "APIServiceRevision", name: "rev", ...inE, spec: { apiService: "svc" } },
  {
    kind: "APIServiceInstance",
    name: "inst",
    ...inE,
    spec: { apiServiceRevision: "rev", endpoint: [{ host: "h", protocol: "https" }] },
  },
  {
    group: "catalog",
    kind: "Asset",
    name: "discovered-asset",
    spec: { type: "API" },
    state: "active",
  },
];

/** Others make resources of the same kinds meanwhile, under names of their own. */
const isMine = ({ kind, name, metadata }: any): boolean =>
  documents("").some(
    (one) =>
      one.kind === kind &&
      one.name === name &&
      (one.metadata?.scope.name ?? metadata.scope?.name) === metadata.scope?.name,
  );

it("discovers, applies twice, lists, watches, hears and deletes as against the original", async () => {
  const all = await discover();
  expect(new Set(all.map(({ spec }) => spec.kind)).size).toBe(25);
  const known = new Set(all.map(({ spec }) => `${spec.kind} ${spec.scope?.kind}`));
  for (const { spec } of all)
    for (const { kind, scopeKind } of spec.references.toResources)
      expect(known).toContain(`${kind} ${scopeKind}`);

  const file = documents(`${receiver.url}/hook`);
  for (const document of file) expect(await apply(all, document)).toBe("created");
  const position = async (): Promise<number> => {
    const { body } = await call(
      "GET",
      "/events/management/v1alpha1/watchtopics/discovered-topic?pageSize=1&sort=sequenceID,DESC",
    );
    return body[0].metadata.sequenceID;
  };
  const from = await position();
  for (const document of file) expect(await apply(all, document)).toBe("updated");

  for (const { group, spec, words, columns } of all) {
    expect(words[0]).toMatch(new RegExp(`${spec.plural}$`));
    const path = `/apis/${group}/v1/${spec.plural}`;
    const { status, body, headers } = await call(
      "GET",
      `${path}?query=owner.id%3D%3Dnull&pageSize=50`,
    );
    expect([status, Number(headers.get("x-axway-total-count"))]).toEqual([200, body.length]);
    const first = body.find(isMine);
    if (first === undefined || first.kind !== spec.kind) continue;
    const item = `/apis${first.metadata.selfLink}?fields=${columns.join(",")}`;
    const few = await call("GET", item);
    expect(few.body).toMatchObject({ name: first.name, kind: first.kind, group });
    expect(few.body.spec).toBeUndefined();
  }

  const watched: any[] = [];
  for (let page = 1; ; page += 1) {
    const { body } = await call(
      "GET",
      `/events/management/v1alpha1/watchtopics/discovered-topic?sort=sequenceID,ASC&query=sequenceID>${from}&page=${page}&pageSize=5`,
    );
    watched.push(...body);
    if (body.length < 5) break;
  }
  const mine = watched.filter(({ payload }) => isMine(payload));
  expect(mine.map(({ type, payload }) => `${type} ${payload.kind}`)).toEqual([
    ...file.slice(0, 6).map(({ kind }) => `ResourceUpdated ${kind}`),
    "SubResourceUpdated APIService",
    "SubResourceUpdated APIService",
    ...file.slice(6).map(({ kind }) => `ResourceUpdated ${kind}`),
    "SubResourceUpdated Asset",
  ]);
  const sequence = mine.map(({ metadata }) => metadata.sequenceID);
  expect(sequence).toEqual(sequence.toSorted((left, right) => left - right));
  for (const { payload } of mine.filter(({ payload: { kind } }) => kind === "APIService")) {
    const { status } = await call("GET", `/apis${payload.metadata.selfLink}`);
    expect(status).toBe(200);
  }

  const service = "/apis/management/v1alpha1/environments/discovered/apiservices/svc";
  const gone = await call("DELETE", service);
  expect([gone.status, gone.body, gone.headers.get("content-type")]).toEqual([
    204,
    undefined,
    null,
  ]);
  expect((await call("GET", service)).body.errors[0].status).toBe(404);
  const heardOf = (all: Receiver["deliveries"]) => all.filter(({ body }) => isMine(body.payload));
  const heard = heardOf(await receiver.waitFor((all) => heardOf(all).length >= 7));
  expect(heard.map(({ body }) => String(body.type)).toSorted()).toEqual([
    "ResourceCreated",
    "ResourceDeleted",
    "ResourceUpdated",
    ...Array.from({ length: 4 }, () => "SubResourceUpdated"),
  ]);
  const logged = await call(
    "GET",
    `/events/management/v1/watchtopics/discovered-topic?query=sequenceID>0&pageSize=1000`,
  );
  const ids = new Set(logged.body.map(({ id }: any) => id));
  for (const { body } of heard) expect(ids).toContain(body.id);
});

it("lets one of fifty writers who know the version win each round; without it all win, and all are told", async () => {
  const path = "/apis/management/v1/environments/contested";
  await call("POST", "/apis/management/v1/environments", { name: "contested" });
  const writers = Array.from({ length: 50 }, (_, index) => index);
  for (let round = 0; round < ROUNDS; round += 1) {
    const { resourceVersion } = (await call("GET", path)).body.metadata;
    expect(resourceVersion).toBe(String(round));
    const replies = await Promise.all(
      writers.map((writer) =>
        call("PUT", path, { title: `${round}-${writer}`, metadata: { resourceVersion } }),
      ),
    );
    const statuses = replies.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([200, ...Array.from({ length: 49 }, () => 428)]);
    const winner = replies.find(({ status }) => status === 200);
    expect((await call("GET", path)).body.title).toBe(winner?.body.title);
  }
  const free = await Promise.all(
    writers.map((writer) => call("PUT", path, { title: `free-${writer}` })),
  );
  expect(free.map(({ status }) => status)).toEqual(writers.map(() => 200));
  const versions = free.map(({ body }) => Number(body.metadata.resourceVersion));
  expect(versions.toSorted((a, b) => a - b)).toEqual(writers.map((writer) => writer + 1 + ROUNDS));
  const last = free.find(({ body }) => body.metadata.resourceVersion === String(50 + ROUNDS));
  const { body } = await call("GET", path);
  expect([body.title, body.metadata.resourceVersion]).toEqual([
    last?.body.title,
    String(50 + ROUNDS),
  ]);
  const { body: log } = await call(
    "GET",
    "/events/management/v1/watchtopics/discovered-topic?query=sequenceID>0&pageSize=1000",
  );
  const told = log.filter(({ payload }: any) => payload.name === "contested");
  expect(told.map(({ type }: any) => type)).toEqual([
    "ResourceCreated",
    ...Array.from({ length: 50 + ROUNDS }, () => "ResourceUpdated"),
  ]);
});
