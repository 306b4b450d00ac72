import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startConcur } from "../vendors/concur.ts";
import { startReceiver } from "../vendors/receiver.ts";
import { connectConcur, poll, receive } from "./polled.ts";
import { type Stack, startStack } from "./stack.ts";

/** What a minute of schedule time sets off: these files turn the clock, so they have it to themselves. */

let stack: Stack;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  stack = await startStack();
});
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});
afterAll(async () => {
  await stack?.stop();
});

const concurInstance = async () => {
  const concur = await startConcur();
  const polled = await connectConcur(stack, concur);
  open.push(concur, polled.receiver);
  return { concur, ...polled };
};

describe("a vendor in trouble", () => {
  it.each([429, 503])(
    "postpones only the instance that a %i with Retry-After answers",
    async (status) => {
      const [refused, other] = [await concurInstance(), await concurInstance()];
      const lists = ({ concur }: typeof refused) =>
        concur.requests.filter(({ path }) => path.endsWith("/reports")).length;
      refused.concur.failNext({ status, headers: { "retry-after": "3600" }, path: "/api" });
      const answer = await stack.call("POST", `/v1/instances/${refused.id}/poll`);
      expect(answer.status).toBe(502);
      const event = other.concur.addReport({ created: Date.now(), modified: Date.now() });
      refused.concur.addReport({ created: Date.now(), modified: Date.now() });
      await stack.tick();
      expect(await receive(other.receiver, 1)).toMatchObject([{ objectId: event.id }]);
      // Somebody who asks for a poll gets one: the second request, as the tick made none.
      expect(await poll(stack, refused.id)).toMatchObject({ created: 1 });
      expect(lists(refused)).toBe(2);
      await receive(refused.receiver, 1);
      // And the schedule goes on.
      refused.concur.addReport({ created: Date.now(), modified: Date.now() });
      await stack.tick();
      await receive(refused.receiver, 2);
    },
  );
});

it("a schedule starts a run of its flow at its minutes, once each", async () => {
  const receiver = await startReceiver();
  open.push(receiver);
  const as = async (token: string | undefined, path: string, body: unknown) => {
    const response = await fetch(stack.baseUrl + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(200);
    return (await response.json()) as any;
  };
  const user = { username: "virtual@yourapp.com", password: "a-good-password" };
  const { token } = await as(undefined, "/user", user);
  const lambda = { url: `${receiver.url}/time`, body: "{{{$.T.out.scheduledAt}}}" };
  await stack.tick();
  const { flowId } = await as(token, "/flows", {
    name: "A flow",
    flow: {
      T: {
        type: "tributary.events.schedule.OnTime",
        config: { properties: { cron: "*/2 * * * *" } },
      },
      P: {
        type: "appmixer.utils.http.Post",
        source: { in: { T: ["out"] } },
        config: { transform: { in: { T: { out: { type: "json2new", lambda } } } } },
      },
    },
  });
  await as(token, `/flows/${flowId}/coordinator`, { command: "start" });
  for (let minute = 0; minute < 4; minute += 1) await stack.tick();
  await receiver.waitFor(2);
  await sleep(300);
  expect(new Set(receiver.deliveries.map(({ text }) => text)).size).toBe(2);
  expect(receiver.deliveries).toHaveLength(2);
});
