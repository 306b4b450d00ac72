import type { Keyring } from "../../db/sealed";
import type { Cause } from "../change";
import type { Draft } from "../document";
import {
  type Content,
  dataOf,
  type Reference,
  type Resource,
  visibleSpec,
  type Warning,
} from "../resource";
import { MASK } from "../../values/secret-name";
import { openHeaders, openUrl, sealWebhook } from "../webhook-headers";
import { openValue, sealData } from "../secret";
import { canonicalJson } from "../../values/json";
import { copyDigits } from "../../values/digits";

/** What a write makes of a resource. */
export type Edit = {
  draft?: Draft;
  /** Subresources by name; null removes. */
  sub: Record<string, unknown>;
  /** Remarks on what the write says. */
  warnings: Warning[];
};

/** A resource after an edit: the main part and each subresource count as one update. */
export function edited(
  ring: Keyring,
  current: Resource,
  edit: Edit,
  named: Reference[],
  { now, userId }: Cause,
): Resource {
  const { draft, sub } = edit;
  const steps = (draft === undefined ? 0 : 1) + Object.keys(sub).length;
  const content: Content = {
    ...current.content,
    ...(draft === undefined ? {} : mainOf(ring, current, draft)),
    references: referencesOf(current, named),
    sub: subsOf(current, edit),
  };
  if (draft?.owner === null) delete content.owner;
  return {
    ...current,
    title: draft === undefined ? current.title : draft.title || current.name,
    version: current.version + steps,
    modifiedAt: now,
    modifiedBy: userId,
    content,
  };
}

/** Whether a write makes no difference. What is sealed is sealed anew each time: it is opened. */
export function isSame(
  ring: Keyring,
  current: Resource,
  resource: Resource,
  draft: Draft | undefined,
): boolean {
  const plain = ({ title, content }: Resource): string => {
    const { attributes, tags, finalizers, owner, spec, sub } = content;
    const shown = current.kind.secret === undefined ? spec : { ...spec, data: null };
    return canonicalJson({
      title,
      attributes,
      tags,
      finalizers,
      owner,
      spec: visibleSpec(current.kind, shown),
      sub,
    });
  };
  if (plain(current) !== plain(resource)) return false;
  if (current.kind.kind === "Webhook")
    return canonicalJson(sentBy(ring, current)) === canonicalJson(sentBy(ring, resource));
  if (current.kind.secret === undefined || draft === undefined) return true;
  const wanted = Object.entries(dataOf(draft.spec));
  return (
    wanted.length === Object.keys(dataOf(current.content.spec)).length &&
    wanted.every(([key, value]) => value === MASK || openValue(ring, current, key) === value)
  );
}

const sentBy = (ring: Keyring, webhook: Resource): object => ({
  url: openUrl(ring, webhook),
  headers: openHeaders(ring, webhook),
});

function mainOf(ring: Keyring, current: Resource, draft: Draft): Partial<Content> {
  const { attributes, tags, finalizers, owner, spec } = draft;
  const { id, kind, content } = current;
  return {
    attributes,
    tags,
    finalizers: finalizers ?? content.finalizers,
    ...(owner === undefined || owner === null ? {} : { owner }),
    ...(kind.kind === "Webhook"
      ? sealWebhook(ring, id, spec, current)
      : {
          spec: kind.secret === undefined ? spec : sealData(ring, id, spec, dataOf(content.spec)),
        }),
  };
}

/** A resource that waits for its deletion keeps its references, so that what it named is not deleted before it. */
function referencesOf({ state, content }: Resource, named: Reference[]): Reference[] {
  if (state === null) return named;
  const ids = new Set(named.map(({ id }) => id));
  return [...content.references.filter(({ id }) => !ids.has(id)), ...named];
}

function subsOf({ content }: Resource, { sub }: Edit): Record<string, unknown> {
  const merged = Object.entries({ ...content.sub, ...sub }).filter(([, value]) => value !== null);
  return copyDigits(sub, copyDigits(content.sub, Object.fromEntries(merged)));
}
