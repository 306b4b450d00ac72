import { beforeAll, describe, expect, it } from "vitest";
import { step, trigger } from "../flows/build";
import { freshClient, V1 } from "../resources/build";
import { call, callV1 } from "../elements/build";
import { ownOrganization } from "../organization";
import { API_KEY, ask, foundation, signUp } from "./ask";
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
});
