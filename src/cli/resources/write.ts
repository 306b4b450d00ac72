import { applyAll, ordered, place } from "./apply.ts";
import { kindsIn, type Read } from "./documents.ts";
import { type Format, printResources } from "./render.ts";
import { openSession } from "./session.ts";

/** Creates or updates the resources of documents and shows them; exit code 1 when one of them fails. */
export async function write(
  read: Read,
  {
    output,
    subresource,
    createOnly,
  }: { output?: Format; subresource?: string; createOnly: boolean },
): Promise<void> {
  const { api, definitions } = await openSession(kindsIn(read));
  const { placed, failed } = place(read, definitions);
  const applied = await applyAll(api, ordered(placed, definitions), definitions, {
    createOnly,
    subresource,
  });
  if (output !== undefined && applied.resources.length > 0)
    printResources(applied.resources, output);
  if (failed || applied.failed) process.exitCode = 1;
}
