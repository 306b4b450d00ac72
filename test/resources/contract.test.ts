import { beforeAll, describe, expect, it } from "vitest";
import { type Client, freshClient, logOf, takeCallbacks, V1 } from "./build";

/** Sentences of reference resource-api.md that no other test would miss, by its sections. */

const posts = takeCallbacks();
const HEX = /^[0-9a-f]{32}$/;

let client: Client;
beforeAll(async () => {
  client = await freshClient();
  for (const [index, path] of ["environments", "integrations"].entries())
    await client.make(`${V1}/${path}`, { name: `scope${index}` });
  await client.make(`${V1}/environments/scope0/apiservices`, { name: "svc" });
  const revision = { name: "rev", spec: { apiService: "svc" } };
  await client.make(`${V1}/environments/scope0/apiservicerevisions`, revision);
  const there: [string, object][] = [
    ["apiserviceinstances", {}],
    ["managedapplications", {}],
    ["credentialrequestdefinitions", {}],
    ["applicationprofiledefinitions", {}],
    ["dataplanes", { type: "AWS" }],
  ];
  for (const [plural, spec] of there)
    await client.make(`${V1}/environments/scope0/${plural}`, { name: "there", spec });
});

const ENV = "environments/scope0";
const INT = "integrations/scope1";
const get = (path: string) => client.call("GET", path);
const names = ({ body }: { body: any }) => body.map(({ name }: any) => name);

const trigger = { group: "*", kind: "*", name: "*", type: ["created"] };
const anything = [1, { two: 3 }];
const icon = { contentType: "image/png", data: "iVBORw0KGgo=" };

/** Every kind of §1 and §8: where it lives, all its spec says, and its subresources. */
const form = { type: "object", properties: { a: { type: "string" } } };
const rule = { show: ["a"], sanitize: [{ keyMatch: "k", valueMatch: "v" }] };
const team = { type: "team", id: "t" };
const kinds: [string, string, string[], object, string][] = [
  [
    "management",
    "environments",
    [""],
    {
      description: "d",
      variables: { a: "b" },
      production: true,
      axwayManaged: false,
      icon,
      compliance: anything,
    },
    "references policies stages compliancetasks complianceruntimeresult traceable",
  ],
  ["management", "integrations", [""], { description: "d" }, ""],
  [
    "management",
    "apiservices",
    [ENV],
    { description: "d", categories: ["c"], icon },
    "agentdetails appinfo compliance complianceruntimeresult details profile references source status",
  ],
  [
    "management",
    "apiservicerevisions",
    [ENV],
    {
      apiService: "svc",
      definition: { type: "oas3", value: "e30=", contentType: "application/json", version: "1" },
    },
    "compliance information",
  ],
  [
    "management",
    "apiserviceinstances",
    [ENV],
    {
      apiServiceRevision: "rev",
      endpoint: [
        { host: "h", protocol: "https", port: 443, routing: { basePath: "/", details: anything } },
      ],
      accessRequestDefinition: "a",
      credentialRequestDefinitions: ["c"],
      mock: anything,
    },
    "compliance complianceruntimeresult lifecycle references samplestate sampletrigger source traceable",
  ],
  [
    "catalog",
    "assets",
    [""],
    {
      type: "API",
      description: "d",
      categories: ["c"],
      autoRelease: {
        releaseType: "minor",
        requiresInitialActivation: true,
        previousReleases: { updateState: "deprecated" },
      },
    },
    "access icon latestrelease references state status",
  ],
  [
    "catalog",
    "products",
    [""],
    {
      description: "d",
      supportContact: "s",
      categories: ["c"],
      assets: [{ name: "a", filters: anything }],
      autoRelease: {
        releaseType: "minor",
        requiresInitialActivation: false,
        previousReleases: { updateState: "archived" },
        releaseVersionProperties: { label: "l", description: "d" },
        description: "d",
      },
      terms: anything,
      overviewDocument: anything,
    },
    "icon latestrelease references state status",
  ],
  [
    "management",
    "webhooks",
    [ENV, INT, ""],
    {
      url: "https://example.com/",
      enabled: false,
      headers: { a: "b" },
      auth: { secret: { name: "s", key: "k" }, location: { in: "header", name: "X-Key" } },
    },
    "",
  ],
  [
    "management",
    "resourcehooks",
    [ENV, INT, ""],
    {
      triggers: [{ ...trigger, scope: { kind: "*", name: "*" } }],
      webhooks: ["w"],
    },
    "",
  ],
  ["management", "secrets", [ENV, INT, ""], { data: { key: "********" } }, ""],
  ["management", "watchtopics", [""], { filters: [trigger], description: "d" }, ""],
  [
    "management",
    "discoveryagents",
    [ENV],
    {
      dataplaneType: "AWS",
      config: {
        filter: "f",
        additionalTags: ["a"],
        ignoreTags: ["i"],
        owningTeam: "t",
        owner: team,
      },
      logging: { level: "debug" },
    },
    "agentstate dataplane status",
  ],
  [
    "management",
    "traceabilityagents",
    [ENV],
    {
      dataplaneType: "AWS",
      config: {
        owningTeam: "t",
        processHeaders: true,
        redaction: {
          path: ["p"],
          queryArgument: rule,
          requestHeaders: rule,
          responseHeaders: rule,
          maskingCharacter: "*",
        },
        sampling: anything,
        owner: team,
      },
      logging: { level: "debug" },
    },
    "agentstate dataplane sampletrigger status",
  ],
  [
    "management",
    "complianceagents",
    [ENV],
    { dataplaneType: "AWS", config: { managedEnvironments: ["e"] } },
    "agentstate dataplane status",
  ],
  [
    "management",
    "complianceruntimeresults",
    [ENV],
    { complianceAgent: "a", timestamp: "t", type: "Traceable", results: anything },
    "",
  ],
  ["management", "dataplanes", [ENV], { type: "AWS", config: anything }, "secretschema security"],
  ["management", "dataplanesecrets", [ENV], { dataplane: "there", data: "d" }, "state status"],
  [
    "management",
    "accesscontrollists",
    [ENV, INT],
    {
      rules: [{ access: [{ level: "scope" }] }],
      subjects: [{ ...team, organization: { id: "o" } }],
    },
    "",
  ],
  [
    "management",
    "accessrequestdefinitions",
    [ENV],
    { schema: form, provision: { schema: form, policies: { transferable: true } } },
    "applicationprofile webhooks",
  ],
  [
    "management",
    "accessrequests",
    [ENV],
    {
      accessRequest: "before",
      apiServiceInstance: "there",
      managedApplication: "there",
      data: { a: "b" },
      quota: { limit: 5, interval: "monthly" },
      additionalQuotas: [{ name: "q", limit: 5, interval: "monthly" }],
    },
    "data references status",
  ],
  [
    "management",
    "credentialrequestdefinitions",
    [ENV],
    {
      type: "api-key",
      schema: form,
      provision: {
        schema: form,
        policies: {
          renewable: true,
          suspendable: true,
          expiry: { period: 90, actions: [{ type: "deprovision" }] },
        },
      },
      webhooks: [{ kind: "Webhook", name: "w" }],
      identityProvider: "i",
    },
    "webhooks",
  ],
  [
    "management",
    "credentials",
    [ENV],
    {
      credentialRequestDefinition: "there",
      managedApplication: "there",
      data: { a: "b" },
      state: { name: "inactive", reason: "r", rotate: true },
    },
    "data policies references state status",
  ],
  [
    "management",
    "managedapplications",
    [ENV],
    { security: { encryptionKey: "k", encryptionAlgorithm: "PKCS", encryptionHash: "SHA256" } },
    "marketplace references status",
  ],
  ["management", "applicationprofiledefinitions", [ENV], { schema: form }, ""],
  [
    "management",
    "managedapplicationprofiles",
    [ENV],
    {
      managedApplication: "there",
      applicationProfileDefinition: "there",
      data: { a: "b" },
    },
    "references status",
  ],
];

/** Subresources that take no more than they should, with a value. */
const SUBRESOURCES: Record<string, unknown> = {
  icon,
  "assets/state": "active",
  "products/state": "active",
  "credentials/state": { name: "active", reason: "r" },
  ...Object.fromEntries(
    ["accessrequests", "credentials", "managedapplications", "managedapplicationprofiles"].map(
      (plural) => [`${plural}/status`, { level: "Success", reasons: [{ type: "Info" }] }],
    ),
  ),
};

describe("§1 and §8: paths, schemas and subresources", () => {
  it.each(kinds)("%s/%s", async (group, plural, places, spec, subresources) => {
    const sent = plural === "secrets" ? { data: { key: "value" } } : spec;
    for (const place of places) {
      const inner = place === "" ? plural : `${place}/${plural}`;
      const collection = `/apis/${group}/v1/${inner}`;
      const alpha = `/apis/${group}/v1alpha1/${inner}`;
      const made = await client.make(collection, { name: "one", spec: sent });
      expect(made.spec).toEqual(spec);
      const { status, body } = await get(`${alpha}/one`);
      expect([status, body.apiVersion]).toEqual([200, "v1alpha1"]);
      expect(body.metadata.selfLink).toBe(`/${group}/v1alpha1/${inner}/one`);
      expect(body.metadata.id).toBe(made.metadata.id);
      expect(names(await get(alpha))).toContain("one");
      const all = await get(`/apis/${group}/v1alpha1/${plural}?query=name==one`);
      expect(all.body.map(({ metadata }: any) => metadata.id)).toContain(made.metadata.id);
      const head = await client.call("HEAD", collection);
      expect(Number(head.headers.get("x-axway-total-count"))).toBeGreaterThan(0);
      for (const sub of subresources.split(" ").filter((name) => name !== "")) {
        const value = SUBRESOURCES[sub] ?? SUBRESOURCES[`${plural}/${sub}`] ?? anything;
        const put = await client.call("PUT", `${collection}/one/${sub}?fields=${sub}`, {
          [sub]: value,
        });
        expect([sub, put.status, put.body]).toEqual([sub, 200, { [sub]: value }]);
        expect((await get(`${alpha}/one/${sub}`)).body).toEqual({ [sub]: value });
      }
      const undeclared = await client.call("PUT", `${collection}/one/nonsense`, { nonsense: 1 });
      expect(undeclared.status).toBe(404);
      const free = await client.call("PUT", `${alpha}/one/x-free`, { "x-free": anything });
      expect(free.body["x-free"]).toEqual(anything);
      const unknown = await client.call("PUT", `${collection}/one?unknownFields=error`, {
        spec: { ...sent, nonsense: 1 },
      });
      expect(unknown.body.errors.map(({ source }: any) => source.parameter)).toEqual([
        "spec.nonsense",
      ]);
      const warned = await client.call("PUT", `${collection}/one`, {
        ...body,
        spec: { ...sent, nonsense: 1 },
        owner: { type: "team", id: "" },
        metadata: { ...body.metadata, resourceVersion: "" },
      });
      expect([warned.status, warned.body.spec]).toEqual([200, spec]);
      expect(warned.body.metadata.warnings).toContainEqual({
        code: "UnknownProperty",
        detail: "spec.nonsense: Unknown property 'nonsense', which is not stored",
      });
      if (plural !== "apiservicerevisions" || places.length > 1)
        expect((await client.call("DELETE", `${alpha}/one`)).status).toBe(204);
    }
  });

  it.each([
    ["management/v1/environments/scope0/apiservicerevisions", {}, "spec.apiService"],
    [
      "management/v1/environments/scope0/apiserviceinstances",
      { endpoint: [{}] },
      "spec.endpoint.0.host spec.endpoint.0.protocol",
    ],
    [
      "management/v1/environments/scope0/apiserviceinstances",
      { endpoint: [{ host: "h", protocol: "p", port: 1.5 }] },
      "spec.endpoint.0.port",
    ],
    ["catalog/v1/assets", {}, "spec.type"],
    [
      "catalog/v1/assets",
      { type: "A", autoRelease: { requiresInitialActivation: true } },
      "spec.autoRelease.releaseType",
    ],
    ["catalog/v1/products", { assets: [{}] }, "spec.assets.0.name"],
    ["management/v1/webhooks", {}, "spec.url"],
    ["management/v1/resourcehooks", {}, "spec.triggers spec.webhooks"],
    ["management/v1/resourcehooks", { triggers: [], webhooks: ["no name"] }, "spec.webhooks.0"],
    ["management/v1/watchtopics", {}, "spec.filters"],
    [
      "management/v1/watchtopics",
      { filters: [{}] },
      "spec.filters.0.group spec.filters.0.kind spec.filters.0.name spec.filters.0.type",
    ],
    ["management/v1/watchtopics", { filters: [{ ...trigger, type: [] }] }, "spec.filters.0.type"],
    ["management/v1/watchtopics", { filters: [{ ...trigger, name: "a*" }] }, "spec.filters.0.name"],
    [
      "management/v1/watchtopics",
      { filters: [{ ...trigger, scope: { kind: "*" } }] },
      "spec.filters.0.scope.name",
    ],
    ["management/v1/secrets", { data: { key: 1 } }, "spec.data.key"],
    ["management/v1/environments", { variables: { a: 1 } }, "spec.variables.a"],
  ])("%s refuses %j, naming %s", async (path, spec, parameters) => {
    const { status, body } = await client.call("POST", `/apis/${path}`, { spec });
    expect([status, body.errors.map(({ source }: any) => source.parameter).join(" ")]).toEqual([
      400,
      parameters,
    ]);
  });
});

describe("§3: the envelope", () => {
  it("ignores what the path decides, most of metadata and unknown keys", async () => {
    const made = await client.make(`${V1}/environments`, {
      group: "nonsense",
      apiVersion: "v9",
      kind: "Nonsense",
      name: "liar",
      unknown: 1,
      metadata: { id: "mine", selfLink: "/mine", state: "DELETING", references: [{ id: 1 }] },
    });
    expect(made).toMatchObject({ group: "management", apiVersion: "v1", kind: "Environment" });
    expect(made.metadata).toMatchObject({
      id: expect.stringMatching(HEX),
      selfLink: "/management/v1/environments/liar",
      references: [],
    });
    expect(made.metadata.state).toBeUndefined();
    expect(made.unknown).toBeUndefined();
  });

  it("keeps an owner as it is told, and takes texts as attributes only", async () => {
    const owner = { type: "team", id: "t", organization: { id: "o" }, user: { id: "u" } };
    const made = await client.make(`${V1}/environments`, { name: "owned", owner });
    expect(made.owner).toEqual(owner);
    const wrong = await client.call("POST", `${V1}/environments`, { attributes: { a: 1 } });
    expect([wrong.status, wrong.body.errors[0].source.parameter]).toEqual([400, "attributes.a"]);
  });

  it("takes names of 253 characters and titles of 350, and no longer ones", async () => {
    const post = async (body: object) => {
      const reply = await client.call("POST", `${V1}/environments`, body);
      return [reply.status, reply.body.errors?.[0].source.parameter];
    };
    expect(await post({ name: "a".repeat(253), title: "t".repeat(350) })).toEqual([201, undefined]);
    expect(await post({ name: "a".repeat(254) })).toEqual([400, "name"]);
    expect(await post({ title: "t".repeat(351) })).toEqual([400, "title"]);
  });

  it.each(["a.", ".a", "a..b", "-a", "a-", "A", "a_b", "a b", "a\n", "é"])(
    "refuses the name %j",
    async (name) => {
      const { status } = await client.call("POST", `${V1}/environments`, { name });
      expect(status).toBe(400);
    },
  );

  it("warns when a hook's webhook is found only outside of where the hook looks", async () => {
    await client.make(`${V1}/${ENV}/webhooks`, { name: "far", spec: { url: "https://a.example" } });
    const spec = { triggers: [trigger], webhooks: ["far"] };
    const warnings = async (place: string, body: object, name = "looks") =>
      (await client.make(`${V1}/${place}resourcehooks`, { name, spec: body })).metadata.warnings;
    expect(await warnings("integrations/scope1/", spec)).toEqual([
      {
        code: "UnresolvedReference",
        detail:
          "Webhook 'far' does not exist where its hook looks; the one in the scope 'Environment/scope0' is called instead",
      },
    ]);
    const near = [{ ...trigger, scope: { kind: "Environment", name: "scope0" } }];
    const told = await warnings("integrations/scope1/", { ...spec, triggers: near }, "near");
    expect(told).toBeUndefined();
    expect(await warnings(`${ENV}/`, spec)).toBeUndefined();
    expect(await warnings("", spec)).toBeUndefined();
  });

  it("warns in the reply to a write only", async () => {
    const spec = { triggers: [trigger], webhooks: ["nobody"] };
    const made = await client.make(`${V1}/resourcehooks`, { name: "warned", spec });
    expect(made.metadata.warnings).toEqual([
      { code: "UnresolvedReference", detail: "Webhook 'nobody' does not exist" },
    ]);
    const { body } = await get(`${V1}/resourcehooks/warned`);
    expect(body.metadata.warnings).toBeUndefined();
    const again = await client.call(
      "PUT",
      `${V1}/resourcehooks/warned`,
      { spec },
      { "x-tributary-if-changed": "true" },
    );
    expect(again.headers.get("x-tributary-unchanged")).toBe("true");
    expect(again.body.metadata.warnings).toEqual(made.metadata.warnings);
    await client.call("DELETE", `${V1}/resourcehooks/warned`);
  });
});

describe("§4: lists", () => {
  it("are oldest first, twenty a page, sorted by each of four fields both ways", async () => {
    const own = await freshClient();
    const order = ["c", "a", "b"];
    const path = `${V1}/environments`;
    for (const [index, name] of order.entries())
      await own.make(path, { name, title: ["Y", "Z", "X"][index] });
    await own.call("PUT", `${path}/c`, { title: "Y" });
    const sorted = async (sort: string) =>
      names(await own.call("GET", `${path}?sort=${sort}`)).join("");
    expect(await sorted("")).toBe("cab");
    for (const [field, wanted] of [
      ["name", "abc"],
      ["title", "bca"],
      ["metadata.audit.createTimestamp", "cab"],
      ["metadata.audit.modifyTimestamp", "abc"],
    ] as const) {
      expect([field, await sorted(`${field},ASC`)]).toEqual([field, wanted]);
      expect([field, await sorted(`${field},DESC`)]).toEqual([
        field,
        wanted.split("").toReversed().join(""),
      ]);
    }
    for (let index = 0; index < 20; index += 1) await own.make(path, { name: `n${index}` });
    const { body, headers } = await own.call("GET", path);
    expect([body.length, headers.get("x-axway-total-count")]).toEqual([20, "23"]);
    expect(headers.get("link")?.split(", ")).toEqual([
      '</apis/management/v1/environments?pageSize=20&page=2>; rel="next"',
      '</apis/management/v1/environments?pageSize=20&page=1>; rel="self"',
      '</apis/management/v1/environments?pageSize=20&page=1>; rel="first"',
      '</apis/management/v1/environments?pageSize=20&page=2>; rel="last"',
    ]);
    for (const count of ["all", "accessible"]) {
      const head = await own.call("HEAD", `${path}?count=${count}`);
      expect(head.headers.get("x-axway-total-count")).toBe("23");
    }
  });

  it("and items give the fields asked for, by column paths too; expand and language are ignored", async () => {
    const fields = "fields=name,.owner.id,metadata.scope.name,nonsense";
    const path = `${V1}/${ENV}/apiservices`;
    const owner = { type: "team", id: "t" };
    const wanted = { name: "few", owner: { id: "t" }, metadata: { scope: { name: "scope0" } } };
    const made = await client.call("POST", `${path}?${fields}`, { name: "few", owner });
    expect([made.status, made.body]).toEqual([201, wanted]);
    const put = await client.call("PUT", `${path}/few?${fields}`, {});
    expect(put.body).toEqual(wanted);
    const patched = await client.call("PATCH", `${path}/few?${fields}`, [], {
      "content-type": "application/json-patch+json",
    });
    expect(patched.body).toEqual(wanted);
    expect((await get(`${path}/few?${fields}&expand=x&resourceLanguageCode=de`)).body).toEqual(
      wanted,
    );
    expect((await get(`${path}?${fields}&query=name==few`)).body).toEqual([wanted]);
  });

  it("embed who refers to a resource, and refuse to embed anything else", async () => {
    const path = `${V1}/${ENV}/apiservices/svc`;
    const { body } = await get(`${path}?embed=metadata.referencedByResources&fields=name`);
    const { referencedByResources } = body._embedded.metadata;
    expect(referencedByResources.map(({ name }: any) => name)).toContain("rev");
    expect((await get(`${path}?embed=metadata.nonsense`)).status).toBe(400);
    const made = await client.call("POST", `${V1}/environments?embed=nonsense`, { name: "early" });
    expect(made.body.errors[0].source.parameter).toBe("embed");
    expect((await get(`${V1}/environments/early`)).status).toBe(404);
    const many = await get(`${V1}/environments?embed=metadata.references&pageSize=101`);
    expect([many.status, many.body.errors[0].source.parameter]).toEqual([400, "pageSize"]);
  });
});

describe("§5: writes", () => {
  it("emit in the version of the causing request", async () => {
    await client.make("/apis/management/v1alpha1/environments", { name: "alpha" });
    await client.call("PUT", `${V1}/environments/alpha`, {});
    const [created, updated] = (await logOf(client)).slice(-2);
    expect(
      [created, updated].map(({ payload }) => [payload.apiVersion, payload.metadata.selfLink]),
    ).toEqual([
      ["v1alpha1", "/management/v1alpha1/environments/alpha"],
      ["v1", "/management/v1/environments/alpha"],
    ]);
  });

  it("tell of a soft reference that was emptied, and remember whole references", async () => {
    const scope = `${V1}/${INT}`;
    await client.make(`${scope}/secrets`, { name: "gone", spec: { data: { k: "v" } } });
    const auth = { secret: { name: "gone", key: "k" } };
    const webhook = await client.make(`${scope}/webhooks`, {
      name: "user",
      spec: { url: "http://127.0.0.1:9/", auth },
    });
    const [reference] = webhook.metadata.references;
    expect(reference).toEqual({
      id: expect.stringMatching(HEX),
      group: "management",
      kind: "Secret",
      name: "gone",
      scopeKind: "Integration",
      scopeName: "scope1",
      selfLink: "/management/v1/integrations/scope1/secrets/gone",
      type: "soft",
    });
    await client.call("DELETE", `${scope}/secrets/gone`);
    const told = (await logOf(client)).slice(-2);
    expect(told.map(({ type, payload }) => `${type} ${payload.name}`)).toEqual([
      "ResourceUpdated user",
      "ResourceDeleted gone",
    ]);
    expect(told[0].payload.metadata.deletedReferences).toEqual([reference]);
  });

  it("to what is dying are told so again, and end it when forced", async () => {
    const path = `${V1}/environments/dying`;
    await client.make(`${V1}/environments`, { name: "dying", finalizers: [{ name: "f" }] });
    for (let time = 0; time < 2; time += 1) {
      const { status, body } = await client.call("DELETE", path);
      expect([status, body.metadata.state]).toEqual([202, "DELETING"]);
    }
    expect((await get(path)).body.metadata.state).toBe("DELETING");
    expect((await client.call("DELETE", `${path}?forceDelete=true`)).status).toBe(204);
    expect((await get(path)).status).toBe(404);
    const types = (await logOf(client))
      .filter(({ payload }) => payload.name === "dying")
      .map(({ type }) => type);
    expect(types).toEqual(["ResourceCreated", "ResourceUpdated", "ResourceDeleted"]);
  });
});

describe("§6: errors", () => {
  it.each([
    ["GET", `${V1}/environments/tomato`, 404, "Not found error"],
    ["GET", `${V1}/nonsense`, 404, "Not found error"],
    ["GET", "/events/management/v1/nonsense", 404, "Not found error"],
    ["GET", "/events/management/v1/watchtopics/none", 404, "Not found error"],
    ["POST", "/events/management/v1/watchtopics/none", 405, "Method not allowed"],
    ["GET", "/apis/definitions/v1alpha1/groups/nonsense/resources", 404, "Not found error"],
  ])("%s %s is answered %s in the reference's body", async (method, path, status, title) => {
    const { body, headers, ...reply } = await client.call(method, path);
    expect(reply.status).toBe(status);
    expect(headers.get("content-type")).toMatch(/^application\/json/);
    expect(body.errors).toEqual([
      { status, title, detail: expect.any(String), meta: expect.any(Object) },
    ]);
    if (path.endsWith("tomato"))
      expect(body.errors[0].detail).toBe("Resource tomato not found in group management");
  });

  it("asks for a key on the log and on discovery as well", async () => {
    for (const path of ["/events/management/v1/watchtopics/t", "/apis/definitions/v1alpha1/groups"])
      expect((await client.call("GET", path, undefined, { authorization: "" })).status).toBe(401);
  });
});

describe("§7: discovery", () => {
  it("knows the short names of the reference, and none of unscoped Webhooks, Secrets and hooks", async () => {
    const { body } = await get(
      "/apis/definitions/v1alpha1/groups/management/commandlines?pageSize=50",
    );
    const short = (kind: string) =>
      body
        .filter(({ spec }: any) => spec.names.singular === kind)
        .map(({ spec }: any) => spec.names.shortNames.join(" "));
    expect(short("environment")).toEqual(["env envs"]);
    expect(short("integration")[0].split(" ").toSorted()).toEqual(["integ", "integr"]);
    expect(short("webhook").map((text: string) => text.split(" ").toSorted())).toEqual([
      ["webh", "wh"],
      ["webh", "wh"],
    ]);
    expect(short("watchtopic")).toEqual(["wt wts"]);
    expect(short("apiservice")).toEqual(["apis apisvc"]);
    expect(short("secret")).toEqual(["secret", "secret"]);
    for (const kind of ["webhook", "secret", "resourcehook"])
      expect(short(`unscoped${kind}`)).toEqual([""]);
  });

  it("shows the columns of the reference, those of the scope for scoped kinds only", async () => {
    const { body } = await get(
      "/apis/definitions/v1alpha1/groups/management/commandlines?pageSize=50",
    );
    const columns = (wanted: string) =>
      body
        .find(({ name }: any) => name === wanted)
        .spec.columns.map(({ name, type, jsonPath }: any) => `${name} ${type} ${jsonPath}`);
    const common = [
      "Name string .name",
      "Age date .metadata.audit.createTimestamp",
      "Title string .title",
      "Resource Kind string .kind",
      "Resource Group string .group",
      "Owner teamGuid .owner.id",
    ];
    expect(columns("environment").toSorted()).toEqual(common.toSorted());
    expect(columns("apiservice").toSorted()).toEqual(
      [
        ...common,
        "Scope Kind string .metadata.scope.kind",
        "Scope Name string .metadata.scope.name",
      ].toSorted(),
    );
  });
});

describe("§10: invocations", () => {
  it("carry the webhook's own Content-Type and the secret in the header it names; one id for all webhooks", async () => {
    const own = await freshClient();
    await own.make(`${V1}/secrets`, { name: "s", spec: { data: { k: "Basic abc" } } });
    const webhook = (name: string, more: object) =>
      own.make(`${V1}/webhooks`, {
        name,
        spec: { url: `http://127.0.0.1:9/${own.organizationId}/${name}`, ...more },
      });
    const secret = { name: "s", key: "k" };
    await webhook("plain", { auth: { secret } });
    await webhook("named", {
      headers: { "content-type": "application/vnd.own+json", "x-key": "lost" },
      auth: { secret, location: { in: "header", name: "X-Key" } },
    });
    await own.make(`${V1}/resourcehooks`, {
      name: "h",
      spec: { triggers: [{ ...trigger, kind: "Environment" }], webhooks: ["plain", "named"] },
    });
    await own.make(`${V1}/environments`, { name: "e" });
    const mine = () => posts.filter(({ url }) => url.includes(`/${own.organizationId}/`));
    await expect.poll(mine).toHaveLength(2);
    const sent = (name: string) => {
      const post = mine().find(({ url }) => url.endsWith(name));
      return ["content-type", "authorization", "x-key"].map((header) => post?.headers.get(header));
    };
    expect(sent("plain")).toEqual(["application/json", "Basic abc", null]);
    expect(sent("named")).toEqual(["application/vnd.own+json", null, "Basic abc"]);
    expect(new Set(mine().map(({ text }) => text)).size).toBe(1);
    const refused = await own.call("POST", `${V1}/webhooks`, {
      spec: { url: "https://example.com", headers: { Connection: "close" } },
    });
    expect(refused.body.errors[0].source.parameter).toBe("spec.headers.Connection");
  });
});
