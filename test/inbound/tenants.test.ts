import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { call, callV1, create, createOrganizations, draft } from "../elements/build";
import { ownOrganization } from "../organization";

let mine: any;
/** Who has nothing yet. */
let stranger = "";

beforeAll(async () => {
  await createOrganizations();
  mine = await create();
  stranger = (await ownOrganization()).authorization;
});

const rows = async () => {
  const { results } = await env.DB.prepare(
    "SELECT i.*, d.* FROM instances i JOIN destinations d ON d.id = 'instance-' || i.id ORDER BY i.id",
  ).all();
  return results;
};

const requests: [method: string, path: string, body?: unknown][] = [
  ["GET", ""],
  ["PUT", "", { name: "Stolen" }],
  ["PATCH", "", { name: "Stolen" }],
  ["PATCH", "", "not JSON"],
  ["DELETE", ""],
  ["GET", "/configuration"],
  ["GET", "/configuration/event.vendor.type"],
  ["GET", "/configuration/no.such.key"],
  ["PATCH", "/configuration/event.vendor.type", { propertyValue: "webhook" }],
  ["PUT", "/enabled"],
  ["DELETE", "/enabled"],
  ["GET", "/docs"],
  ["GET", "/events"],
  ["GET", "/events/1101"],
  ["PUT", "/events/1101/replay"],
];

describe("promise 7, one tenant can never read, change, trigger or infer anything of another's: another organization's instance", () => {
  it.each(requests)(
    "is closed to %s /instances/{id}%s, and nothing is told",
    async (...request) => {
      const [method, path, body] = request;
      const before = await rows();
      const answer = await call(method, `/instances/${mine.id}${path}`, body, stranger);
      expect(answer.status).toBe(403);
      expect(answer.body).toEqual({ requestId: expect.any(String), message: "Access denied" });
      expect(await rows()).toEqual(before);
    },
  );

  it("stands in no list, count or statistic", async () => {
    expect((await call("GET", "/instances", undefined, stranger)).status).toBe(404);
    const lists: [string, unknown][] = [
      ["/instances/count", { totalInstances: 0, elementInstances: 0 }],
      ["/instances/polling-disabled", []],
      ["/instances/events", []],
      ["/instances/events/dispositions", []],
      ["/elements/sandbox/instances", []],
    ];
    for (const [path, empty] of lists)
      expect((await call("GET", path, undefined, stranger)).body).toEqual(empty);
    const { body } = await call(
      "GET",
      "/instances/events/analytics/instances",
      undefined,
      stranger,
    );
    for (const bucket of body) expect(bucket).toMatchObject({ total: 0, records: [] });
  });

  it("looks like an unknown one where ids stand alone, and on our own surface", async () => {
    const event = await call("GET", `/instances/events/${mine.id}101`, undefined, stranger);
    expect(event).toMatchObject({ status: 404 });
    const [theirs, unknown] = await Promise.all(
      [mine.id, 999_999].map((id) => callV1("GET", `/instances/${id}/signing-secret`, stranger)),
    );
    expect(theirs).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
    expect(theirs?.body.error.message.replace(String(mine.id), "999999")).toBe(
      unknown?.body.error.message,
    );
    expect((await callV1("POST", `/instances/${mine.id}/poll`, stranger)).status).toBe(404);
  });

  it("keeps its settings from those who name its account", async () => {
    const settings = { "notification.webhook.failure.policy": "queue" };
    expect((await call("PATCH", "/accounts/1/settings", settings, stranger)).status).toBe(403);
    const { status } = await call(
      "GET",
      "/instances/events/analytics?accountIds[]=1",
      undefined,
      stranger,
    );
    expect(status).toBe(403);
  });

  it("is 404 to its own organization only when it does not exist", async () => {
    for (const id of ["999999", "0", "-1", "1.5", "abc", "1e3"]) {
      const { status, body } = await call("GET", `/instances/${id}`);
      expect({ status, message: body.message }).toEqual({
        status: 404,
        message: `No instance with id '${id}'`,
      });
    }
  });
});

it("an organization's own instances stay its own when both have some", async () => {
  const theirs = await call("POST", "/instances", draft(), stranger);
  expect(theirs.status).toBe(200);
  const { body } = await call("GET", "/instances", undefined, stranger);
  expect(body.map(({ id }: { id: number }) => id)).toEqual([theirs.body.id]);
  expect((await call("GET", `/instances/${theirs.body.id}`)).status).toBe(403);
});
