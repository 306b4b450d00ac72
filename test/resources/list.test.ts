import { deflateRawSync } from "node:zlib";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { listStatements, type Statement } from "../../src/resources/list";
import { kindNamed } from "../../src/resources/kinds/registry";
import { cases } from "../cases";
import { type Client, freshClient, V1 } from "./build";

let client: Client;

beforeAll(async () => {
  client = await freshClient();
  await client.make(`${V1}/environments`, {
    name: "env1.1",
    title: "Alpha",
    tags: ["test", "prod"],
    attributes: { attr: "val" },
  });
  await client.make(`${V1}/environments`, { name: "env2.1", title: "Beta one", tags: ["Test"] });
  await client.make(`${V1}/environments/env1.1/apiservices`, { name: "svc", title: "Service" });
  await client.make(`${V1}/environments/env1.1/apiservicerevisions`, {
    name: "rev",
    spec: { apiService: "svc", definition: { type: "oas3" } },
  });
});

const names = async (query: string, path = `${V1}/environments`, more = "") => {
  const reply = await client.call("GET", `${path}?query=${encodeURIComponent(query)}${more}`);
  return reply.status === 200 ? reply.body.map(({ name }: any) => name) : reply.body;
};

const E1 = ["env1.1"];
const E2 = ["env2.1"];
const both = ["env1.1", "env2.1"];

describe("RSQL", () => {
  it.each([
    ["name==ENV1*", E1],
    ["name===ENV1*", []],
    ["name==env_.1", both],
    ["title=='*ET*'", E2],
    ["tags==test", both],
    ["tags===test", E1],
    ["tags=out=(prod)", E2],
    ['(tags=="test";attributes.attr=="val")', E1],
    ["owner.id==null", both],
    ["name==env1* or name==env2* and tags===Test", both],
    ["scopedResources.kind===APIService", E1],
    ["metadata.references=with='name===svc;kind===APIService'", []],
    ["name=in=(env1.1,env9)", E1],
    ["name=out=('env1.1')", E2],
    ["name!=env1*", E2],
    ["title!==Alpha", E2],
    ["title=eq=Alpha", E1],
    ["title=neq=Alpha", E2],
    ["title<B", E1],
    ["title=ge=B", E2],
    ["tags!=prod", E2],
    ["attributes.attr!=val", E2],
    ["attributes.none==x", []],
    ["attributes.none!=x", both],
    ["attributes.attr!=null", E1],
    ["metadata.state==null", both],
    ["metadata.resourceVersion==0", both],
    ["metadata.resourceVersion>0", []],
    ["metadata.audit.createTimestamp>1", both],
    ["metadata.audit.createTimestamp=lt=2020-09-04T22:41:30.892+0000", []],
    ["scopedResources.metadata.references.id!=null", E1],
    ["title==*lph* and not==1", undefined],
    [`title=='${"*".repeat(60)}lpha'`, E1],
    [`title=='Alp${"x".repeat(60)}*'`, []],
  ])("%s", async (query, expected) => {
    const found = await names(query);
    if (expected === undefined) expect(found.errors[0].status).toBe(400);
    else expect(found).toEqual(expected);
  });

  it.each([
    ["metadata.references=with='name===svc;kind===APIService'", ["rev"]],
    ["metadata.references=without='kind===APIService'", []],
    ["metadata.references.name==SVC", ["rev"]],
    ["spec.definition.type==oas3", ["rev"]],
    ["metadata.scope.name==env1.1", ["rev"]],
    ["metadata.scope.name==env1.1;name==rev", ["rev"]],
    ["metadata.scope.kind==Environment", ["rev"]],
    ["scopeResource.title==Alpha", ["rev"]],
    ["scopeResource.tags==nothing", []],
    ["metadata.scope.owner.id==null", ["rev"]],
    ["name==r*", ["rev"]],
    ["name===rev", ["rev"]],
  ])("%s of revisions in all scopes", async (query, expected) => {
    expect(await names(query, `${V1}/apiservicerevisions`)).toEqual(expected);
  });

  it("finds what is referred to", async () => {
    const path = `${V1}/environments/env1.1/apiservices`;
    expect(await names("referencedByResources.name==rev", path)).toEqual(["svc"]);
    expect(await names("referencedByResources.name==other", path)).toEqual([]);
  });

  it("refuses an unknown property, naming all that are known", async () => {
    const { errors } = await names("environment==x");
    expect(errors[0]).toMatchObject({
      status: 400,
      title: "Validation error",
      detail: expect.stringMatching(
        /^Invalid 'query' parameter '\[environment\]'\. Supported: \[title, tags, name, /,
      ),
    });
  });

  it("says where a query can't be read", async () => {
    const { errors } = await names("name==");
    expect(errors[0].detail).toContain("Expected a value at position 7, found the end");
  });

  it("folds letters of every alphabet, and matches one exactly where it is told to", async () => {
    const path = `${V1}/integrations`;
    const all = "Съешь же ещё этих мягких французских булок да выпей чаю";
    for (const [name, title] of [
      ["a", "Ärger im Ölfaß"],
      ["b", "ΟΔΟΣ"],
      ["c", all],
      ["d", "ﬁ Kelvin ı"],
    ] as const)
      await client.make(path, { name, title, tags: [title] });
    const found = (query: string) => names(query, path);
    expect(await found("title=='äRGER IM öLFAß'")).toEqual(["a"]);
    expect(await found("title=='ÄRG*Ölfaß'")).toEqual(["a"]);
    expect(await found("title==*ÖLFA_")).toEqual(["a"]);
    expect(await found("title!=ärger*")).toEqual(["b", "c", "d"]);
    expect(await found("tags==οδος")).toEqual(["b"]);
    expect(await found("title===οδος")).toEqual([]);
    expect(await found(`title=='${all.toUpperCase()}'`)).toEqual(["c"]);
    expect(await found(`tags=='*ФРАНЦУЗСКИХ БУЛОК ДА ВЫПЕЙ ЧАЮ'`)).toEqual(["c"]);
    expect(await found("title=='ﬁ kELVIN ı'")).toEqual(["d"]);
    expect(await found(`title=='${"х".repeat(30)}*'`)).toEqual([]);
  });

  it.each<[string, string[]]>([
    ["title=='lit a\\_b'", ["_"]],
    ["title=='lit a_b'", ["_", "*", "bs", "pc", "x"]],
    ["title=='lit a\\*b'", ["*"]],
    ["title=='lit a*b'", ["_", "*", "bs", "pc", "x", "xx"]],
    ['title=="LIT A\\_B"', ["_"]],
    ["title=='lit a\\\\b'", ["bs"]],
    ["title=='lit a\\\\_'", ["bs"]],
    ["title=='lit a%b'", ["pc"]],
    ["title=='*\\_*'", ["_"]],
    ["title=='*\\*b'", ["*"]],
    ["title=='lit a\\_b*'", ["_"]],
    ["title!='lit a\\_b';title=='lit a_b'", ["*", "bs", "pc", "x"]],
    ["title==='lit a_b'", ["_"]],
    ["title==='lit a*b'", ["*"]],
    ["title=in=('lit a_b','lit a*b')", ["_", "*"]],
    ["tags==t\\_1", ["_"]],
    ["tags==t_1", ["_", "*"]],
    ["tags==t\\*1", []],
    [`title=='lit a\\_${"x".repeat(60)}*'`, []],
    [`title=='*${"x".repeat(60)}\\*'`, []],
    ["name=='lit-n\\_*'", []],
  ])("takes an escaped wildcard for itself: %s", async (query, expected) => {
    const path = `${V1}/integrations`;
    const titles = { _: "a_b", "*": "a*b", bs: "a\\b", pc: "a%b", x: "axb", xx: "axxb" };
    const nameOf = (sign: string) => `lit-n${Object.keys(titles).indexOf(sign)}`;
    for (const [sign, title] of Object.entries(titles)) {
      const tag = sign === "_" ? "t_1" : sign === "*" ? "tx1" : "other";
      const given = { name: nameOf(sign), title: `lit ${title}`, tags: [tag] };
      await client.call("POST", path, given);
    }
    const found = await names(query, path);
    const own = Array.isArray(found) ? found.filter((name) => name.startsWith("lit-n")) : found;
    expect(own).toEqual(expected.map(nameOf));
  });

  it("keeps the parts of a long pattern apart", async () => {
    const path = `${V1}/watchtopics`;
    const long = "x".repeat(50);
    await client.make(path, { name: "t", title: `a1${long}`, spec: { filters: [] } });
    expect(await names(`title=='a*${long}*'`, path)).toEqual(["t"]);
    expect(await names(`title=='a*1${long}*x'`, path)).toEqual([]);
  });

  it("takes any text in any parameter without a failure or another tenant's row", async () => {
    const stranger = await freshClient();
    const word = fc.constantFrom(
      ..."name title tags metadata.references owner.id == === != =in= =with= ( ) ; , ' \" * _ null \\ % or and x".split(
        " ",
      ),
    );
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(word).map((words) => words.join("")),
      fc.array(word).map((words) => words.join(" ")),
    );
    const parameter = fc.constantFrom("query", "sort", "fields", "embed", "page", "pageSize");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(parameter, texts), { maxLength: 4 }), async (given) => {
        const search = new URLSearchParams(given);
        const { status, body } = await stranger.call(
          "GET",
          `${V1}/environments?${search.toString()}`,
        );
        expect([200, 400]).toContain(status);
        if (status === 200) expect(body).toEqual([]);
      }),
      { numRuns: cases(100, 2_000) },
    );
  });

  it("answers every query of its grammar with the tenant's own rows, and the negation with all others", async () => {
    const neighbour = await freshClient();
    for (const one of [client, neighbour]) {
      await one.make("/apis/catalog/v1/assets", {
        name: "twin",
        title: "Twin",
        tags: ["test", "Ä"],
        attributes: { attr: "val" },
        spec: { type: "API" },
      });
      await one.make("/apis/catalog/v1/assets", { name: "plain", spec: { type: "other" } });
    }
    const property = fc.constantFrom(
      ..."name title tags attributes.attr owner.id metadata.id metadata.state metadata.scope.kind metadata.scope.name metadata.scope.id metadata.scope.owner.id metadata.references.id metadata.references.kind metadata.deletedReferences.name spec.type state referencedByResources.name scopedResources.kind".split(
        " ",
      ),
    );
    const value = fc.oneof(
      fc.constantFrom(
        "twin",
        "TWIN",
        "t*",
        "'t_in'",
        "*",
        "null",
        "'null'",
        "val",
        "'Ä'",
        "ä",
        "API",
      ),
      fc.string({ minLength: 1 }).map((text) => `'${text.replaceAll(/['\\]/g, "\\$&")}'`),
    );
    const test = fc.oneof(
      fc
        .tuple(property, fc.constantFrom("==", "===", "=eq=", "<", "=le=", ">", "=ge="), value)
        .map((parts) => parts.join("")),
      fc
        .tuple(property, fc.array(value, { minLength: 1 }))
        .map(([p, vs]) => `${p}=in=(${vs.join()})`),
    );
    const { query } = fc.letrec<{ query: string }>((tie) => ({
      query: fc.oneof(
        { maxDepth: 3 },
        test,
        fc
          .tuple(tie("query"), fc.constantFrom(";", ",", " and ", " or "), tie("query"))
          .map(([left, sign, right]) => `(${left}${sign}${right})`),
      ),
    }));
    const ask = async (who: Client, text: string) => {
      const path = `/apis/catalog/v1/assets?query=${encodeURIComponent(text)}`;
      const { status, body, headers } = await who.call("GET", path);
      if (status === 400)
        expect(body.errors[0].detail).toMatch(/more than 80 values|longer than 50 bytes/);
      else expect(status).toBe(200);
      return status === 200
        ? { body, total: Number(headers.get("x-axway-total-count")) }
        : undefined;
    };
    const mine = (await ask(client, "name==*"))?.body.map(({ metadata }: any) => metadata.id);
    expect(mine).toHaveLength(2);
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        const found = await ask(client, text);
        if (found === undefined) return;
        for (const { metadata } of found.body) expect(mine).toContain(metadata.id);
        expect(found.total).toBe(found.body.length);
      }),
      { numRuns: cases(100, 2_000) },
    );
    const negations = { "==": "!=", "===": "!==", "=eq=": "=neq=", "=in=": "=out=" } as const;
    await fc.assert(
      fc.asyncProperty(
        property,
        fc.constantFrom(...(Object.keys(negations) as (keyof typeof negations)[])),
        value,
        async (name, sign, text) => {
          const right = sign === "=in=" ? `(${text})` : text;
          const [yes, no] = await Promise.all([
            ask(client, `${name}${sign}${right}`),
            ask(client, `${name}${negations[sign]}${right}`),
          ]);
          if (yes !== undefined && no !== undefined) expect(yes.total + no.total).toBe(2);
        },
      ),
      { numRuns: cases(60, 1_000) },
    );
  });
});

describe("pages", () => {
  it("carries both headers, follows next, and ends short", async () => {
    const first = await client.call("GET", `${V1}/environments?pageSize=1&sort=name,DESC`);
    expect(first.body.map(({ name }: any) => name)).toEqual(E2);
    expect(first.headers.get("x-axway-total-count")).toBe("2");
    expect(first.status).toBe(200);
    const link = first.headers.get("link") ?? "";
    expect(link).toContain('rel="first"');
    const next = /<([^>]+)>; rel="next"/.exec(link)?.[1] ?? "";
    const second = await client.call("GET", next);
    expect(second.body.map(({ name }: any) => name)).toEqual(E1);
    expect(second.headers.get("link")).not.toContain('rel="next"');
    const beyond = await client.call("GET", `${V1}/environments?page=9`);
    expect([beyond.body, beyond.headers.get("x-axway-total-count")]).toEqual([[], "2"]);
  });

  it("counts on HEAD", async () => {
    const head = await client.call("HEAD", `${V1}/environments?query=name==env1*`);
    expect([head.status, head.text, head.headers.get("x-axway-total-count")]).toEqual([
      200,
      "",
      "1",
    ]);
    expect((await client.call("HEAD", `${V1}/environments?count=nonsense`)).status).toBe(400);
  });

  it.each(["pageSize=1001", "pageSize=0", "page=0", "page=x", "sort=tags", "sort=name,UP"])(
    "refuses %s",
    async (parameter) => {
      expect((await client.call("GET", `${V1}/environments?${parameter}`)).status).toBe(400);
    },
  );

  it("have links that fit into every client's headers, however long the query", async () => {
    const names = Array.from({ length: 120 }, () => crypto.randomUUID());
    const query = encodeURIComponent(`name=in=(${[...names, "env1.1", "env2.1"].join(",")})`);
    const first = await client.call("GET", `${V1}/environments?pageSize=1&query=${query}`);
    expect(first.status).toBe(200);
    const link = first.headers.get("link") ?? "";
    expect(link.length).toBeLessThan(4_096);
    const next = /<([^>]*)>; rel="next"/.exec(link)?.[1] ?? "";
    const second = await client.call("GET", next);
    expect(second.status).toBe(200);
    const both = [...first.body, ...second.body].map(({ name }: any) => name);
    expect(new Set(both)).toEqual(new Set(["env1.1", "env2.1"]));
    expect(second.headers.get("x-axway-total-count")).toBe("2");
  });

  it.each([
    `${V1}/environments?pageSize=1&fields=${"name,".repeat(3_000)}`,
    `/apis/definitions/v1alpha1/groups?pageSize=1&anything=${"x".repeat(14_000)}`,
  ])("have no links where even one would not fit", async (path) => {
    const { status, headers } = await client.call("GET", path);
    expect(status).toBe(200);
    expect((headers.get("link") ?? "").length).toBeLessThan(4_096);
  });

  it.each(["x", "A".repeat(2_000), deflateRawSync("a".repeat(100_000)).toString("base64url")])(
    "refuse a packed query that is none of ours: %s",
    async (packed) => {
      const { status, body } = await client.call("GET", `${V1}/environments?packedQuery=${packed}`);
      expect(status).toBe(400);
      expect(body.errors[0].source.parameter).toBe("packedQuery");
    },
  );

  it("tell when an embed leaves something out", async () => {
    const scope = await client.make(`${V1}/environments`, { name: "crowded" });
    const { id } = scope.metadata;
    const content = JSON.stringify({
      attributes: {},
      tags: [],
      finalizers: [],
      spec: {},
      sub: {},
      references: [],
      deletedReferences: [],
      scopeId: id,
    });
    await env.DB.prepare(
      `INSERT INTO resources (organization_id, kind, scope, name, id, title, version, seq, created_at,
         created_by, modified_at, modified_by, content)
       SELECT ?1, 'APIService', 'Environment/crowded', 's' || value, 'id' || value, 't', 0,
         1000000 + value, 0, '', 0, '', ?2
       FROM json_each(?3)`,
    )
      .bind(client.organizationId, content, JSON.stringify(Array.from(Array(1_001).keys())))
      .run();
    const path = `${V1}/environments/crowded?embed=metadata.scopedResources&fields=name`;
    const { body } = await client.call("GET", path);
    expect(body._embedded.metadata.scopedResources).toHaveLength(1_000);
    expect(body._embedded.warnings).toEqual([
      {
        code: "embed-incomplete",
        detail: expect.stringMatching(/^metadata\.scopedResources: Only the first 1000 are shown/),
      },
    ]);
  });

  it.each(["was never there", "went away unnoticed"])(
    "tell that an embed leaves out what %s",
    async (how) => {
      const scope = how.startsWith("was") ? "never" : "unnoticed";
      await client.make(`${V1}/environments`, { name: scope });
      const path = `${V1}/environments/${scope}`;
      const secret = { name: "lost", spec: { data: { key: "value" } } };
      if (scope === "unnoticed") await client.make(`${path}/secrets`, secret);
      const auth = { secret: { name: "lost", key: "key" } };
      const spec = { url: "https://app.example/hook", auth };
      await client.make(`${path}/webhooks`, { name: "hook", spec });
      await env.DB.prepare(
        "DELETE FROM resources WHERE organization_id = ? AND kind = 'Secret' AND scope = ?",
      )
        .bind(client.organizationId, `Environment/${scope}`)
        .run();
      const query = "embed=metadata.references&fields=name";
      const { body } = await client.call("GET", `${path}/webhooks/hook?${query}`);
      expect(body._embedded).toEqual({
        metadata: { references: [] },
        warnings: [
          {
            code: "embed-incomplete",
            detail: `metadata.references: Secret 'lost' does not exist in the scope 'Environment/${scope}'`,
          },
        ],
      });
    },
  );

  it("selects fields and embeds what is asked for", async () => {
    const { body } = await client.call(
      "GET",
      `${V1}/environments?fields=name,metadata.resourceVersion,nonsense&embed=metadata.scopedResources,metadata.accessRights&query=name==env1*`,
    );
    expect(body).toEqual([
      {
        name: "env1.1",
        metadata: { resourceVersion: "0" },
        _embedded: {
          metadata: {
            scopedResources: [
              expect.objectContaining({ name: "rev" }),
              expect.objectContaining({ name: "svc" }),
            ],
            accessRights: { canChangeOwner: true, canDelete: true, canWrite: true, canRead: true },
          },
        },
      },
    ]);
    const item = await client.call(
      "GET",
      `${V1}/environments/env1.1/apiservicerevisions/rev?embed=metadata.references&fields=kind`,
    );
    expect(item.body._embedded.metadata.references).toMatchObject([{ kind: "APIService" }]);
  });
});

describe("indexes", () => {
  const plan = async ({ sql, values }: Statement): Promise<string> => {
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...values)
      .all<{ detail: string }>();
    return results.map(({ detail }) => detail).join("\n");
  };
  const listed = (scope: string, query: Record<string, string>) =>
    listStatements(
      1,
      kindNamed("APIService"),
      scope === "all" ? "all" : { kind: "Environment", name: scope },
      query,
      { page: 2, pageSize: 20 },
    );

  it.each([
    ["all", {}, "resources_kind (organization_id=? AND kind=?)"],
    ["e", {}, "resources_scope (organization_id=? AND kind=? AND scope=?)"],
    [
      "e",
      { query: "tags==x", sort: "name,ASC" },
      "PRIMARY KEY (organization_id=? AND kind=? AND scope=?)",
    ],
    [
      "e",
      { query: "name==svc*" },
      "PRIMARY KEY (organization_id=? AND kind=? AND scope=? AND name>? AND name<?)",
    ],
    [
      "all",
      { query: "name==svc*" },
      "PRIMARY KEY (organization_id=? AND kind=? AND scope=? AND name>? AND name<?)",
    ],
    [
      "all",
      { query: "metadata.scope.name==e" },
      "resources_scope (organization_id=? AND kind=? AND scope=?)",
    ],
  ])("a list of %s by %j walks %s", async (scope, query, index) => {
    const steps = await plan(listed(scope, query).rows);
    expect(steps).toContain(
      `SEARCH r USING ${index.startsWith("PRIMARY") ? "" : "INDEX "}${index}`,
    );
    expect(steps).not.toContain("SCAN r");
  });

  it("keeps both tables without a rowid: a change writes at most four rows", async () => {
    const { results } = await env.DB.prepare(
      "SELECT sql FROM sqlite_master WHERE name IN ('resources', 'resource_changes')",
    ).all<{ sql: string }>();
    expect(results.map(({ sql }) => sql.endsWith("WITHOUT ROWID"))).toEqual([true, true]);
  });
});
