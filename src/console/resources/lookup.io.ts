import type { Context } from "hono";
import { notFound, Refusal } from "../../http/refusal";
import { type Address, parseAddress } from "../../resources/address";
import type { RequestIdEnv } from "../../http/surface";
import type { ConsoleEnv } from "../session/session.io";

export type ResourcesEnv = ConsoleEnv & RequestIdEnv;
export type ResourcesContext = Context<ResourcesEnv>;

const unknown = (): Refusal => notFound("There is no such resource");

/** What `…/{group}/{plural}/…` names, as below `/apis`, in its newest version. @throws Refusal `not-found`. */
export function addressOfPath(c: ResourcesContext): Address {
  const [group = "", ...rest] = (c.req.param("path") ?? "").split("/");
  const address = parseAddress([group, "v1", ...rest]);
  if (address === undefined) throw unknown();
  return address;
}

/** Without a scope, what is outside of all: kinds that only lie in scopes have no such list. */
export function collectionOfPath(c: ResourcesContext): Extract<Address, { at: "collection" }> {
  const address = addressOfPath(c);
  if (address.at !== "collection" || (address.scope === "all" && !address.kind.unscoped))
    throw unknown();
  return address;
}

export function itemOfPath(c: ResourcesContext): Extract<Address, { at: "item" }> {
  const address = addressOfPath(c);
  if (address.at !== "item" || address.sub !== undefined) throw unknown();
  return address;
}

/** Says of what isn't there what it says of another organization's. */
export async function known<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal && error.reason.kind === "not-found") throw unknown();
    throw error;
  }
}
