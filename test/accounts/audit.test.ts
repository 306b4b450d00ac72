import { beforeAll, describe, expect, it } from "vitest";
import { step, trigger } from "../flows/build";
import { freshClient, V1 } from "../resources/build";
import { call, callV1, draft } from "../elements/build";
import { ownOrganization } from "../organization";
import { API_KEY, ask, foundation, newUser, signUp } from "./ask";
import { connector } from "./things";

beforeAll(foundation);

describe("the audit log", () => {
  it("holds who changed where resources' changes go, and with what secret; nothing of other resources", async () => {
    const client = await freshClient();
    const secret = await client.make(`${V1}/secrets`, { name: "s", spec: { data: { k: "v3ry" } } });
    await client.make(`${V1}/webhooks`, {
      name: "w",
      spec: { url: "http://127.0.0.1:9/audited-w" },
    });
    await client.make(`${V1}/environments`, { name: "e" });
    await client.call("POST", `${V1}/webhooks`, { name: "w", spec: { url: "no URL" } });
    await client.call("PUT", `${V1}/webhooks/w`, {
      name: "w",
      title: "W",
      spec: { url: "http://127.0.0.1:9/audited-other" },
    });
    await client.call("DELETE", `${V1}/webhooks/w`);
    const { items } = (await client.call("GET", "/v1/audit")).body;
    const told = items.map(({ action, target, changes }: any) => [action, target, changes]);
    expect(told.toReversed()).toEqual([
      ["secret.create", "s", ["name", "spec"]],
      ["webhook.create", "w", ["name", "spec"]],
      ["webhook.update", "w", ["name", "title", "spec"]],
      ["webhook.delete", "w", []],
    ]);
    expect(items[0].actor).toMatch(/^key:/);
    expect(secret.name).toBe("s");
  });

  it.each(["poll", "test", "bootstrap", "signing-secret"])(
    "holds changes of a connector whose key is '%s', which a route is called too",
    async (key) => {
      const { authorization } = await ownOrganization();
      const made = await call("POST", "/elements", { ...connector(), key }, authorization);
      expect(made.status).toBe(200);
      await call("GET", `/elements/${key}`, undefined, authorization);
      await call("PUT", `/elements/${key}`, { ...connector(), key }, authorization);
      await call("DELETE", `/elements/${key}`, undefined, authorization);
      const { items } = (await callV1("GET", "/audit", authorization)).body;
      expect(
        items.map(({ action, target, route }: any) => [action, target, route]).toReversed(),
      ).toEqual([
        ["connector.create", key, "POST /elements/api-v2/elements"],
        ["connector.update", key, "PUT /elements/api-v2/elements/:element"],
        ["connector.delete", key, "DELETE /elements/api-v2/elements/:element"],
      ]);
    },
  );

  it("tells from what address a change came", async () => {
    const { authorization } = await ownOrganization();
    const headers = { authorization, "cf-connecting-ip": "203.0.113.7" };
    await ask("POST", "/v1/keys", { headers, body: { name: "k", scopes: ["read"] } });
    await callV1("POST", "/keys", authorization, { name: "k", scopes: ["read"] });
    const { items } = (await callV1("GET", "/audit", authorization)).body;
    expect(items.map(({ address }: any) => address)).toEqual([null, "203.0.113.7"]);
  });

  it("holds a flow's start though the flow is called components", async () => {
    const { token } = await signUp();
    const { id } = (await ask("GET", "/user", { token })).body;
    const path = `/flows/components`;
    await ask("PUT", path, { token, body: { name: "F", flow: { T: trigger("x"), P: step() } } });
    await ask("POST", `${path}/coordinator`, { token, body: { command: "start" } });
    await ask("DELETE", path, { token });
    const { items } = (await ask("GET", `/v1/audit?actor=user:${id}`, { token: API_KEY })).body;
    expect(items.map(({ action }: any) => action).toReversed()).toEqual([
      "user.create",
      "flow.update",
      "flow.command",
      "flow.delete",
    ]);
  });

  it("holds what users did to their flows, not what ran through them", async () => {
    const { token } = await signUp();
    const { id } = (await ask("GET", "/user", { token })).body;
    const flow = { T: trigger("audited"), P: step({ url: "http://127.0.0.1:9/audited" }) };
    const { flowId } = (await ask("POST", "/flows", { token, body: { name: "F", flow } })).body;
    const coordinator = `/flows/${flowId}/coordinator`;
    await ask("POST", coordinator, { token, body: { command: "start" } });
    await ask("POST", "/plugins/appmixer/utils/appevents/events/audited", { token, body: {} });
    await ask("POST", `/flows/${flowId}/components/T`, { token, body: {} });
    await ask("POST", coordinator, { token, body: { command: "stop" } });
    await ask("DELETE", `/flows/${flowId}`, { token });
    const { items } = (await ask("GET", `/v1/audit?actor=user:${id}`, { token: API_KEY })).body;
    expect(items.map(({ action }: any) => action).toReversed()).toEqual([
      "user.create",
      "flow.create",
      "flow.command",
      "flow.command",
      "flow.delete",
    ]);
  });

  describe("tells what a thing was and is, secrets masked:", () => {
    const M = "********";
    const latest = async (authorization: string, action: string) => {
      const { items } = (await callV1("GET", `/audit?action=${action}`, authorization)).body;
      return { before: items[0]?.before, after: items[0]?.after };
    };

    it("a connector, that is changed and deleted", async () => {
      const { authorization } = await ownOrganization();
      const own = { ...connector(), headers: { Authorization: "audited-1" } };
      await call("POST", "/elements", own, authorization);
      const changed = { ...own, name: "Other", headers: { Authorization: "audited-2" } };
      await call("PUT", `/elements/${own.key}`, changed, authorization);
      expect(await latest(authorization, "connector.update")).toEqual({
        before: { name: "Own", "headers.Authorization": M },
        after: { name: "Other", "headers.Authorization": M },
      });
      await call("DELETE", `/elements/${own.key}`, undefined, authorization);
      const deleted = await latest(authorization, "connector.delete");
      expect(deleted.before).toMatchObject({ name: "Other", "headers.Authorization": M });
      expect(deleted.after).toEqual({});
      const { body } = await callV1("GET", "/audit", authorization);
      expect(JSON.stringify(body)).not.toContain("audited-");
    });

    it("an instance, whatever door it is changed through", async () => {
      const { authorization } = await ownOrganization();
      const made = (await call("POST", "/instances", draft(), authorization)).body;
      expect((await latest(authorization, "instance.create")).after).toMatchObject({
        name: made.name,
        "configuration.sandbox.api.key": M,
      });
      const configuration = { "sandbox.api.key": "audited-key", "event.objects": "contacts" };
      await call("PATCH", `/instances/${made.id}`, { name: "N", configuration }, authorization);
      expect(await latest(authorization, "instance.update")).toMatchObject({
        before: { name: made.name, "configuration.sandbox.api.key": M },
        after: {
          name: "N",
          "configuration.sandbox.api.key": M,
          "configuration.event.objects": "contacts",
        },
      });
      const token = `${authorization}, Element ${made.token}`;
      await call("DELETE", "/instances/enabled", undefined, token);
      expect(await latest(authorization, "instance.disable")).toEqual({
        before: { disabled: false },
        after: { disabled: true },
      });
      await callV1("PATCH", `/destinations/instance-${made.id}`, authorization, { rate: 7 });
      expect(await latest(authorization, "destination.update")).toEqual({
        before: {},
        after: { ratePerSecond: 7 },
      });
      await call("DELETE", `/instances/${made.id}`, undefined, authorization);
      expect((await latest(authorization, "instance.delete")).before).toMatchObject({ name: "N" });
    });

    it("a key, a member and the organization", async () => {
      const { authorization } = await ownOrganization();
      const key = { name: "k", scopes: ["read"] };
      const { id } = (await callV1("POST", "/keys", authorization, key)).body;
      expect((await latest(authorization, "key.create")).after).toEqual(key);
      await callV1("DELETE", `/keys/${id}`, authorization);
      expect((await latest(authorization, "key.delete")).before).toMatchObject(key);
      const email = `${crypto.randomUUID()}@audited.example`;
      const member = (await callV1("POST", "/members", authorization, { email, role: "viewer" }))
        .body;
      await callV1("PATCH", `/members/${member.id}`, authorization, { role: "editor" });
      expect(await latest(authorization, "member.update")).toEqual({
        before: { role: "viewer" },
        after: { role: "editor" },
      });
      await callV1("PATCH", "/organization", authorization, { retentionDays: 3 });
      expect(await latest(authorization, "organization.update")).toEqual({
        before: {},
        after: { retentionDays: 3 },
      });
    });

    it("a Webhook and a Secret", async () => {
      const client = await freshClient();
      const spec = {
        url: "http://127.0.0.1:9/audited?token=audited-1",
        headers: { "X-Token": "audited-2", "X-Own": "a" },
      };
      const made = await client.make(`${V1}/webhooks`, { name: "w", spec });
      await client.make(`${V1}/secrets`, { name: "s", spec: { data: { k: "audited-3" } } });
      made.spec.headers["X-Own"] = "b";
      await client.call("PUT", `${V1}/webhooks/w`, made);
      const { items } = (await client.call("GET", "/v1/audit")).body;
      expect(items[0]).toMatchObject({
        action: "webhook.update",
        before: { "spec.headers.X-Own": "a" },
        after: { "spec.headers.X-Own": "b" },
      });
      expect(Object.keys(items[0].after)).toEqual(["spec.headers.X-Own"]);
      expect(items[1].after).toMatchObject({ "spec.data.k": M });
      expect(JSON.stringify(items)).not.toMatch(/audited-\d/);
    });

    it("a flow", async () => {
      const { token } = await newUser();
      const { id } = (await ask("GET", "/user", { token })).body;
      const flow = (header: string) => ({
        T: trigger("audited-flow"),
        P: step({ url: "http://127.0.0.1:9/a", headers: { Authorization: header } }),
      });
      const body = { name: "F", flow: flow("audited-1") };
      const { flowId } = (await ask("POST", "/flows", { token, body })).body;
      await ask("PUT", `/flows/${flowId}`, { token, body: { name: "G", flow: flow("audited-2") } });
      const { items } = (await ask("GET", `/v1/audit?actor=user:${id}`, { token: API_KEY })).body;
      const header = "flow.P.config.transform.in.T.out.lambda.headers.Authorization";
      expect(items[0]).toMatchObject({
        action: "flow.update",
        before: { name: "F", [header]: M },
        after: { name: "G", [header]: M },
      });
      expect(JSON.stringify(items)).not.toMatch(/audited-\d/);
    });
  });
});
