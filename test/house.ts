/**
 * Lint rules that keep the house in order (loaded by `.oxlintrc.json`): `rooms` says who may call whom,
 * `doors` which files may touch the world, and that they do what their names say, `tables` that only its owner
 * touches a table, `pointers` that what comments point at is there, `linear` that no regular expression takes
 * longer than its text is long.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readLibrary, strayPointers } from "./citations.ts";
import { slowness } from "./linear.ts";
import { brokenPromise, readOwners, tablesIn } from "./promises.ts";

/** As much of a linter's syntax tree and context as the rules look at. */
type Node = {
  regex?: { pattern: string; flags: string };
  /** Of a literal; of a piece of a template, its text. */
  value?: unknown;
  source?: { type: string; value?: unknown } | null;
  importKind?: string;
  exportKind?: string;
  callee: { type: string; name?: string };
  arguments: unknown[];
};
type Context = {
  filename: string;
  sourceCode: { text: string };
  report(fault: { node: Node; message: string }): void;
};

/** The rooms from the ground up: a room imports those on the lines above its own, and none beside it. */
const storeys = [
  ["values"],
  ["http", "db", "expressions"],
  ["metering", "accounts"],
  ["event-types"],
  ["delivery"],
  ["stream"],
  ["operations", "flows", "connectors"],
  ["subscriptions"],
  ["instances"],
  ["hub"],
  ["elements"],
  ["polling", "inbound", "app-events", "resources", "publish"],
  ["console"],
];

/** Room → the rooms it may import. Only `index.ts` and `app.ts` see everything. */
const mayImport: Record<string, string[]> = {
  ...Object.fromEntries(
    storeys.flatMap((rooms, level) =>
      rooms.map((room): [string, string[]] => [room, storeys.slice(0, level).flat()]),
    ),
  ),
  sdk: [],
  cli: ["sdk", "connectors", "values"],
};

const doorless = ["values", "db", "http", "sdk", "cli"];
const door = /(^|\.)(routes|store|object|consumer|cron|client|io)(\.tsx?)?$/;
const world =
  /^(drizzle-orm(\/|$)|cloudflare:|node:(?!crypto|buffer|zlib)|hono(\/(?!jsx|html|css)|$))/;

/** A file's room and name: src/hub/budget/limit.ts → `hub`, limit.ts; undefined outside the rooms. */
function place(path: string): { room: string; file: string } | undefined {
  const parts = path.replaceAll("\\", "/").split("/src/").at(-1)?.split("/") ?? [];
  const [room, file] = [parts[0], parts.at(-1)];
  return parts.length > 1 && room && file ? { room, file } : undefined;
}

/** The absolute path that a relative specifier names, or undefined for a package. */
function target(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return new URL(specifier, `file://${from.replaceAll("\\", "/")}`).pathname;
}

/** Visits every import, re-export and dynamic import that names a module literally. */
function onImport(visit: (node: Node, specifier: string, typeOnly: boolean) => void) {
  const see = (node: Node) => {
    const specifier = node.source?.value;
    if (typeof specifier !== "string") return;
    visit(node, specifier, (node.importKind ?? node.exportKind) === "type");
  };
  return {
    ImportDeclaration: see,
    ExportNamedDeclaration: see,
    ExportAllDeclaration: see,
    ImportExpression: see,
  };
}

const rooms = {
  create(context: Context) {
    const here = place(context.filename);
    if (!here) return {};
    const allowed = mayImport[here.room];
    if (!allowed || /^(index|types|utils|helpers)\.tsx?$/.test(here.file)) {
      const message = `"${here.room}/${here.file}" has no place in the house`;
      return { Program: (node: Node) => context.report({ node, message }) };
    }
    return onImport((node, specifier) => {
      const path = target(context.filename, specifier);
      if (path === undefined) return;
      if (specifier.startsWith("../../../")) {
        const message = `"${specifier}" climbs more than two levels`;
        return context.report({ node, message });
      }
      // `npm start` runs the emulators of the tests as its demo.
      if (here.room === "cli" && path.includes("/test/vendors/")) return;
      // The SDK as it is served: text, and no code of any room.
      if (here.room === "http" && path.includes("/dist/sdk/served/")) return;
      const there = place(path);
      if (there?.room === here.room) return;
      if (there ? allowed.includes(there.room) : /\/src\/config(\.ts)?$/.test(path)) return;
      const message = `Room "${here.room}" may not import "${specifier}": see .github/ARCHITECTURE.md`;
      context.report({ node, message });
    });
  },
};

const root = join(import.meta.dirname, "..");
const index = readFileSync(join(root, "src/index.ts"), "utf8");

const doors = {
  create(context: Context) {
    const here = place(context.filename);
    if (!here || doorless.includes(here.room)) return {};
    if (door.test(here.file)) {
      const path = context.filename.replaceAll("\\", "/").split("/src/").at(-1) ?? "";
      const { text } = context.sourceCode;
      const message = brokenPromise(path.replace(/\.tsx?$/, ""), text, index);
      if (message === undefined) return {};
      return { Program: (node: Node) => context.report({ node, message }) };
    }
    const pure = `"${here.file}" is a pure file:`;
    return {
      ...onImport((node, specifier, typeOnly) => {
        if (typeOnly) return;
        if (world.test(specifier) || door.test(specifier.split("/").at(-1) ?? "")) {
          context.report({ node, message: `${pure} it may not import "${specifier}"` });
        }
      }),
      NewExpression(node: Node) {
        const clock = node.callee.type === "Identifier" && node.callee.name === "Date";
        if (clock && node.arguments.length === 0) {
          context.report({ node, message: `${pure} it takes "now" as an argument` });
        }
      },
    };
  },
};

const owners = readOwners(root, Object.keys(mayImport));

const tables = {
  create(context: Context) {
    const here = place(context.filename);
    if (!here) return {};
    const refuse = (node: Node, owner: string) => {
      if (owner === here.room) return;
      context.report({
        node,
        message: `Room "${here.room}" asks "${owner}" for what is in its tables`,
      });
    };
    const see = (node: Node, text: unknown) => {
      if (typeof text !== "string") return;
      for (const table of tablesIn(text)) refuse(node, owners.get(table) ?? here.room);
    };
    return {
      ...onImport((node, specifier) => {
        const there = place(target(context.filename, specifier) ?? "");
        const owner = there?.file.replace(/\.ts$/, "") ?? "";
        if (here.room !== "db" && there?.room === "db" && owner in mayImport) refuse(node, owner);
      }),
      Literal: (node: Node) => see(node, node.value),
      TemplateElement: (node: Node) => see(node, (node.value as { raw?: unknown }).raw),
    };
  },
};

const library = readLibrary(root);

const pointers = {
  create(context: Context) {
    return {
      Program(node: Node) {
        const stray = strayPointers(context.sourceCode.text, library);
        for (const message of stray) context.report({ node, message });
      },
    };
  },
};

const linear = {
  create(context: Context) {
    // The command line reads what lies on its user's own machine.
    const here = context.filename.replaceAll("\\", "/").split("/src/")[1];
    if (here === undefined || here.startsWith("cli/")) return {};
    const advice = "use a loop or RE2JS";
    const assembled = (node: Node) => {
      if (node.callee.type !== "Identifier" || node.callee.name !== "RegExp") return;
      const message = `An assembled regular expression can't be checked: ${advice}`;
      context.report({ node, message });
    };
    return {
      Literal(node: Node) {
        if (!node.regex) return;
        const reason = slowness(new RegExp(node.regex.pattern, node.regex.flags));
        if (reason === undefined) return;
        const message = `Its time may grow faster than the text, since ${reason}: ${advice}`;
        context.report({ node, message });
      },
      NewExpression: assembled,
      CallExpression: assembled,
    };
  },
};

export default { meta: { name: "house" }, rules: { rooms, doors, tables, pointers, linear } };
