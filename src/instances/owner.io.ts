import type { UpdateOwner } from "../operations/destinations/owner-update";
import { doorsOf } from "./lookup.io";
import { configurationOfPolicy } from "./policy";
import { changeConfiguration } from "./store";

/** Changes of an instance's destination are written to the instance's configuration, which describes it. */
export const tellInstance: UpdateOwner = async (c, { destination }, change) => {
  const { db, ring } = doorsOf(c);
  const { organizationId, ownerId } = destination;
  const configuration = configurationOfPolicy(change);
  await changeConfiguration(db, ring, organizationId, Number(ownerId), configuration, Date.now());
};
