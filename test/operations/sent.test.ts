import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { receiver } from "../delivery/build";
import { commit, event, target } from "../stream/build";
import { callV1, create, createOrganizations } from "../elements/build";
import { consume, keepDeliveries } from "../polling/build";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

it("a delivery is pending in its stream, sent while it is on the queue, then delivered", async () => {
  receiver(() => new Response("ok"));
  const { id } = await create();
  const stream = env.EVENT_STREAMS.getByName(`1/instance:${id}`);
  const bodies = await keepDeliveries(stream);
  const ordered = target({ destinationId: `instance-${id}`, most: 1, ordering: "source" });
  await stream.commit(
    commit({ targets: [ordered], events: [event(`${id}-first`), event(`${id}-second`)] }),
  );
  await expect.poll(() => bodies).toHaveLength(1);
  const statuses = async (query = ""): Promise<string[]> => {
    const { body } = await callV1("GET", `/deliveries?source=instance:${id}${query}`);
    return body.items.map(({ status }: any) => status).toReversed();
  };
  expect(await statuses()).toEqual(["sent", "pending"]);
  expect(await statuses("&status=sent")).toEqual(["sent"]);
  expect(await statuses("&status=pending")).toEqual(["pending"]);
  const listed = await callV1("GET", `/deliveries?source=instance:${id}&status=sent`);
  const one = await callV1("GET", `/deliveries/${listed.body.items[0].id}`);
  expect(one.body).toMatchObject({ status: "sent", settledAt: null, attempts: 0 });

  await consume("tributary-deliveries", bodies.splice(0));
  await expect.poll(() => bodies).toHaveLength(1);
  expect(await statuses()).toEqual(["delivered", "sent"]);
  await consume("tributary-deliveries", bodies.splice(0));
  expect(await statuses()).toEqual(["delivered", "delivered"]);
  const again = await callV1("POST", `/deliveries/${one.body.id}/resend`);
  expect(again).toMatchObject({ status: 202, body: { id: one.body.id, status: "sent" } });
});
