import type { ScopeName } from "../../resources/address";
import { hookSpec } from "../../resources/kinds/management";
import { type BriefChange, readBounds, readLatest, readLog } from "../../resources/log/store";
import { matches } from "../../resources/match";
import type { Resource } from "../../resources/resource";
import { numericId } from "../../values/whole-number";
import { hookOf } from "./documents";
import { pageOfItem } from "./list";
import type { ResourcesContext } from "./lookup.io";
import type { ItemShown } from "./pages";

/** So many of the latest changes are looked through for those of a scope, or that a hook would match. */
const LOOKED = 500;
export const SHOWN = 25;

/** The latest changes that a hook as it is typed would be called for. */
export async function wouldMatch(
  c: ResourcesContext,
  form: URLSearchParams,
  scope: ScopeName | null,
): Promise<{ changes: BriefChange[]; looked: number }> {
  const read = hookSpec.safeParse(hookOf(form, scope));
  const triggers = read.success ? read.data.triggers : [];
  const limit = { before: null, limit: LOOKED };
  const latest = await readLatest(c.env.DB, c.var.asker.organizationId, limit);
  const changes = latest.filter(
    (change) => change.kind !== "Secret" && triggers.some((trigger) => matches(trigger, change)),
  );
  return { changes: changes.slice(0, SHOWN), looked: latest.length };
}

type Log = Pick<ItemShown, "changes" | "older">;
export const NO_LOG: Log = { changes: undefined, older: null };

/** What changed in a scope, and of it: from a bounded part of the log at a time. */
export async function logOfScope(
  c: ResourcesContext,
  { kind, name, scope, organizationId }: Resource,
): Promise<Log> {
  const before = numericId(c.req.query("before") ?? "") ?? null;
  const latest = await readLatest(c.env.DB, organizationId, { before, limit: LOOKED });
  const found = latest.filter((change) =>
    change.scope === null
      ? change.kind === kind.kind && change.name === name
      : change.scope.kind === kind.kind && change.scope.name === name,
  );
  const changes = found.slice(0, SHOWN);
  const here = pageOfItem(kind, scope, name);
  const older =
    found.length > SHOWN ? olderOf(here, changes, SHOWN) : olderOf(here, latest, LOOKED);
  return { changes, older };
}

/** What a watch topic has seen last, as its surface tells it. */
export async function logOfTopic(c: ResourcesContext, topic: Resource): Promise<Log> {
  const { made } = await readBounds(c.env.DB, topic);
  const page = { after: made, direction: "DESC" as const, limit: SHOWN, offset: 0 };
  const found = await readLog(c.env.DB, topic, page);
  return { changes: found.map(({ changed, seq, at }) => ({ ...changed, seq, at })), older: null };
}

/** Where a list of changes goes on. */
export function olderOf(
  path: string,
  changes: readonly BriefChange[],
  size: number,
): string | null {
  const last = changes.at(-1);
  return last === undefined || changes.length < size ? null : `${path}?before=${last.seq}`;
}
