/**
 * Builds what is run or imported from outside into `dist/` (`prepare`): one bundle an entry, so that
 * nothing of `node_modules` is needed beside it.
 */
import { chmodSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Entry below `src/` → what it runs on. */
const entries = { "cli/tributary": "node" };

for (const [entry, platform] of Object.entries(entries)) {
  const outfile = `${root}dist/${entry}.js`;
  await build({
    entryPoints: [`${root}src/${entry}.ts`],
    outfile,
    bundle: true,
    format: "esm",
    target: "node20",
    platform: platform === "node" ? "node" : "neutral",
    banner:
      platform === "node"
        ? {
            js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
          }
        : {},
    logLevel: "warning",
  });
  if (platform === "node") chmodSync(outfile, 0o755);
}
