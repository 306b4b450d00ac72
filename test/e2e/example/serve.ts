import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { serve, type Server } from "../../vendors/server.ts";

const here = import.meta.dirname;
const TYPES: Record<string, string> = { html: "text/html", js: "text/javascript" };

/** Serves the example page: `<url>/page.html?api=<Tributary>&user=<email>&password=<…>`. */
export async function startExample(): Promise<Server> {
  const root = resolve(here, "../../..");
  execFileSync(process.execPath, [resolve(root, "src/cli/build.mjs")]);
  const files = new Map([
    ["/page.html", await readFile(resolve(here, "page.html"), "utf8")],
    ["/todo.js", await readFile(resolve(here, "todo.js"), "utf8")],
    ["/sdk.js", await readFile(resolve(root, "dist/sdk/sdk.js"), "utf8")],
  ]);
  return serve(({ path }) => {
    const body = files.get(path);
    const type = TYPES[path.split(".").at(-1) ?? ""] ?? "text/plain";
    return body === undefined
      ? { status: 404 }
      : { status: 200, headers: { "content-type": type }, body };
  }, {});
}
