import type { Resource } from "../connectors/definition";
import type { Instance } from "./instance";

/** What an instance polls under a name of its own, and the resource of the connector that it reads there. */
export type Polled = { name: string; resource: Resource | undefined };

/**
 * For an instance: what it polls of the objects that its vendor calls by a type; undefined: nothing. The room `polling`,
 * above this one, knows.
 */
export type PolledAs = (
  instance: Pick<Instance, "connector" | "configuration">,
) => (type: string) => Polled | undefined;
