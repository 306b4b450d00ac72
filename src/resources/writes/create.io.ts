import { conflict } from "../../http/refusal";
import type { ScopeName } from "../address";
import { type Cause, changeOf } from "../change";
import { emptyPlan, type Plan } from "../commit.store";
import { addDestinations } from "../destinations.io";
import { type Draft, maskFaults, urlFaults } from "../document";
import { type Key, keyText, type World } from "../key";
import type { Kind } from "../kinds/kind";
import { dataOf, headersOf, type Reference, type Resource } from "../resource";
import { sealData } from "../secret";
import { sealWebhook } from "../webhook-headers";
import { generatedName, inScope, refuse, refuseTooLarge } from "./checks";
import { holderOf, hookWarnings, resolve } from "./resolve";
import {
  type Caller,
  causeOf,
  type Decided,
  untilCommitted,
  worldOf,
  type WriteDoors,
  type Written,
} from "./write.io";

/** Where a resource is made. */
export type Where = { kind: Kind; scope: ScopeName | null };

/** Makes a resource; without a name, under one of its title or an invented one that nobody has. */
export function createResource(
  doors: WriteDoors,
  caller: Caller,
  where: Where,
  draft: Draft,
): Promise<Written & { generated: boolean }> {
  const { organizationId } = caller;
  const generated = draft.name === undefined;
  let taken = 0;
  return untilCommitted(doors, organizationId, async () => {
    const cause = causeOf(doors, caller);
    for (;;) {
      const name = draft.name ?? generatedName(draft.title, taken, Math.random());
      const key: Key = { ...where, name };
      const world = await worldOf(doors.db, organizationId, key, draft.spec);
      const holder = where.scope === null ? undefined : holderOf(world, where.scope);
      if (!world.found.has(keyText(key))) {
        const { plan, result } = await decideCreation(doors, cause, key, draft, world, holder);
        return { plan, result: { ...result, generated } };
      }
      if (!generated)
        throw conflict(`${key.kind.kind} '${name}' exists already${inScope(key.scope)}`, "name");
      taken += 1;
    }
  });
}

async function decideCreation(
  doors: WriteDoors,
  cause: Cause,
  key: Key,
  draft: Draft,
  world: World,
  holder: Resource | undefined,
): Promise<Decided<Written>> {
  if (key.kind.secret !== undefined) refuse(maskFaults("data", dataOf(draft.spec), {}));
  if (key.kind.kind === "Webhook")
    refuse([...urlFaults(draft.spec), ...maskFaults("headers", headersOf(draft.spec), {})]);
  const { references, expects, warnings } = resolve(key.kind, key.scope, draft.spec, world);
  const resource = newResource(doors, cause, key, draft, references, holder);
  refuseTooLarge(resource);
  const plan: Plan = {
    ...emptyPlan(),
    expects: [
      { ...key, id: undefined },
      ...(holder === undefined ? [] : [liveHolder(holder)]),
      ...expects,
    ],
    changes: [changeOf("ResourceCreated", resource, cause, world.listeners)],
    inserts: [resource],
  };
  await addDestinations(doors, plan, resource, world, cause.now);
  return {
    plan,
    result: { resource, warnings: [...warnings, ...hookWarnings(resource, world)] },
  };
}

const liveHolder = ({ kind, name, id }: Resource): Plan["expects"][number] => ({
  kind,
  scope: null,
  name,
  id,
  live: true,
});

function newResource(
  { ring }: WriteDoors,
  { organizationId, now, userId }: Cause,
  key: Key,
  { title, owner, attributes, tags, finalizers, spec }: Draft,
  references: Reference[],
  holder: Resource | undefined,
): Resource {
  const id = crypto.randomUUID().replaceAll("-", "");
  return {
    ...key,
    organizationId,
    id,
    title: title === undefined || title === "" ? key.name : title,
    version: 0,
    state: null,
    createdAt: now,
    createdBy: userId,
    modifiedAt: now,
    modifiedBy: userId,
    content: {
      attributes,
      tags,
      finalizers: finalizers ?? [],
      ...(owner === undefined || owner === null ? {} : { owner }),
      ...(key.kind.kind === "Webhook"
        ? sealWebhook(ring, id, spec)
        : { spec: key.kind.secret === undefined ? spec : sealData(ring, id, spec, {}) }),
      sub: key.kind.initial,
      references,
      deletedReferences: [],
      ...(holder === undefined ? {} : { scopeId: holder.id }),
    },
  };
}
