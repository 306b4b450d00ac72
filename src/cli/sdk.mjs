/**
 * Builds the SDK: into `dist/sdk/` for those who import the package, and into `dist/sdk/served/` as the texts that the
 * Worker serves to browsers. Whoever bundles the Worker calls it first.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const source = `${root}src/sdk/`;
const target = `${root}dist/sdk/`;
const last = "served/sdk.d.ts.txt";

/** The declarations that the SDK's own bring together, so that one address serves all of them. */
const declarations = ["request", "client", "callback"];

/** @param {string} path 0 where nothing is */
const changedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function isFresh() {
  const builtAt = changedAt(target + last);
  const sources = [
    ...readdirSync(source).map((name) => source + name),
    fileURLToPath(import.meta.url),
  ];
  return sources.every((path) => changedAt(path) < builtAt);
}

/**
 * Another may read the file, or write it too: it is whole at each moment.
 * @param {string} name
 * @param {string} text
 */
function write(name, text) {
  const path = `${target}${name}`;
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
}

/**
 * @param {string} entry
 * @param {import("esbuild").Format} format
 */
async function bundled(entry, format) {
  const options = { bundle: true, write: false, minify: true, target: "es2022", format };
  const { outputFiles } = await build({
    ...options,
    logLevel: "warning",
    entryPoints: [source + entry],
  });
  return outputFiles[0]?.text ?? "";
}

/** Does nothing when nothing changed since the last time. */
export async function buildSdk() {
  if (isFresh()) return;
  mkdirSync(`${target}served`, { recursive: true });
  const [module, script] = [await bundled("sdk.ts", "esm"), await bundled("global.ts", "iife")];
  // The declarations: what the SDK uses of browsers, Node and Workers alike.
  const compiler = `${root}node_modules/typescript/bin/tsc`;
  execFileSync(process.execPath, [compiler, "--project", `${source}tsconfig.json`], {
    stdio: "inherit",
  });
  write("sdk.js", module);
  write("served/sdk.js.txt", module);
  write("served/appmixer.js.txt", script);
  const types = declarations.map((name) => readFileSync(`${target}${name}.d.ts`, "utf8"));
  write(last, types.join("").replaceAll(/^import .*\n/gm, ""));
}
