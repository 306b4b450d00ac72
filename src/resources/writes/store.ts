import type { Config } from "../../config";
import type { Keyring } from "../../db/sealed";
import { conflict, invalid, Refusal } from "../../http/refusal";
import type { ScopeName } from "../address";
import { type Cause, changeOf } from "../change";
import { commitPlan, emptyPlan, type Plan } from "../commit/store";
import { addDestinations } from "../destinations/store";
import { type Draft, maskFaults } from "../document";
import { type Key, keyText, type World } from "../key";
import type { Kind } from "../kinds/kind";
import { kindNamed, type Version } from "../kinds/registry";
import { handOver } from "../log/store";
import { namedTargets } from "../references";
import {
  canonical,
  type Content,
  dataOf,
  MASK,
  type Reference,
  type Resource,
  type Warning,
} from "../resource";
import { openValue, sealData } from "../secret";
import { readWorld } from "../store";
import {
  generatedName,
  inScope,
  missing,
  refuse,
  refuseNewFinalizers,
  refuseStale,
  refuseTooLarge,
} from "./checks";
import { holderOf, hookWarnings, resolve } from "./resolve";

/** What a write needs of the world. */
export type WriteDoors = {
  db: D1Database;
  streams: Env["EVENT_STREAMS"];
  ring: Keyring;
  config: Config;
  /** Runs after the answer; what it loses, the cron tick finds. */
  later: (work: Promise<unknown>) => void;
};

/** Who writes, and through which version of the API. */
export type Caller = {
  organizationId: number;
  userId: number;
  correlationId: string;
  version: Version;
};

export type Written = {
  resource: Resource;
  warnings: Warning[];
  /** Nothing was different, and the caller wanted nothing written then. */
  unchanged?: true;
};
/** A write that was decided for the world as it was read. */
export type Decided<T> = { plan: Plan; result: T };

/** Writers of one resource at a time; each round of them lets one through. */
const MOST_TRIES = 300;

export function causeOf({ config }: WriteDoors, caller: Caller): Cause {
  return {
    organizationId: caller.organizationId,
    userId: String(caller.userId),
    correlationId: caller.correlationId,
    version: caller.version,
    product: config.product,
    now: Date.now(),
    newId: () => crypto.randomUUID(),
  };
}

/** Decides and writes, again from the start when another writer came between. */
export async function untilCommitted<T>(
  doors: WriteDoors,
  organizationId: number,
  decide: (tries: number) => Promise<Decided<T>>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const { plan, result } = await decide(tries);
    if ((await commitPlan(doors.db, organizationId, plan)) === "committed") {
      doors.later(handOverOrLog(doors, organizationId, plan));
      return result;
    }
    if (tries >= MOST_TRIES)
      throw new Refusal({ kind: "unavailable", message: "Too many writers at once" });
    await scheduler.wait(Math.random() * 10 * Math.min(tries, 10));
  }
}

async function handOverOrLog(
  { db, streams }: WriteDoors,
  organizationId: number,
  { changes }: Plan,
): Promise<void> {
  try {
    await handOver({ db, streams }, organizationId, changes);
  } catch (error) {
    // Nothing is lost: the cron tick finds what the streams do not have.
    console.warn(JSON.stringify({ at: "resources.hand-over", error: String(error) }));
  }
}

export function createResource(
  doors: WriteDoors,
  caller: Caller,
  where: { kind: Kind; scope: ScopeName | null },
  draft: Draft,
): Promise<Written & { generated: boolean }> {
  const { kind, scope } = where;
  const { organizationId } = caller;
  const generated = draft.name === undefined;
  let taken = 0;
  return untilCommitted(doors, organizationId, async () => {
    const cause = causeOf(doors, caller);
    for (;;) {
      const name = draft.name ?? generatedName(draft.title, taken, Math.random());
      const key: Key = { kind, scope, name };
      const world = await worldOf(doors.db, organizationId, key, draft.spec);
      const holder = scope === null ? undefined : holderOf(world, scope);
      if (world.found.has(keyText(key))) {
        if (!generated)
          throw conflict(`${kind.kind} '${name}' exists already${inScope(scope)}`, "name");
        taken += 1;
        continue;
      }
      const id = crypto.randomUUID().replaceAll("-", "");
      refuse(maskFaults(draft.spec, {}));
      const resolved = resolve(kind, scope, draft.spec, world);
      const content: Content = {
        attributes: draft.attributes,
        tags: draft.tags,
        finalizers: draft.finalizers ?? [],
        ...(draft.owner === undefined || draft.owner === null ? {} : { owner: draft.owner }),
        spec: kind.secret === undefined ? draft.spec : sealData(doors.ring, id, draft.spec, {}),
        sub: {},
        references: resolved.references,
        deletedReferences: [],
        ...(holder === undefined ? {} : { scopeId: holder.id }),
      };
      const resource: Resource = {
        organizationId,
        kind,
        scope,
        name,
        id,
        title: draft.title === undefined || draft.title === "" ? name : draft.title,
        version: 0,
        state: null,
        createdAt: cause.now,
        createdBy: cause.userId,
        modifiedAt: cause.now,
        modifiedBy: cause.userId,
        content,
      };
      refuseTooLarge(resource);
      const plan: Plan = {
        ...emptyPlan(),
        expects: [
          { ...key, id: undefined },
          ...(holder === undefined
            ? []
            : [
                {
                  kind: holder.kind,
                  scope: null,
                  name: holder.name,
                  id: holder.id,
                  live: true as const,
                },
              ]),
          ...resolved.expects,
        ],
        changes: [changeOf("ResourceCreated", resource, cause, world.listeners)],
        inserts: [resource],
      };
      await addDestinations(doors, plan, resource, world, cause.now);
      const warnings = [...resolved.warnings, ...hookWarnings(resource, world)];
      return { plan, result: { resource, warnings, generated } };
    }
  });
}

/** What a write makes of a resource. */
export type Edit = {
  draft?: Draft;
  /** Subresources by name; null removes. */
  sub: Record<string, unknown>;
};

/** What a change is asked with. */
export type Request = {
  key: Key;
  /** The version the caller has seen. */
  expected: string | undefined;
  /** Write nothing, and tell nobody, when nothing differs. */
  onlyIfChanged: boolean;
  /** What `edit` will make of the spec, where that is known: saves a question. */
  spec: Record<string, unknown> | undefined;
  edit: (current: Resource) => Edit;
  /** Stands in for the change when the last finalizer of a dying resource goes. */
  removed: (resource: Resource, cause: Cause) => Promise<Decided<Written>>;
};

/** Changes a resource by what the request makes of it as it is. */
export function changeResource(
  doors: WriteDoors,
  caller: Caller,
  { key, expected, onlyIfChanged, spec, edit, removed }: Request,
): Promise<Written> {
  const { organizationId } = caller;
  return untilCommitted(doors, organizationId, async () => {
    const cause = causeOf(doors, caller);
    const first = await worldOf(doors.db, organizationId, key, spec ?? {});
    const current = first.found.get(keyText(key));
    if (current === undefined) throw missing(key);
    const change = edit(current);
    const { draft } = change;
    refuseStale(current, draft?.resourceVersion ?? expected);
    if (draft?.name !== undefined && draft.name !== key.name)
      throw invalid(`The name can't be changed from '${key.name}' to '${draft.name}'`, "name");
    const stored = dataOf(current.content.spec);
    const world =
      draft === undefined || draft.spec === spec
        ? first
        : await worldOf(doors.db, organizationId, key, draft.spec);
    const resolved =
      draft === undefined
        ? { references: current.content.references, warnings: [], expects: [] }
        : resolve(current.kind, current.scope, draft.spec, world);
    const steps = (draft === undefined ? 0 : 1) + Object.keys(change.sub).length;
    const resource: Resource = {
      ...current,
      title: draft === undefined ? current.title : draft.title || current.name,
      version: current.version + steps,
      modifiedAt: cause.now,
      modifiedBy: cause.userId,
      content: {
        ...current.content,
        references: referencesOf(current, resolved.references),
        sub: subsOf(current, change),
      },
    };
    if (draft !== undefined) {
      if (current.kind.secret !== undefined) refuse(maskFaults(draft.spec, stored));
      resource.content = { ...resource.content, ...mainOf(doors.ring, current, draft, stored) };
      refuseNewFinalizers(current, resource);
      if (draft.owner === null) delete resource.content.owner;
    }
    refuseTooLarge(resource);
    if (onlyIfChanged && isSame(doors.ring, current, resource, draft))
      return {
        plan: emptyPlan(),
        result: { resource: current, warnings: resolved.warnings, unchanged: true },
      };
    if (resource.state === "DELETING" && resource.content.finalizers.length === 0)
      return removed({ ...resource, version: current.version }, cause);
    const plan: Plan = {
      ...emptyPlan(),
      expects: [{ ...key, id: current.id, version: current.version }, ...resolved.expects],
      changes: [
        ...(draft === undefined
          ? []
          : [changeOf("ResourceUpdated", resource, cause, world.listeners)]),
        ...Object.keys(change.sub).map((sub) =>
          changeOf("SubResourceUpdated", resource, cause, world.listeners, sub),
        ),
      ],
      updates: [resource],
    };
    if (draft !== undefined) await addDestinations(doors, plan, resource, world, cause.now);
    const warnings = [...resolved.warnings, ...hookWarnings(resource, world)];
    return { plan, result: { resource, warnings } };
  });
}

/** Whether a write makes no difference. A Secret's values are sealed anew each time: they are opened. */
function isSame(
  ring: Keyring,
  current: Resource,
  resource: Resource,
  draft: Draft | undefined,
): boolean {
  const plain = ({ title, content }: Resource): string => {
    const { attributes, tags, finalizers, owner, spec, sub } = content;
    const shown = current.kind.secret === undefined ? spec : { ...spec, data: null };
    return canonical({ title, attributes, tags, finalizers, owner, spec: shown, sub });
  };
  if (plain(current) !== plain(resource)) return false;
  if (current.kind.secret === undefined || draft === undefined) return true;
  const wanted = Object.entries(dataOf(draft.spec));
  return (
    wanted.length === Object.keys(dataOf(current.content.spec)).length &&
    wanted.every(([key, value]) => value === MASK || openValue(ring, current, key) === value)
  );
}

function mainOf(
  ring: Keyring,
  current: Resource,
  draft: Draft,
  stored: Record<string, string>,
): Partial<Content> {
  return {
    attributes: draft.attributes,
    tags: draft.tags,
    finalizers: draft.finalizers ?? current.content.finalizers,
    ...(draft.owner === undefined || draft.owner === null ? {} : { owner: draft.owner }),
    spec:
      current.kind.secret === undefined
        ? draft.spec
        : sealData(ring, current.id, draft.spec, stored),
  };
}

/** What a dying resource named waits for it, whatever it names now. */
function referencesOf({ state, content }: Resource, named: Reference[]): Reference[] {
  if (state === null) return named;
  const ids = new Set(named.map(({ id }) => id));
  return [...content.references.filter(({ id }) => !ids.has(id)), ...named];
}

function subsOf({ content }: Resource, { sub }: Edit): Record<string, unknown> {
  const merged = { ...content.sub, ...sub };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
}

/** The resource itself, its scope, what it names, and who listens. */
function worldOf(
  db: D1Database,
  organizationId: number,
  key: Key,
  spec: Record<string, unknown>,
): Promise<World> {
  const { kind, scope } = key;
  const targets = namedTargets(kind, spec).map(({ rule, name }): Key => ({
    kind: kindNamed(rule.kind),
    scope,
    name,
  }));
  const holder: Key[] =
    scope === null ? [] : [{ kind: kindNamed(scope.kind), scope: null, name: scope.name }];
  return readWorld(db, organizationId, [key, ...holder, ...targets]);
}
