import { tellInstance } from "../../instances/owner.io";
import type { OwnerUpdates } from "../../operations/destinations/owner-update";
import { tellWebhook } from "../../resources/listeners.store";

/** What destinations belong to hears of their changes. */
export const OWNERS: OwnerUpdates = { instance: tellInstance, webhook: tellWebhook };
