/** How long the check of an event's data by its type's schema takes: `node test/bench/schema-check.ts`. */
import { build } from "esbuild";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { print } from "./report.ts";

const root = resolve(import.meta.dirname, "../..");
const ROUNDS = 11;
const CHECKS = 1_000;

const text = (more: object = {}) => ({ type: "string", minLength: 1, ...more });
const SCHEMA = {
  type: "object",
  required: ["id", "customer", "lines"],
  additionalProperties: false,
  properties: {
    id: text({ pattern: "^[A-Z]{2}-[0-9]+$", maxLength: 12 }),
    at: text({ format: "date-time" }),
    state: { enum: ["open", "paid"] },
    total: { type: "number", minimum: 0, multipleOf: 0.01 },
    customer: {
      type: "object",
      required: ["name"],
      properties: { name: text(), email: text({ format: "email" }), vip: { type: "boolean" } },
    },
    tags: { type: "array", uniqueItems: true, items: text() },
    lines: { type: "array", minItems: 1, items: { $ref: "#/$defs/line" } },
  },
  $defs: {
    line: {
      type: "object",
      required: ["sku", "quantity"],
      properties: {
        sku: text(),
        quantity: { type: "integer", minimum: 1 },
        price: { type: "number" },
        gift: { type: "boolean" },
        note: { type: ["string", "null"] },
      },
    },
  },
};
const DATA = {
  id: "AB-123",
  at: "2026-01-31T12:00:00Z",
  state: "paid",
  total: 12.57,
  customer: { name: "Anna", email: "anna@example.com", vip: true },
  tags: ["a", "b", "c"],
  lines: Array.from({ length: 27 }, (_, index) => ({
    sku: `sku-${index}`,
    quantity: index + 1,
    price: 12.5,
    gift: false,
    note: null,
  })),
};
/** The last of its lines is wrong. */
const WRONG = { ...DATA, lines: [...DATA.lines, { sku: "", quantity: 1 }] };

type Checked = { "data, checked by its schema": string; bytes: number; "CPU µs": number };

/** CPU time of one check of dense data of 2 KB that is right, and of one that is wrong: the median of rounds. */
export async function schemaChecks(folder: string): Promise<Checked[]> {
  const outfile = join(folder, "event-type.mjs");
  await build({
    entryPoints: [join(root, "src/event-types/event-type.ts")],
    bundle: true,
    format: "esm",
    platform: "node",
    outfile,
    logLevel: "error",
    banner: {
      js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`,
    },
  });
  const { faultsOf } = await import(pathToFileURL(outfile).href);
  return [
    { what: "right", data: DATA, faults: 0 },
    { what: "with one fault", data: WRONG, faults: 1 },
  ].map(({ what, data, faults }) => {
    const type = { schema: SCHEMA };
    if (faultsOf(type, data).length !== faults) throw new Error(`Expected ${faults} faults`);
    const rounds = Array.from({ length: ROUNDS }, () => {
      const before = process.cpuUsage();
      for (let done = 0; done < CHECKS; done += 1) faultsOf(type, data);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / CHECKS;
    });
    const middle = rounds.toSorted((one, other) => one - other)[Math.floor(ROUNDS / 2)] ?? 0;
    const bytes = Buffer.byteLength(JSON.stringify(data));
    return { "data, checked by its schema": what, bytes, "CPU µs": Math.round(middle) };
  });
}

if (process.argv[1] === import.meta.filename)
  print(await schemaChecks(mkdtempSync(join(tmpdir(), "tributary-bench-"))));
