import { afterEach, describe, expect, it, vi } from "vitest";
import { eventually, receiver } from "../delivery/build";
import { callV1 } from "../elements/build";
import { firstOrganization, ownOrganization } from "../organization";

afterEach(() => vi.unstubAllGlobals());

/** An organization of its own, with a tenant, and what an application of it does. */
async function publisher() {
  await firstOrganization();
  const { authorization } = await ownOrganization();
  const call = (method: string, path: string, body?: unknown) =>
    callV1(method, path, authorization, body);
  const tenant = `acme-${crypto.randomUUID().slice(0, 8)}`;
  expect((await call("POST", "/tenants", { id: tenant })).status).toBe(201);
  return {
    tenant,
    call,
    publish: (event: object, to = `/tenants/${tenant}/events`) => call("POST", to, event),
    /** An endpoint at an address that nobody else has. */
    endpoint: async (wants: object = { tenant }) => {
      const url = `https://${crypto.randomUUID()}.example/hook`;
      const made = await call("POST", "/destinations", { url, ...wants });
      if (made.status !== 201) throw new Error(JSON.stringify(made.body));
      return { url, id: made.body.id as string };
    },
  };
}

const accepting = () => new Response();

describe("POST /v1/tenants/{id}/events", () => {
  it("tells an event to every endpoint of the tenant that wants it, and to nobody else", async () => {
    const { tenant, publish, endpoint } = await publisher();
    const all = await endpoint();
    const some = await endpoint({ tenant, eventTypes: ["invoice.*"] });
    const others = await endpoint({ tenant, eventTypes: ["contacts.*"] });
    const everywhere = await endpoint({ sources: ["publish"] });
    const got = receiver(accepting);
    const event = { type: "invoice.paid", id: "inv_17", data: { amount: 42 } };
    const { status, body } = await publish(event);
    expect({ status, body }).toEqual({
      status: 202,
      body: { id: "inv_17", duplicate: false, destinations: 3 },
    });
    const of = ({ url }: { url: string }) => got.filter((one) => one.url === url);
    await eventually(() => of(all)[0] && of(some)[0] && of(everywhere)[0]);
    expect(of(others)).toEqual([]);
    const [first] = of(all);
    expect(JSON.parse(first?.body ?? "")).toEqual({
      id: "inv_17",
      type: "invoice.paid",
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      tenant,
      data: { amount: 42 },
    });
    expect(first?.headers.get("webhook-signature")).toMatch(/^v1,/);
  });

  it("takes an event once for its id, whatever comes again under it", async () => {
    const { publish, endpoint } = await publisher();
    await endpoint();
    receiver(accepting);
    expect((await publish({ type: "a", id: "one", data: 1 })).body.duplicate).toBe(false);
    expect((await publish({ type: "a", id: "one", data: 2 })).body).toEqual({
      id: "one",
      duplicate: true,
      destinations: 1,
    });
    const [left, right] = await Promise.all([
      publish({ type: "a", data: 1 }),
      publish({ type: "a", data: 1 }),
    ]);
    expect(left?.body.id).not.toBe(right?.body.id);
  });

  it("changes of endpoints hold for the next event", async () => {
    const { tenant, publish, endpoint, call } = await publisher();
    receiver(accepting);
    const heard = async () => (await publish({ type: "a.b", data: {} })).body.destinations;
    expect(await heard()).toBe(0);
    const { id } = await endpoint();
    expect(await heard()).toBe(1);
    await call("PATCH", `/destinations/${id}`, { eventTypes: ["c.*"] });
    expect(await heard()).toBe(0);
    await call("PATCH", `/destinations/${id}`, { eventTypes: ["a.*"], channels: ["eu"] });
    expect(await heard()).toBe(0);
    const onChannel = { type: "a.b", data: {}, channels: ["eu", "x"] };
    expect((await publish(onChannel)).body.destinations).toBe(1);
    await call("PATCH", `/destinations/${id}`, { channels: [], filter: "data.n > 3" });
    expect((await publish({ type: "a.b", data: { n: 4 } })).body.destinations).toBe(1);
    expect((await publish({ type: "a.b", data: { n: 3 } })).body.destinations).toBe(0);
    await call("DELETE", `/destinations/${id}`);
    expect((await publish({ type: "a.b", data: { n: 4 } })).body.destinations).toBe(0);
    expect((await publish({ type: "a.b", data: {} }, "/events")).body.destinations).toBe(0);
    await endpoint({ sources: [`tenant:${tenant}`] });
    expect(await heard()).toBe(1);
  });

  it.each<[string, object, string]>([
    ["no type", { data: 1 }, "type"],
    ["a type with a space", { type: "a b", data: 1 }, "type"],
    ["no data", { type: "a" }, "data"],
    ["a number for an id", { type: "a", id: 5, data: 1 }, "id"],
    ["no channel in the list", { type: "a", data: 1, channels: [] }, "channels"],
    ["a day too late", { type: "a", data: 1, deliverAt: "2999-01-01T00:00:00Z" }, "deliverAt"],
    ["no instant", { type: "a", data: 1, deliverAt: "tomorrow" }, "deliverAt"],
    ["a member of another's", { type: "a", data: 1, delay: 3 }, "delay"],
  ])("refuses an event with %s, naming the field", async (_, event, field) => {
    const { publish } = await publisher();
    const { status, body } = await publish(event);
    expect({ status, field: body.error.field }).toEqual({ status: 400, field });
  });

  it("knows no tenant that isn't there or is another organization's, and none that is switched off", async () => {
    const [ours, theirs] = [await publisher(), await publisher()];
    const event = { type: "a", data: 1 };
    expect((await ours.publish(event, "/tenants/nobody/events")).status).toBe(404);
    expect((await ours.publish(event, `/tenants/${theirs.tenant}/events`)).status).toBe(404);
    await ours.call("PATCH", `/tenants/${ours.tenant}`, { disabled: true });
    expect((await ours.publish(event)).status).toBe(409);
  });
});

describe("POST …/events/batch", () => {
  it("takes what is sound, in order, and says of each of the others what is wrong", async () => {
    const { tenant, call, endpoint } = await publisher();
    await endpoint({ tenant, ordering: "source" });
    const got = receiver(accepting, ({ url }) => url.includes(".example/hook"));
    const events = [
      { type: "a", id: "1", data: 1 },
      { type: "", id: "2", data: 2 },
      { type: "a", id: "3", data: 3 },
      { type: "a", id: "1", data: 4 },
    ];
    const { status, body } = await call("POST", `/tenants/${tenant}/events/batch`, { events });
    expect(status).toBe(202);
    expect(body.items).toEqual([
      { id: "1", duplicate: false, destinations: 1 },
      { error: expect.objectContaining({ code: "invalid_field", field: "type" }) },
      { id: "3", duplicate: false, destinations: 1 },
      { id: "1", duplicate: true, destinations: 1 },
    ]);
    await eventually(() => got[1]);
    expect(got.map((one) => JSON.parse(one.body).id)).toEqual(["1", "3"]);
  });

  it.each([[{ events: [] }], [{ events: Array.from({ length: 101 }, () => ({})) }], [{}]])(
    "refuses %j",
    async (body) => {
      const { tenant, call } = await publisher();
      expect((await call("POST", `/tenants/${tenant}/events/batch`, body)).status).toBe(400);
    },
  );
});

describe("deliverAt", () => {
  const later = () => new Date(Date.now() + 3_600_000).toISOString();

  it("holds an event back until then, and may be cancelled", async () => {
    const { tenant, publish, endpoint, call } = await publisher();
    const { url } = await endpoint();
    const got = receiver(accepting, (one) => one.url === url);
    const event = { type: "a", id: "later", data: 1, deliverAt: later() };
    expect((await publish(event)).body.destinations).toBe(1);
    await publish({ type: "a", id: "now", data: 1 });
    await eventually(() => got.find(({ body }) => JSON.parse(body).id === "now"));
    expect(got.map(({ body }) => JSON.parse(body).id)).toEqual(["now"]);
    const cancel = (id: string) => call("DELETE", `/tenants/${tenant}/events/${id}`);
    expect(await cancel("later")).toMatchObject({ status: 200, body: { cancelled: 1 } });
    expect((await cancel("later")).status).toBe(409);
    expect((await cancel("now")).status).toBe(409);
    expect((await cancel("unknown")).status).toBe(404);
    const deliveries = await call("GET", `/deliveries?source=tenant:${tenant}`);
    expect(
      deliveries.body.items.map((one: { status: string; reason: string | null }) => [
        one.status,
        one.reason,
      ]),
    ).toEqual([
      ["delivered", null],
      ["dead", "cancelled"],
    ]);
  });
});
