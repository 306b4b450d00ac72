import type { State } from "./audited-values";

/** What a request may change: as it was before, and how it is read again; and whose it is, if a tenant's. */
export type Watched = {
  before: () => State;
  read: () => Promise<State | undefined>;
  tenant?: string | null | undefined;
};
export type WatchEnv = { Variables: { watched?: Watched } };

/** As much of a request's context as it takes. */
type Request = { var: { watched?: Watched }; set(name: "watched", value: Watched): void };

/**
 * Tells the audit log what a request is about to change, where it is read for that. The log reads it again when the request
 * was granted, and holds what differs. The first one counts, if several are read.
 * @param read undefined when the thing is gone.
 * @param tenant whose it is.
 */
export function watchChange(
  c: Request,
  before: Watched["before"],
  read: Watched["read"],
  tenant?: Watched["tenant"],
): void {
  if (c.var.watched === undefined) c.set("watched", { before, read, tenant });
}
