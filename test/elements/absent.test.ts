import { beforeAll, describe, expect, it } from "vitest";
import { call, create, createOrganizations, draft } from "./build";
import { ownOrganization } from "../organization";

beforeAll(createOrganizations);

describe("an empty parameter of oauth/url", () => {
  const OAUTH = ["sfdc", "hubspot", "quickbooks", "box", "dropbox"];
  const client = { apiKey: "k", apiSecret: "s", callbackUrl: "https://app.example/cb" };
  it.each(OAUTH)("is an absent one: %s", async (key) => {
    const path = `/elements/${key}/oauth/url`;
    const site = key === "sfdc" ? { siteAddress: "" } : {};
    const urlOf = async (more: Record<string, string>) => {
      const query = new URLSearchParams({ ...client, ...more }).toString();
      const { status, body } = await call("GET", `${path}?${query}`);
      expect(status).toBe(200);
      const url = new URL(body.oauthUrl);
      return [url.searchParams.get("scope"), url.searchParams.get("state")];
    };
    const plain = await urlOf({});
    expect(await urlOf({ scope: "", state: "", ...site })).toEqual(plain);
    expect((await urlOf({ scope: "one two" }))[0]).toBe("one two");
    const posted = await call("POST", path, { ...client, scope: "" });
    expect(new URL(posted.body.oauthUrl).searchParams.get("scope")).toBe(plain[0]);
  });

  it("is missing where one is needed", async () => {
    const { status } = await call("GET", "/elements/box/oauth/url?apiKey=&callbackUrl=x");
    expect(status).toBe(400);
  });
});

describe("tags", () => {
  it("are the name where an instance is made without any", async () => {
    for (const tags of [undefined, []]) {
      const { body } = await call("POST", "/instances", draft({}, { name: "Docs", tags }));
      expect(body.tags).toEqual(["Docs"]);
      const cleared = await call("PUT", `/instances/${body.id}`, { tags: [] });
      expect(cleared.body.tags).toEqual([]);
    }
    expect((await create({}, { tags: ["a"] })).tags).toEqual(["a"]);
    const unnamed = await create({}, { name: undefined, tags: undefined });
    expect(unnamed.tags).toEqual([unnamed.name]);
  });
});

describe("GET /instances/count", () => {
  it("counts all, and those of an element", async () => {
    const { authorization } = await ownOrganization();
    const count = async (query: string) =>
      (await call("GET", `/instances/count${query}`, undefined, authorization)).body;
    await create({}, {}, authorization);
    await create({}, {}, authorization);
    const box = { element: { key: "box" }, configuration: {} };
    expect((await call("POST", "/instances", box, authorization)).status).toBe(200);
    expect(await count("")).toEqual({ totalInstances: 3, elementInstances: 3 });
    expect(await count("?elementKey=sandbox")).toEqual({ totalInstances: 3, elementInstances: 2 });
    expect(await count("?elementKey=box")).toEqual({ totalInstances: 3, elementInstances: 1 });
    expect(await count("?elementKey=sfdc")).toEqual({ totalInstances: 3, elementInstances: 0 });
  });
});
