import type { Keyring } from "../db/sealed";
import { prepareDestination } from "../delivery/save-destination.store";
import type { Plan } from "./commit.store";
import { keyText, type World } from "./key";
import { kindNamed } from "./kinds/registry";
import { namedTargets, resolveReferences } from "./references";
import type { Resource } from "./resource";
import { openValue } from "./secret";
import { readWebhooksOf } from "./relations.store";
import { destinationOf, secretOf } from "./webhook";

/**
 * Adds to the plan of a Webhook its destination, and to that of a Secret the destinations of all Webhooks that name it:
 * a destination holds the secret's value, sealed.
 */
export async function addDestinations(
  { db, ring }: { db: D1Database; ring: Keyring },
  plan: Plan,
  resource: Resource,
  { found }: World,
  now: number,
): Promise<void> {
  if (resource.kind.kind === "Webhook") {
    const named = secretOf(resource);
    const secret =
      named === undefined
        ? undefined
        : found.get(
            keyText({ kind: kindNamed("Secret"), scope: resource.scope, name: named.name }),
          );
    const value =
      named === undefined || secret === undefined ? undefined : openValue(ring, secret, named.key);
    plan.statements.push(
      await prepareDestination(db, ring, destinationOf(ring, resource, value), now),
    );
    // The value that was sealed with the destination must be that of the Secret at this moment.
    if (secret !== undefined) plan.expects.push(versionOf(secret));
    return;
  }
  if (resource.kind.kind !== "Secret") return;
  const users = await readWebhooksOf(db, resource.organizationId, resource.scope, resource.name);
  for (const webhook of users) {
    const named = secretOf(webhook);
    const value = named === undefined ? undefined : openValue(ring, resource, named.key);
    plan.statements.push(
      await prepareDestination(db, ring, destinationOf(ring, webhook, value), now),
    );
    plan.expects.push(versionOf(webhook));
    const ids = new Map([[`Secret ${resource.name}`, resource.id]]);
    const targets = namedTargets(webhook.kind, webhook.content.spec);
    const { references } = resolveReferences(targets, webhook.scope, ids);
    plan.updates.push({ ...webhook, content: { ...webhook.content, references } });
  }
}

const versionOf = ({ kind, scope, name, id, version }: Resource): Plan["expects"][number] => ({
  kind,
  scope,
  name,
  id,
  version,
});
