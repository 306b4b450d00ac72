import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cache } from "../../src/values/cache";

describe("a cache", () => {
  it("believes a value until its instant, and not at it", () => {
    const cache = new Cache<string, number>(2);
    cache.set("a", 1, 1_000);
    expect(cache.get("a", 999)).toBe(1);
    expect(cache.get("a", 1_000)).toBeUndefined();
    expect(cache.get("a", 0)).toBeUndefined();
  });

  it("lets go what was used longest ago, and nothing else", () => {
    const cache = new Cache<string, number>(2);
    cache.set("a", 1, Infinity);
    cache.set("b", 2, Infinity);
    expect(cache.get("a", 0)).toBe(1);
    cache.set("c", 3, Infinity);
    expect(["a", "b", "c"].map((key) => cache.get(key, 0))).toEqual([1, undefined, 3]);
  });

  it("takes a key that it has once more without letting go another", () => {
    const cache = new Cache<string, number>(2);
    for (const [key, value] of [
      ["a", 1],
      ["b", 2],
      ["a", 3],
    ] as const)
      cache.set(key, value, 9);
    expect(["a", "b"].map((key) => cache.get(key, 0))).toEqual([3, 2]);
  });

  it("holds as much as its values may weigh together, whatever it is told to forget", () => {
    const cache = new Cache<string, string>(10, (text) => text.length);
    for (const text of ["1234", "12345", "1"]) cache.set(text, text, Infinity);
    expect(["1234", "12345", "1"].map((key) => cache.get(key, 0))).toEqual(["1234", "12345", "1"]);
    cache.delete("12345");
    cache.set("12345", "12345", 5);
    cache.set("22", "22", Infinity);
    expect(["1234", "1"].map((key) => cache.get(key, 9))).toEqual([undefined, "1"]);
    expect(cache.get("12345", 5)).toBeUndefined();
    cache.set("123456", "123456", Infinity);
    expect(["1", "22", "123456"].map((key) => cache.get(key, 9))).toEqual(["1", "22", "123456"]);
    cache.set("12345678901", "12345678901", Infinity);
    expect(cache.get("12345678901", 0)).toBeUndefined();
  });

  it("forgets what it is told to forget", () => {
    const cache = new Cache<string, number>(3);
    for (const key of ["a", "b", "c"]) cache.set(key, 1, Infinity);
    cache.delete("a");
    expect([cache.get("a", 0), cache.get("b", 0)]).toEqual([undefined, 1]);
    cache.clear();
    expect([cache.get("b", 0), cache.get("c", 0)]).toEqual([undefined, undefined]);
  });

  it("answers all that was asked for at once, whatever had to go meanwhile", async () => {
    const asked = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 10 }), fc.array(asked), async (most, batches) => {
        const cache = new Cache<number, string>(most);
        for (const [now, keys] of batches.entries()) {
          const read: number[] = [];
          const found = await cache.getAll(keys, { now, until: now + 3 }, async (missing) => {
            read.push(...missing);
            // Of every seventh, nothing is known.
            return new Map(missing.filter((key) => key % 7 !== 0).map((key) => [key, `${key}!`]));
          });
          const known = new Set(keys.filter((key) => key % 7 !== 0));
          expect(new Map([...known].map((key) => [key, `${key}!`]))).toEqual(found);
          expect(new Set(read).size).toBe(read.length);
        }
      }),
    );
  });

  it("reads only what it does not have", async () => {
    const cache = new Cache<string, number>(10);
    cache.set("a", 1, 5);
    cache.set("b", 2, 4);
    const reads: string[][] = [];
    const read = async (missing: string[]) => {
      reads.push(missing);
      return new Map(missing.map((key) => [key, 7]));
    };
    const found = await cache.getAll(["a", "b", "c", "a"], { now: 4, until: 9 }, read);
    expect(Object.fromEntries(found)).toEqual({ a: 1, b: 7, c: 7 });
    await cache.getAll(["b", "c"], { now: 8, until: 9 }, read);
    expect(reads).toEqual([["b", "c"]]);
  });

  it("lets one caller read anew, while the others still use what there is", async () => {
    const cache = new Cache<string, number>(10);
    let read = 0;
    const ask = (now: number, finds = true) =>
      cache
        .getAll(["a"], { now, until: now + 10, renewAt: now + 6 }, async () => {
          read += 1;
          await Promise.resolve();
          return new Map(finds ? [["a", read]] : []);
        })
        .then((found) => found.get("a"));
    expect([await ask(0), await ask(5), read]).toEqual([1, 1, 1]);
    expect(await Promise.all([ask(6), ask(6), ask(9)])).toEqual([2, 1, 1]);
    expect([await ask(11), read]).toEqual([2, 2]);
    expect(await Promise.all([ask(12, false), ask(12)])).toEqual([undefined, 2]);
    expect([await ask(13), read]).toEqual([4, 4]);
  });
});
