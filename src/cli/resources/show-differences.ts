import { ordered, place } from "./apply.ts";
import { differences, diffLines, withDefaults } from "./diff.ts";
import { kindsIn, readDocuments } from "./documents.ts";
import { specSchema } from "./explain.ts";
import { isOperations, specBeside } from "./operations.ts";
import { label, put } from "./render.ts";
import { openSession } from "./session.ts";
import { collectionPath, itemPath } from "./definitions.ts";

/** Shows what applying files would change. */
export async function showDifferences(files: string[]): Promise<void> {
  const read = await readDocuments(files);
  const { api, definitions } = await openSession(kindsIn(read));
  const { placed, failed } = place(read, definitions);
  if (failed) process.exitCode = 1;
  const { body: openApi } = await api.call("GET", "/docs");
  for (const { document, definition, scope, name } of ordered(placed, definitions)) {
    const path = collectionPath(definition, scope, definitions);
    const server = name === undefined ? undefined : await api.get(itemPath(path, name));
    const { content } = document;
    const schema = specSchema(definition, openApi);
    const spec = isOperations(definition)
      ? specBeside(content["spec"], server?.["spec"], schema)
      : withDefaults(content["spec"], schema);
    const wanted = spec === undefined ? content : { ...content, spec };
    const found = differences(server, wanted, definition.subResources);
    const shown = label(definition.kind, name ?? "?", scope);
    if (server === undefined) put(`+ ${shown} would be created`);
    else if (found.length > 0) put(`~ ${shown}`);
    for (const line of server === undefined ? [] : diffLines(found)) put(`  ${line}`);
  }
}
