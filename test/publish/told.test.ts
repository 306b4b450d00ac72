import { afterEach, describe, expect, it, vi } from "vitest";
import { eventually, receiver } from "../delivery/build";
import { callV1 } from "../elements/build";
import { firstOrganization, ownOrganization } from "../organization";

afterEach(() => vi.unstubAllGlobals());

/** An organization with one endpoint, and what reaches it. */
async function told(wants: object) {
  await firstOrganization();
  const { authorization } = await ownOrganization();
  const call = (method: string, path: string, body?: unknown) =>
    callV1(method, path, authorization, body);
  const url = `https://${crypto.randomUUID()}.example/hook`;
  const made = await call("POST", "/destinations", { url, ...wants });
  expect({ status: made.status, error: made.body.error }).toEqual({ status: 201 });
  const got = receiver(
    () => new Response(),
    (one) => one.url === url,
  );
  return {
    call,
    got,
    id: made.body.id as string,
    publish: (event: object) => call("POST", "/events", { type: "a.b", ...event }),
  };
}

const dataOf = (body: string): unknown[] =>
  (JSON.parse(body) as { data: unknown }[]).map(({ data }) => data);

describe("an endpoint is told", () => {
  it("several events at a time, as a list, when there are enough or time is over", async () => {
    const { publish, got } = await told({ batch: { size: 3, waitMs: 700 } });
    for (const data of [1, 2, 3, 4]) await publish({ data });
    await eventually(() => got[1]);
    expect(got.map(({ body }) => dataOf(body))).toEqual([[1, 2, 3], [4]]);
  });

  it("only the latest of what changes often", async () => {
    const { publish, got } = await told({ debounceMs: 600 });
    for (const [key, data] of Object.entries({ a: 1, b: 2 })) await publish({ key, data });
    await publish({ key: "a", data: 3 });
    await eventually(() => got[1]);
    const bodies = got.map(({ body }) => (JSON.parse(body) as { data: number }).data);
    expect(bodies.toSorted((left, right) => left - right)).toEqual([2, 3]);
  });

  it("CloudEvents in binary mode, signed as every callback", async () => {
    const { publish, got } = await told({ format: "cloudevents-binary" });
    await publish({ id: "one", data: { n: 1 } });
    const one = await eventually(() => got[0]);
    expect(one.body).toBe('{"n":1}');
    expect(one.headers.get("ce-id")).toBe("one");
    expect(one.headers.get("ce-type")).toBe("a.b");
    expect(one.headers.get("webhook-signature")).toMatch(/^v1,/);
  });

  it.each<[string, object, string]>([
    ["a format that isn't there", { format: "xml" }, "format"],
    ["a list of one", { batch: { size: 1, waitMs: 5 } }, "batch.size"],
    [
      "lists of binary CloudEvents",
      { batch: { size: 5, waitMs: 5 }, format: "cloudevents-binary" },
      "format",
    ],
    ["lists and the latest", { batch: { size: 5, waitMs: 5 }, debounceMs: 5 }, "debounceMs"],
    ["version 0", { schemaVersion: 0 }, "schemaVersion"],
  ])("never %s", async (_, wants, field) => {
    await firstOrganization();
    const { authorization } = await ownOrganization();
    const url = "https://app.example/hook";
    const { status, body } = await callV1("POST", "/destinations", authorization, {
      url,
      ...wants,
    });
    expect({ status, field: body.error.field }).toEqual({ status: 400, field });
  });
});

describe("an event whose type has a schema", () => {
  const schema = (required: string) => ({
    type: "object",
    required: [required],
    properties: { [required]: { type: "number" } },
  });

  it("is refused with 422 when its data is none of it, and told in the version that an endpoint knows", async () => {
    const { publish, got, call } = await told({ schemaVersion: 1 });
    const type = { name: "a.b", schema: schema("cents"), example: { cents: 1 } };
    expect((await call("POST", "/event-types", type)).status).toBe(201);
    const wrong = await publish({ data: { cents: "many" } });
    expect({ status: wrong.status, error: wrong.body.error }).toMatchObject({
      status: 422,
      error: { code: "schema_mismatch", field: "data.cents" },
    });
    const later = {
      ...type,
      schema: schema("euros"),
      example: { euros: 1 },
      conversions: { "1": '{"cents": euros * 100}' },
    };
    expect((await call("PUT", "/event-types/a.b", later)).status).toBe(200);
    expect((await publish({ data: { cents: 1 } })).status).toBe(422);
    expect((await publish({ data: { euros: 2 } })).status).toBe(202);
    const one = await eventually(() => got[0]);
    expect(JSON.parse(one.body)).toMatchObject({ version: 1, data: { cents: 200 } });
    const batch = await call("POST", "/events/batch", {
      events: [
        { type: "a.b", data: {} },
        { type: "other", data: {} },
      ],
    });
    expect(batch.body.items).toMatchObject([
      { error: { code: "schema_mismatch" } },
      { duplicate: false },
    ]);
  });
});
