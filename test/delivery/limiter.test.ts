import { expect, it } from "vitest";
import { Laggards } from "../../src/delivery/laggards";
import { Limiter } from "../../src/delivery/limiter";
import type { Millis } from "../../src/values/instant";

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Tasks that end when they are told to. */
function tasks(limiter: Limiter) {
  const running: string[] = [];
  const ends = new Map<string, () => void>();
  const results = new Map<string, string | undefined>();
  const run = (owner: string, name: string): void => {
    const task = async (): Promise<string> => {
      running.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      return `${name} done`;
    };
    void limiter.run(owner, task).then((result) => results.set(name, result));
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await turn();
  };
  return { running, results, run, end };
}

it("runs so many tasks at a time, in the order they came", async () => {
  const { running, results, run, end } = tasks(new Limiter(2));
  for (const name of ["a", "b", "c", "d"]) run("anybody", name);
  expect(running).toEqual(["a", "b"]);
  await end("b");
  expect(running).toEqual(["a", "b", "c"]);
  await end("a");
  expect(running).toEqual(["a", "b", "c", "d"]);
  expect([...results]).toEqual([
    ["b", "b done"],
    ["a", "a done"],
  ]);
});

it("sends those away that wait, but for whom may stay, and keeps its width", async () => {
  const limiter = new Limiter(1);
  const { running, results, run, end } = tasks(limiter);
  for (const [owner, name] of [
    ["slow", "a"],
    ["well", "b"],
    ["slow", "c"],
    ["well", "d"],
  ] as const)
    run(owner, name);
  limiter.dismiss((owner) => owner === "slow");
  await turn();
  expect([...results]).toEqual([
    ["b", undefined],
    ["d", undefined],
  ]);
  expect(running).toEqual(["a"]);
  await end("a");
  expect(running).toEqual(["a", "c"]);
  run("well", "e");
  expect(running).toEqual(["a", "c"]);
  await end("c");
  expect(running).toEqual(["a", "c", "e"]);
});

it("knows who lets a call wait for longer than two seconds, until that call is over", () => {
  const laggards = new Laggards();
  const lagging = (now: Millis): boolean => laggards.has("one", now);
  laggards.begin("one", 0);
  laggards.begin("one", 500);
  laggards.begin("other", 5_000);
  expect([lagging(1_999), lagging(2_000)]).toEqual([false, true]);
  laggards.end("one", 0);
  expect([lagging(2_499), lagging(2_500)]).toEqual([false, true]);
  laggards.end("one", 500);
  expect([lagging(2_500), laggards.has("other", 5_100)]).toEqual([false, false]);
});
