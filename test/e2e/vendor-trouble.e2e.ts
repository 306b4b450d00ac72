import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { startConcur } from "../vendors/concur.ts";
import { startSandbox } from "../vendors/sandbox.ts";
import { connect, connectConcur, eventsOf, poll, receive, timesTold } from "./polled.ts";
import { sharedStack } from "./shared.ts";
import type { Platform } from "./stack.ts";

let stack: Platform;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  stack = await sharedStack();
});
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

const concurInstance = async () => {
  const concur = await startConcur();
  const polled = await connectConcur(stack, concur);
  open.push(concur, polled.receiver);
  return { concur, ...polled };
};

describe("a vendor in trouble", () => {
  it("is left alone after 100 failures in a row, until somebody enables the instance", async () => {
    const { concur, id, receiver } = await concurInstance();
    concur.failNext({ status: 500, times: 100, path: "/api", body: { Message: "Broken" } });
    const failure = async () => (await stack.call("POST", `/v1/instances/${id}/poll`)).status;
    for (let count = 0; count < 99; count += 1) expect(await failure()).toBe(502);
    const listed = async () => {
      const { body } = await stack.call("GET", "/elements/api-v2/instances/polling-disabled");
      const other = await stack.call("GET", "/elements/api-v2/jobs/polling-disabled");
      expect(other.body).toEqual(body);
      return body.filter((record: { instanceId: number }) => record.instanceId === id);
    };
    expect(await listed()).toEqual([]);
    expect(await failure()).toBe(502);
    expect(await listed()).toEqual([
      {
        instanceId: id,
        elementKey: "concur",
        resource: "reports",
        failureCount: 100,
        disabledDate: expect.any(String),
        lastError: expect.stringContaining("500"),
      },
    ]);
    expect(await failure()).toBe(409);
    concur.addReport({ created: Date.now(), modified: Date.now() });
    expect((await stack.call("PUT", `/elements/api-v2/instances/${id}/enabled`)).status).toBe(200);
    expect(await listed()).toEqual([]);
    expect(await poll(stack, id)).toMatchObject({ created: 1 });
    expect(await receive(receiver, 1)).toHaveLength(1);
    expect(eventsOf(receiver.deliveries)).toHaveLength(1);
  });
});

it("loses no record that shifts between numbered pages while they are read", async () => {
  const crm = await startSandbox();
  const { id, receiver } = await connect(stack, {
    element: { key: "sandbox" },
    configuration: {
      "base.url": crm.url,
      "sandbox.api.key": crm.apiKey,
      "event.objects": "accounts",
      "pagination.max": 5,
    },
  });
  open.push(crm, receiver);
  const made = Array.from({ length: 20 }, (_, index) =>
    crm.create("accounts", { name: `Account ${index}` }),
  );
  let moved = 0;
  crm.onRequest = ({ query }) => {
    const page = Number(query.get("page"));
    // Two records of the first page go to the end: what follows moves up by two.
    if (moved < 2 && page > 1) crm.update("accounts", made[moved++]!.id);
  };
  expect(await poll(stack, id)).toMatchObject({ created: 20, updated: 2 });
  expect(moved).toBe(2);
  expect(await poll(stack, id)).toMatchObject({ created: 0, updated: 0 });
  const told = timesTold(await receive(receiver, 22));
  expect(told).toEqual(Object.fromEntries(made.map((it, index) => [it.id, index < 2 ? 2 : 1])));
});
