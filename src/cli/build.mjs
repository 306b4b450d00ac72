/** Builds what other programs import or run from this package into `dist/` (npm's `prepare`). */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

rmSync(`${root}dist/sdk`, { recursive: true, force: true });
await build({
  entryPoints: [`${root}src/sdk/sdk.ts`],
  outfile: `${root}dist/sdk/sdk.js`,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  logLevel: "warning",
});
// The declarations: what the SDK uses of browsers, Node and Workers alike.
execFileSync(
  process.execPath,
  [`${root}node_modules/typescript/bin/tsc`, "--project", `${root}src/sdk/tsconfig.json`],
  { stdio: "inherit" },
);
