import { beforeAll, describe, expect, it, vi } from "vitest";
import { ask, newUser } from "../accounts/ask";
import { call, create, createOrganizations } from "../elements/build";
import { step } from "../flows/build";

beforeAll(createOrganizations);
vi.spyOn(console, "warn").mockImplementation(() => undefined);

describe("a slash at the end of an inbound address", () => {
  it("makes no difference to an instance's own address", async () => {
    const { id } = await create({ "event.vendor.token": "slash-token" });
    for (const instance of [id, Buffer.from(String(id)).toString("base64")])
      for (const method of ["GET", "POST"]) {
        const path = `/events/sandbox/${instance}`;
        const [plain, slashed] = [
          await call(method, `${path}?token=slash-token`, method === "GET" ? undefined : {}),
          await call(method, `${path}/?token=slash-token`, method === "GET" ? undefined : {}),
        ];
        expect([method, slashed.status, slashed.body?.message]).toEqual([
          method,
          plain.status,
          plain.body?.message,
        ]);
        expect(slashed.status).not.toBe(404);
      }
  });

  it("makes no difference to a flow's webhook", async () => {
    const { token } = await newUser();
    const flow = { T: { type: "appmixer.utils.http.Webhook", source: {} }, P: step() };
    const made = await ask("POST", "/flows", { token, body: { name: "slash", flow } });
    const id = made.body.flowId;
    await ask("POST", `/flows/${id}/coordinator`, { token, body: { command: "start" } });
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      const { status } = await ask(method, `/flows/${id}/components/T/?a=1`);
      expect([method, status]).toEqual([method, 202]);
    }
  });
});
