import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";

type Package = { optionalDependencies?: Record<string, string>; resolved?: string };
const lock = resolve(import.meta.dirname, "../../package-lock.json");
const packages: Record<string, Package> = JSON.parse(readFileSync(lock, "utf8")).packages;

it("locks the optional packages of every platform, or `npm ci` fails on all of them", () => {
  const locked = new Set(Object.keys(packages).map((path) => path.split("node_modules/").at(-1)));
  const wanted = Object.values(packages).flatMap((entry) =>
    Object.keys(entry.optionalDependencies ?? {}),
  );
  expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
});

it("locks versions, not registries", () => {
  expect(Object.keys(packages).filter((path) => packages[path]?.resolved)).toEqual([]);
});
