import type { Component } from "../descriptor";
import { stepDestinationId } from "../ids";

/**
 * The destination of a step. Its `url` is set when every run calls the same address: then a step whose endpoint is
 * unwell can wait until that endpoint is well again. Any other address is known only when the step is rendered.
 */
export function stepDestination(
  flow: { id: string; organizationId: number },
  { id, transform }: Pick<Component, "id" | "transform">,
) {
  return {
    id: stepDestinationId(flow.id, id),
    organizationId: flow.organizationId,
    kind: "flow-step" as const,
    ownerId: flow.id,
    url: fixedUrl(transform),
    headers: {},
    legacyKey: null,
  };
}

/** The address of a step, when all its mappings agree on one that has no placeholder. */
function fixedUrl(transform: unknown): string | null {
  const urls = new Set(JSON.stringify(transform).match(/"url":"[^"\\]*"/g) ?? []);
  const [only] = urls;
  const url = only?.slice(7, -1);
  return urls.size === 1 && url !== undefined && URL.canParse(url) && !url.includes("{{{")
    ? url
    : null;
}
