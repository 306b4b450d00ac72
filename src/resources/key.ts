import { type ScopeName, scopeKey } from "./address";
import type { Listeners } from "./hooks";
import type { Kind } from "./kinds/kind";
import type { Resource } from "./resource";

/** What names one resource within an organization. */
export type Key = { kind: Kind; scope: ScopeName | null; name: string };

export const keyText = ({ kind, scope, name }: Key): string =>
  `${kind.kind} ${scopeKey(scope)} ${name}`;

/** What a write is decided by: the resources it names (by `keyText`), and who listens. */
export type World = { found: ReadonlyMap<string, Resource>; listeners: Listeners };
