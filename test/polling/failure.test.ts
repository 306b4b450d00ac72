import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  call,
  create,
  createOrganizations,
  record,
  stubOutside,
  withToken,
} from "../elements/build";
import { consume, emitted, poll, QUIET, streamOf, vendor } from "./build";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

describe("a failing vendor", () => {
  it("counts against its resource alone; the others are polled, and one success forgets", async () => {
    const instance = await create({ ...QUIET, "event.objects": "accounts,contacts" });
    let isBroken = true;
    vendor(({ pathname }) =>
      isBroken && pathname.endsWith("accounts")
        ? Response.json({ error: { message: "Broken" } }, { status: 500 })
        : Response.json({ data: [], paging: { next: null } }),
    );
    const failures = async () =>
      (
        await call("GET", "/instances/event-poller-records", undefined, withToken(instance))
      ).body.map(({ failureCount }: { failureCount: number }) => failureCount);
    for (const count of [1, 2]) {
      const answer = await poll(instance);
      expect(answer).toMatchObject({
        status: 502,
        error: { message: expect.stringContaining("accounts: ") },
      });
      expect(await failures()).toEqual([count, 0]);
    }
    isBroken = false;
    expect(await poll(instance)).toMatchObject({ resources: [{ error: null }, { error: null }] });
    expect(await failures()).toEqual([0, 0]);
  });

  it("in the middle of the pages keeps what was read, and repeats nothing", async () => {
    const instance = await create({ ...QUIET, "pagination.max": 2 });
    const now = Date.now() + 5;
    let isBroken = true;
    vendor(({ searchParams }) => {
      const page = Number(searchParams.get("page"));
      if (page === 2 && isBroken) return new Response("no", { status: 500 });
      const ids = [["a", "b"], ["c", "d"], []][page - 1] ?? [];
      return Response.json({ data: ids.map((id) => record(id, now)) });
    });
    expect((await poll(instance)).status).toBe(502);
    expect(await emitted(instance)).toEqual(["CREATED a", "CREATED b"]);
    isBroken = false;
    expect((await poll(instance)).first).toMatchObject({ created: 2, error: null });
    expect(await emitted(instance)).toEqual(["a", "b", "c", "d"].map((id) => `CREATED ${id}`));
  });

  it("that refuses an instance's credentials does not stop the others of a message", async () => {
    const refused = await create({ ...QUIET, "sandbox.api.key": "revoked" });
    const other = await create(QUIET);
    const now = Date.now() + 5;
    stubOutside(({ headers }) =>
      headers.get("authorization") === "Bearer revoked"
        ? new Response("", { status: 401 })
        : Response.json({ data: [record("x", now)] }),
    );
    await consume("tributary-polls", [{ ids: [999_999, refused.id, other.id] }, "nonsense"]);
    expect(await emitted(other)).toEqual(["CREATED x"]);
  });

  it("that asks to be left alone is, for a day at most", async () => {
    const instance = await create(QUIET);
    const requests = vendor(
      () => new Response("", { status: 503, headers: { "retry-after": "99999999" } }),
    );
    await consume("tributary-polls", [{ ids: [instance.id] }, { ids: [instance.id] }]);
    expect(requests()).toHaveLength(1);
    const { cursor } = await streamOf(instance).inspect();
    const { notBefore } = JSON.parse(cursor ?? "{}");
    expect(notBefore).toBeGreaterThan(Date.now() + 86_000_000);
    expect(notBefore).toBeLessThanOrEqual(Date.now() + 86_400_000);
  });
});

it("an instance whose secrets no key opens does not stop the others of a message", async () => {
  const [broken, other] = [await create(QUIET), await create(QUIET)];
  await env.DB.prepare("UPDATE instances SET token_sealed = 'lost.key' WHERE id = ?")
    .bind(broken.id)
    .run();
  vendor({ data: [record("x", Date.now() + 5)] });
  await consume("tributary-polls", [{ ids: [broken.id, other.id] }]);
  expect(await emitted(other)).toEqual(["CREATED x"]);
});
