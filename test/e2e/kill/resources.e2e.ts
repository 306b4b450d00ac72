import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startWorld, type World } from "./world.ts";
import { cases } from "../../cases.ts";

const CLIENTS = 8;
const ROUNDS = cases(1, 20);

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

it("kill -9 of everything at random moments of a load of changes loses none that was committed, and tells none twice", async () => {
  const { stack, apis, made, hook, logOf, allTold } = world;
  await hook("load", ["one", "two"]);
  await made("/environments", { name: "load" });
  const acknowledged: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    let running = true;
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let index = 0; running; index += 1) {
        const name = `r${round}-c${client}-${index}`;
        const reply = await apis("POST", "/environments/load/apiservices", { name }).catch(
          () => undefined,
        );
        if (reply?.status === 201) acknowledged.push(name);
        else if (reply !== undefined) expect(reply).toBeUndefined();
        else await sleep(50);
      }
    });
    while (acknowledged.length < 2 * CLIENTS * (round + 1)) await sleep(10);
    await sleep(Math.random() * 300);
    await stack.kill9();
    running = false;
    await Promise.all(clients);
    await stack.restart();
  }
  const logged = await logOf("load");
  const names = new Set(logged.map(({ payload }) => payload.name));
  for (const name of acknowledged) expect(names).toContain(name);
  expect(names.size).toBe(logged.length);
  const { body } = await apis("GET", "/environments/load/apiservices?pageSize=1000");
  expect(new Set([...body.map(({ name }: any) => name), "load"])).toEqual(names);
  await allTold(logged, "load", ["one", "two"]);
});
