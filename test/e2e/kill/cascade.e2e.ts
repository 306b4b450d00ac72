import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startWorld, type World } from "./world.ts";
import { cases } from "../../cases.ts";

const CLIENTS = 8;
/** The long run is 1,000. */
const CHILDREN = cases(300, 900);

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

it("kill -9 of everything in a cascade of children, twice, tells all changes of one request, children first", async () => {
  const { stack, receiver, apis, made, hook, logOf, allTold } = world;
  const scope = "/environments/full";
  await made("/environments", { name: "full" });
  let next = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (next < CHILDREN) await made(`${scope}/apiservices`, { name: `s${(next += 1)}` });
    }),
  );
  await hook("full", ["one"]);
  receiver.respond = () => ({ status: 200, delayMs: 20 });
  const answer = apis("DELETE", scope)
    .then(({ status }) => status)
    .catch(() => "no answer");
  await Promise.race([answer, sleep(100 + Math.random() * 300)]);
  await stack.kill9();
  expect([204, "no answer"]).toContain(await answer);
  await stack.restart();
  const { body } = await apis("GET", "/environments?query=name==full");
  // Killed before its one transaction was written: as if it had never been asked.
  if (body.length === 1) {
    const { body: children } = await apis("GET", `${scope}/apiservices?pageSize=1000`);
    expect(children).toHaveLength(CHILDREN);
    expect((await apis("DELETE", scope)).status).toBe(204);
  }
  const ticking = stack.tick().catch(() => undefined);
  const before = receiver.deliveries.length;
  await receiver.waitFor(before + 60);
  await stack.kill9();
  await ticking;
  expect(receiver.deliveries.length - before).toBeLessThan(CHILDREN);
  receiver.respond = () => ({ status: 200 });
  await stack.restart();
  const deleted = (await logOf("full")).filter(({ type }) => type === "ResourceDeleted");
  expect(deleted).toHaveLength(CHILDREN + 1);
  expect(new Set(deleted.map(({ correlationId }) => correlationId)).size).toBe(1);
  expect(deleted.at(-1).payload.kind).toBe("Environment");
  await allTold(deleted, "full", ["one"]);
});
