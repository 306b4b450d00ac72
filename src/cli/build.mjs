/**
 * Builds what is run or imported from outside into `dist/` (`prepare`): one bundle an entry, so that
 * nothing of `node_modules` is needed beside it.
 */
import { chmodSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildSdk } from "./sdk.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const command = `${root}dist/cli/tributary.js`;
await build({
  bundle: true,
  format: "esm",
  logLevel: "warning",
  entryPoints: [`${root}src/cli/tributary.ts`],
  outfile: command,
  target: "node20",
  platform: "node",
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});
chmodSync(command, 0o755);

await buildSdk();
