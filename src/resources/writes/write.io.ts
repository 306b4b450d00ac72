import type { Config } from "../../config";
import type { Keyring } from "../../db/sealed";
import type { Trigger } from "../../flows/triggers/trigger";
import { Refusal } from "../../http/refusal";
import { type Cause, withWantedTargets } from "../change";
import { commitPlan, type Plan } from "../commit.store";
import { handOver } from "../hand-over.io";
import type { Key, World } from "../key";
import { kindNamed, type Version } from "../kinds/registry";
import { namedTargets } from "../references";
import type { Resource, Warning } from "../resource";
import { readWorld } from "../store";

/** What a write needs of the world. */
export type WriteDoors = {
  db: D1Database;
  streams: Env["EVENT_STREAMS"];
  ring: Keyring;
  config: Config;
  /** Runs work after the answer. If it is lost, the cron tick does it. */
  later: (work: Promise<unknown>) => void;
};

/** Who writes, and through which version of the API. */
export type Caller = {
  organizationId: number;
  userId: number;
  correlationId: string;
  version: Version;
  /** How many requests of this platform led to this one. */
  hops: number;
};

export type Written = {
  resource: Resource;
  warnings: Warning[];
  /** Nothing was written, because nothing would have changed. */
  unchanged?: true;
};
/** What is to be written, and the result if nothing that was read has changed since. */
export type Decided<T> = { plan: Plan; result: T };

/** When several requests write one resource at a time, each try lets one of them through: so many may compete. */
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
    hops: caller.hops,
  };
}

/** Decides and writes; again from the start when another writer was faster. */
export async function untilCommitted<T>(
  doors: WriteDoors,
  organizationId: number,
  decide: (tries: number) => Promise<Decided<T>>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const { plan: made, result } = await decide(tries);
    const plan = { ...made, changes: await Promise.all(made.changes.map(withWantedTargets)) };
    const outcome = await commitPlan(doors.db, organizationId, plan);
    if (outcome.kind === "committed") {
      doors.later(handOverOrLog(doors, organizationId, plan, outcome.triggers));
      return result;
    }
    if (tries >= MOST_TRIES)
      throw new Refusal({ kind: "unavailable", message: "Too many writers at once" });
    await scheduler.wait(Math.random() * 10 * Math.min(tries, 10));
  }
}

async function handOverOrLog(
  doors: WriteDoors,
  organizationId: number,
  { changes }: Plan,
  triggers: readonly Trigger[],
): Promise<void> {
  try {
    await handOver(doors, organizationId, changes, triggers);
  } catch (error) {
    // Nothing is lost: the cron tick hands over what the streams do not have.
    console.warn(JSON.stringify({ at: "resources.hand-over", error: String(error) }));
  }
}

/** Reads the resource, its scope and the resources it names, and the hooks and webhooks. */
export function worldOf(
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
