import { beforeAll, describe, expect, it } from "vitest";
import { step, trigger } from "../flows/build";
import { freshClient, V1 } from "../resources/build";
import { API_KEY, ask, foundation, newUser } from "./ask";

beforeAll(foundation);

describe("the audit log", () => {
  it("holds who changed where resources' changes go, and with what secret; nothing of other resources", async () => {
    const client = await freshClient();
    const secret = await client.make(`${V1}/secrets`, { name: "s", spec: { data: { k: "v3ry" } } });
    await client.make(`${V1}/webhooks`, { name: "w", spec: { url: "http://127.0.0.1:9/w" } });
    await client.make(`${V1}/environments`, { name: "e" });
    await client.call("POST", `${V1}/webhooks`, { name: "w", spec: { url: "no URL" } });
    await client.call("PUT", `${V1}/webhooks/w`, {
      name: "w",
      title: "W",
      spec: { url: "http://127.0.0.1:9/other" },
    });
    await client.call("DELETE", `${V1}/webhooks/w`);
    const { items } = (await client.call("GET", "/v1/audit")).body;
    const told = items.map(({ action, target, changes }: any) => [
      action.split(" ")[0],
      target,
      changes,
    ]);
    expect(told.toReversed()).toEqual([
      ["POST", `${V1}/secrets`, ["name", "spec"]],
      ["POST", `${V1}/webhooks`, ["name", "spec"]],
      ["PUT", `${V1}/webhooks/w`, ["name", "title", "spec"]],
      ["DELETE", `${V1}/webhooks/w`, []],
    ]);
    expect(items[0].actor).toMatch(/^key:/);
    expect(secret.name).toBe("s");
  });

  it("holds what users did to their flows, not what ran through them", async () => {
    const { token } = await newUser();
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
      "POST /flows",
      "POST /flows/:id/coordinator",
      "POST /flows/:id/coordinator",
      "DELETE /flows/:id",
    ]);
  });
});
