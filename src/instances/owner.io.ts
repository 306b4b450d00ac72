import type { TellOwner } from "../operations/destinations/owner";
import { doorsOf } from "./lookup.io";
import { configurationOfPolicy } from "./policy";
import { changeConfiguration } from "./store";

/** An instance says in its own configuration how its destination is served. */
export const tellInstance: TellOwner = async (c, { destination }, change) => {
  const { db, ring } = doorsOf(c);
  const { organizationId, ownerId } = destination;
  const configuration = configurationOfPolicy(change);
  await changeConfiguration(db, ring, organizationId, Number(ownerId), configuration, Date.now());
};
