import * as z from "zod";
import { flowFields } from "../fields";
import type { Flow } from "../flow";
import { wizardWithIds } from "./component-ids";

export const cloneRequest = z.object({
  /** Fields of the original that the copy goes without: `-description,-sharedWith`. */
  projection: z.string().default(""),
  isTemplateInstance: z.boolean().default(false),
  setOriginFlowId: z.boolean().default(false),
  setComponentIdMap: z.boolean().default(true),
  additional: flowFields.default({}),
});

/**
 * What a copy takes over from its original, beside the descriptor with new component ids (`flow`, of which `ids`
 * says what was which). A copy that is to be updated with its template also remembers what the template was
 * (`originFlow`).
 */
export function copiedFields(
  origin: Flow,
  flow: Flow["flow"],
  ids: Readonly<Record<string, string>>,
  request: z.infer<typeof cloneRequest>,
  userId: number,
): Partial<Flow> {
  const names = request.projection.split(",");
  const dropped = new Set(
    names.filter((name) => name.startsWith("-")).map((name) => name.slice(1)),
  );
  const copied: Partial<Flow> = {
    description: origin.description,
    customFields: origin.customFields,
    thumbnail: origin.thumbnail,
    wizard: wizardWithIds(origin.wizard, ids),
    // Whom a flow is shared with is for its owner to say.
    ...(origin.userId === userId ? { sharedWith: origin.sharedWith } : {}),
  };
  const kept = Object.entries(copied).filter(([name]) => !dropped.has(name));
  return {
    ...Object.fromEntries(kept),
    ...(request.setComponentIdMap ? { componentIdMap: { ...ids } } : {}),
    ...(request.setOriginFlowId || request.isTemplateInstance
      ? { originFlowId: origin.id, originFlow: flow }
      : {}),
  };
}
