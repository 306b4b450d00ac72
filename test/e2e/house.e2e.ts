import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const importing = (specifier: string, what = "{ x }") => `import ${what} from "${specifier}";`;
const comment = (text: string) => `/** ${text} */\nexport const value = 1;`;
const value = (expression: string) => `export const value = () => ${expression};`;

/** File, its one fault, and the rule that must find it; null: no fault. */
const planted: [file: string, code: string, rule: string | null][] = [
  // Who may call whom.
  ["src/polling/a.ts", importing("../inbound/rule"), "house(rooms)"],
  ["src/polling/b.ts", importing("../flows/rule.ts"), null],
  ["src/polling/c.ts", importing("../instances/rule"), null],
  ["src/resources/a.ts", importing("../instances/rule"), null],
  ["src/resources/b.ts", importing("../polling/rule"), "house(rooms)"],
  ["src/flows/a.ts", importing("../polling/rule"), "house(rooms)"],
  ["src/flows/b.ts", importing("../stream/rule"), null],
  ["src/stream/a.ts", importing("../flows/rule", "type { X }"), "house(rooms)"],
  ["src/stream/b.ts", importing("../delivery/rule"), null],
  ["src/delivery/a.ts", importing("../stream/rule"), "house(rooms)"],
  ["src/delivery/b.ts", `export { x } from "../stream/rule";`, "house(rooms)"],
  ["src/delivery/c.ts", value(`import("../stream/rule")`), "house(rooms)"],
  ["src/delivery/d.ts", importing("../config", "type { Config }"), null],
  ["src/connectors/a.ts", importing("../instances/rule"), "house(rooms)"],
  ["src/instances/a.ts", importing("../hub/rule"), "house(rooms)"],
  ["src/hub/a.ts", importing("../instances/rule"), null],
  ["src/metering/a.ts", importing("../delivery/rule"), "house(rooms)"],
  ["src/values/a.ts", importing("../http/rule"), "house(rooms)"],
  ["src/cli/a.ts", importing("../values/rule"), null],
  ["src/cli/b.ts", importing("../http/rule"), "house(rooms)"],
  ["src/polling/d/e/f/a.ts", importing("../../../rule"), "house(rooms)"],
  ["src/connectors/b.ts", importing("./rule"), null],
  ["src/http/a.ts", importing("../accounts/rule"), "house(rooms)"],
  ["src/db/a.ts", importing("../http/rule"), "house(rooms)"],
  ["src/sdk/a.ts", importing("../stream/rule"), "house(rooms)"],
  ["src/accounts/a.ts", importing("../app"), "house(rooms)"],
  ["src/console/a.ts", importing("../polling/rule"), null],
  ["src/app.ts", importing("./polling/routes"), null],
  ["src/utils/a.ts", value("1"), "house(rooms)"],
  ["src/stream/types.ts", value("1"), "house(rooms)"],
  // Doors.
  ["src/stream/d1.ts", importing("drizzle-orm"), "house(doors)"],
  ["src/stream/d2.ts", importing("drizzle-orm/d1", "type { X }"), null],
  ["src/stream/store.ts", importing("drizzle-orm", "{ sql }") + value("sql`SELECT 1`"), null],
  ["src/stream/d3.ts", importing("hono"), "house(doors)"],
  ["src/stream/d4.ts", importing("cloudflare:workers"), "house(doors)"],
  ["src/stream/d5.ts", importing("./store"), "house(doors)"],
  ["src/stream/d6.ts", importing("node:fs"), "house(doors)"],
  ["src/stream/d7.ts", importing("node:crypto", "{ createHmac }"), null],
  [
    "src/stream/d8.ts",
    importing("node:crypto", "{ randomBytes }"),
    "eslint(no-restricted-imports)",
  ],
  [
    "src/stream/any.object.ts",
    `${importing("cloudflare:workers", "{ DurableObject }")}\nexport class X extends DurableObject {}`,
    null,
  ],
  ["src/stream/any.store.ts", value(`db.prepare("SELECT 1")`), null],
  ["src/stream/any.consumer.ts", "export const f = (batch: MessageBatch) => batch;", null],
  ["src/stream/any.cron.ts", "export function g() {}", null],
  ["src/stream/any.routes.ts", `import { Hono } from "hono";\n${value("new Hono()")}`, null],
  // Doors that are not what they are called: `told` ones are named by index.ts.
  ["src/stream/lie.object.ts", "export class X {}", "house(doors)"],
  [
    "src/stream/half.object.ts",
    `${importing("./any.object", "{ X }")}\nexport class Y extends X {}`,
    null,
  ],
  ["src/stream/lie.store.ts", value("Date.now()"), "house(doors)"],
  [
    "src/stream/lie.consumer.ts",
    "export const f = (batch: MessageBatch) => batch;",
    "house(doors)",
  ],
  ["src/stream/told.consumer.ts", "export const h = (batch: string) => batch;", "house(doors)"],
  ["src/stream/lie.cron.ts", "export function g() {}", "house(doors)"],
  ["src/stream/lie.client.ts", value("Date.now()"), "house(doors)"],
  ["src/stream/lie.routes.ts", value("Date.now()"), "house(doors)"],
  [
    "src/index.ts",
    ["any.object", "any.consumer", "any.cron", "told.consumer"]
      .map((file) => `export * from "./stream/${file}";`)
      .join("\n"),
    null,
  ],
  // Tables.
  ["src/db/accounts.ts", `export const x = sqliteTable("organizations", {});`, null],
  ["src/db/counters.ts", `export const x = sqliteTable("counters", {});`, null],
  ["src/accounts/t1.ts", importing("../db/accounts"), null],
  ["src/flows/t1.ts", importing("../db/accounts", "type { X }"), "house(tables)"],
  ["src/flows/t2.ts", importing("../db/counters"), null],
  ["src/accounts/t2.ts", value(`"SELECT 1 FROM organizations"`), null],
  ["src/flows/t3.ts", value(`"SELECT 1 FROM organizations"`), "house(tables)"],
  [
    "src/flows/t4.ts",
    value(
      "(id: string) => `DELETE FROM x WHERE a IN (SELECT 1 FROM y JOIN organizations ON ${id})`",
    ),
    "house(tables)",
  ],
  ["src/flows/t5.ts", value(`"UPDATE counters SET value = 1"`), "house(tables)"],
  ["src/stream/any.io.ts", value("Date.now()"), null],
  ["src/stream/consumerism.ts", value("Date.now()"), "eslint(no-restricted-properties)"],
  [
    "src/stream/routes.ts",
    `${importing("cloudflare:workers", "{ env }")}\nexport const y = [env, new Hono()];`,
    "eslint(no-restricted-imports)",
  ],
  ["src/stream/e1.ts", value("new Date()"), "house(doors)"],
  ["src/stream/e2.ts", value("new Date(0)"), null],
  ["src/stream/e3.ts", value("Date.now()"), "eslint(no-restricted-properties)"],
  ["src/stream/e4.ts", value("Math.random()"), "eslint(no-restricted-properties)"],
  ["src/stream/e5.ts", value("crypto.randomUUID()"), "eslint(no-restricted-properties)"],
  [
    "src/stream/e6.ts",
    value("crypto.getRandomValues(new Uint8Array(1))"),
    "eslint(no-restricted-properties)",
  ],
  ["src/stream/e7.ts", value(`fetch("https://a.example")`), "eslint(no-restricted-globals)"],
  ["src/stream/e8.ts", value("globalThis.fetch"), "eslint(no-restricted-globals)"],
  ["src/stream/e9.ts", value("setTimeout(() => 1, 1)"), "eslint(no-restricted-globals)"],
  ["src/stream/client.ts", value(`fetch("https://a.example")`), null],
  ["src/http/b.ts", value("Date.now()"), null],
  // Pointers.
  ["src/http/p1.ts", comment("reference vendors.md §3, DB-3; reference v1-api.md"), null],
  ["src/http/p2.ts", comment("reference vendors.md §99"), "house(pointers)"],
  ["src/http/p3.ts", comment("vendors.md §3"), "house(pointers)"],
  ["src/http/p4.ts", comment("reference gone.md"), "house(pointers)"],
  ["src/http/p5.ts", comment("§1"), "house(pointers)"],
  ["src/http/p6.ts", comment("DB-99"), "house(pointers)"],
  ["src/http/p7.ts", comment("RFC 6749 §5.2, UTF-8"), null],
  ["src/http/p8.ts", comment("`gone.ts`"), "house(pointers)"],
  ["src/http/p9.ts", comment("`http/p8.ts`, `citations.ts`"), null],
  ["src/http/q1.ts", comment("reference connector-events-api.md §5.4 and §5.9"), "house(pointers)"],
  // The rules that matter most.
  [
    "src/http/f1.ts",
    "async function f() {}\nexport const g = () => { f(); };",
    "typescript(no-floating-promises)",
  ],
  [
    "src/http/f2.ts",
    "declare const q: () => PromiseLike<1>;\nexport const g = () => { q(); };",
    "typescript(no-floating-promises)",
  ],
  ["src/http/f3.ts", "export type X = any;", "typescript(no-explicit-any)"],
  ["src/http/f4.ts", "export const f = (x?: string) => x!;", "typescript(no-non-null-assertion)"],
  ["src/http/f5.ts", "export const f = (x: number) => x == 1;", "eslint(eqeqeq)"],
  ["src/http/f6.ts", `export const f = () => console.log("x");`, "eslint(no-console)"],
  ["src/cli/f7.ts", `export const f = () => console.log("x");`, null],
  [
    "src/http/f8.ts",
    `import { X } from "./f3";\nexport const f = (x: X) => x;`,
    "typescript(consistent-type-imports)",
  ],
  [
    "src/http/f9.ts",
    `export const f = (x: "a" | "b") => { switch (x) { case "a": return 1; } return 2; };`,
    "typescript(switch-exhaustiveness-check)",
  ],
  ["src/http/g1.ts", `import { g2 } from "./g2";\nexport const g1 = () => g2;`, "import(no-cycle)"],
  ["src/http/g2.ts", `import { g1 } from "./g1";\nexport const g2 = () => g1;`, "import(no-cycle)"],
];

const house = mkdtempSync(join(tmpdir(), "tributary-house-"));
let found: Record<string, string[]> = {};

beforeAll(() => {
  const parts = ["house", "citations", "linear", "promises"].map((name) => `test/${name}.ts`);
  for (const file of [".oxlintrc.json", "tsconfig.json", ".github/reference", ...parts]) {
    cpSync(join(root, file), join(house, file), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(house, "node_modules"));
  for (const [file, code] of planted) {
    mkdirSync(dirname(join(house, file)), { recursive: true });
    const used = /^import (?:type )?\{ (\w+) \}.*;$/.exec(code)?.[1];
    const use =
      used && `\nexport ${code.includes("type {") ? `type Y = ${used}` : `const y = ${used}`};`;
    writeFileSync(join(house, file), `${code}${use ?? ""}\n`);
  }
  const { stdout, stderr } = spawnSync("oxlint", ["--format", "json", "src"], {
    cwd: house,
    encoding: "utf8",
  });
  if (!stdout.startsWith("{")) throw new Error(stdout + stderr);
  const diagnostics: { filename: string; code: string }[] = JSON.parse(stdout).diagnostics;
  found = Object.fromEntries(planted.map(([file]) => [file, []]));
  for (const { filename, code } of diagnostics) found[filename]?.push(code);
});

afterAll(() => rmSync(house, { recursive: true }));

it.each(planted)("the linter judges %s: %s → %s", (file, _, rule) => {
  expect(found[file]).toEqual(rule === null ? [] : [rule]);
});

it("no folder of a room holds a single file", () => {
  const folders = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(folders.filter((folder) => readdirSync(folder).length < 2)).toEqual([]);
});

describe("ARCHITECTURE.md", () => {
  const text = readFileSync(join(root, ".github/ARCHITECTURE.md"), "utf8");

  it("names only files that are there", () => {
    const named = [...text.matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map(([, path = ""]) => path);
    expect(named.length).toBeGreaterThan(50);
    expect(
      named.filter((path) => !existsSync(join(root, "src", path)) && !existsSync(join(root, path))),
    ).toEqual([]);
  });

  it("is read in five minutes", () => {
    expect(text.split(/\s+/).length).toBeLessThanOrEqual(1_100);
  });
});
