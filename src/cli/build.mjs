/**
 * Builds what is run or imported from outside into `dist/` (`prepare`): one bundle an entry, so that
 * nothing of `node_modules` is needed beside it.
 */
import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const shared = { bundle: true, format: "esm", logLevel: "warning" };

const command = `${root}dist/cli/tributary.js`;
await build({
  ...shared,
  entryPoints: [`${root}src/cli/tributary.ts`],
  outfile: command,
  target: "node20",
  platform: "node",
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});
chmodSync(command, 0o755);

await build({
  ...shared,
  entryPoints: [`${root}src/sdk/sdk.ts`],
  outfile: `${root}dist/sdk/sdk.js`,
  minify: true,
  target: "es2022",
});
// The declarations: what the SDK uses of browsers, Node and Workers alike.
execFileSync(
  process.execPath,
  [`${root}node_modules/typescript/bin/tsc`, "--project", `${root}src/sdk/tsconfig.json`],
  { stdio: "inherit" },
);
