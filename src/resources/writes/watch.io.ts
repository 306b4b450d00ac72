import type { State } from "../../accounts/audited-values";
import { hidden } from "../../accounts/audited-values";
import { watchChange } from "../../accounts/watch.io";
import type { Key } from "../key";
import type { ApisContext } from "../read.io";
import { readConfig } from "../../config";
import { type Keyring, keyring } from "../../db/sealed";
import { openHeaders } from "../webhook-headers";
import { dataOf, type Resource } from "../resource";
import { readResource } from "../store";

/** Tells the audit log that a request may change a resource; `before` is undefined for one that was just made. */
export function watchResource(c: ApisContext, key: Key, before: Resource | undefined): void {
  const { organizationId } = c.var.asker;
  const ring = keyring(readConfig(c.env).masterKeys);
  watchChange(
    c,
    () => (before === undefined ? {} : stateOf(ring, before)),
    async () => {
      const now = await readResource(c.env.DB, organizationId, key);
      return now && stateOf(ring, now);
    },
  );
}

/** Kinds whose changes the audit log holds; those of all others are in the resources' own log. */
const AUDITED = new Set(["Webhook", "ResourceHook", "Secret"]);

/** The same for one that may be there. */
export async function watchKnown(c: ApisContext, key: Key, isRemoval = false): Promise<void> {
  // Every removal is audited: it may take such things along.
  if (!AUDITED.has(key.kind.kind) && !isRemoval) return;
  const known = await readResource(c.env.DB, c.var.asker.organizationId, key);
  if (known !== undefined) watchResource(c, key, known);
}

/** What the log compares of a resource: of what is sealed, only that it was changed. */
function stateOf(ring: Keyring, resource: Resource): State {
  const { kind, title, state, content } = resource;
  const { attributes, tags, finalizers, owner, sub } = content;
  const spec = specOf(ring, resource);
  return { title, state, attributes, tags, finalizers, owner, spec, ...sub, kind: kind.kind };
}

function specOf(ring: Keyring, resource: Resource): State {
  const { kind, content } = resource;
  const { spec } = content;
  if (kind.kind === "Webhook") return { ...spec, headers: openHeaders(ring, resource) };
  if (kind.secret === undefined) return spec;
  const data = Object.entries(dataOf(spec)).map(([key, sealed]) => [key, hidden(sealed)]);
  return { ...spec, data: Object.fromEntries(data) };
}
