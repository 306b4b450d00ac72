import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { isSameResource, where } from "./apply.ts";
import { readDocuments } from "./documents.ts";
import { Failure } from "./failure.ts";
import { placesOf } from "./get.ts";
import { say } from "./render.ts";
import { openSession } from "./session.ts";
import { itemPath } from "./definitions.ts";
import { write } from "./write.ts";

/** Opens a resource in the user's editor and applies what is saved. The file is kept when that fails. */
export async function editResource(
  kind: string,
  name: string,
  scope: string | undefined,
): Promise<void> {
  const { api, definitions } = await openSession([kind]);
  const [at] = placesOf(kind, scope, true, definitions);
  const resource = at === undefined ? undefined : await api.get(itemPath(at.path, name));
  if (resource === undefined) throw new Failure(`"${kind}/${name}" does not exist`);
  const folder = mkdtempSync(join(tmpdir(), "tributary-edit-"));
  const path = join(folder, `${name}.yaml`);
  try {
    const before = stringify(resource);
    writeFileSync(path, before, { mode: 0o600 });
    const editor = process.env["VISUAL"] || process.env["EDITOR"] || "vi";
    const { status } = spawnSync(`${editor} "${path}"`, { shell: true, stdio: "inherit" });
    if (status !== 0) throw new Failure(`The editor ended with exit code ${status}`);
    if (readFileSync(path, "utf8") === before) return say("Nothing was changed.");
    const read = await readDocuments([path]);
    const other = read.documents.find(({ content }) => !isSameResource(content, resource));
    if (other === undefined) return await write(read, { createOnly: false });
    say(`✖ ${where(other, "name")}: Kind, name and scope can't be edited`);
    process.exitCode = 1;
  } finally {
    if (process.exitCode === undefined) rmSync(folder, { recursive: true, force: true });
    else say(`⚠ What you wrote is kept in ${path}`);
  }
}
