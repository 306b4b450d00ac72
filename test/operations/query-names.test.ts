import { beforeAll, describe, expect, it } from "vitest";
import { callV1, create, createOrganizations, MINE } from "../elements/build";

beforeAll(createOrganizations);

describe("a query parameter of /v1", () => {
  it.each([
    "/deliveries?stauts=dead",
    "/deliveries?Status=dead",
    "/deliveries?instance=1",
    "/deliveries?source=instance:1&state=dead",
    "/destinations?type=instance",
    "/destinations?page=2",
    "/keys?limit=1",
    "/members?cursor=x",
    "/audit?target=x",
    "/usage?range=24h",
    "/organization?x=1",
    "/users?email=a",
    "/deliveries?constructor=1",
    "/deliveries?__proto__=1",
  ])("that is unknown is 400 and named, with those that are known: %s", async (path) => {
    const { status, body } = await callV1("GET", path);
    const name = new URLSearchParams(
      path
        .slice(path.indexOf("?") + 1)
        .split("&")
        .at(-1),
    ).keys();
    expect({ status, field: body.error.field }).toEqual({ status: 400, field: [...name][0] });
    expect(body.error.message).toMatch(/query parameter/);
  });

  it("that is unknown is refused where something would be changed, too", async () => {
    const { id } = await create();
    const { status } = await callV1("POST", `/instances/${id}/poll?dryrun=true`);
    expect(status).toBe(400);
  });

  it.each(["delivered", "pending", "sent"])(
    "status=%s needs a source: without one only what is in trouble is listed",
    async (status) => {
      const { id } = await create();
      const without = await callV1("GET", `/deliveries?status=${status}`);
      expect([without.status, without.body.error.field]).toEqual([400, "status"]);
      const source = `/deliveries?source=instance:${id}&status=${status}`;
      expect((await callV1("GET", source)).status).toBe(200);
    },
  );

  it.each(["retrying", "held", "dead", ""])("status=%s needs none", async (status) => {
    const query = status === "" ? "" : `?status=${status}`;
    expect((await callV1("GET", `/deliveries${query}`, MINE)).status).toBe(200);
  });
});
