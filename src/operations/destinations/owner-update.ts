import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import type { Destination, DestinationRecord } from "../../delivery/destination";
import type { DestinationChange } from "./fields";

/**
 * Lets a destination's owner know of a change: an instance keeps the same settings in its configuration, too; for a
 * Webhook resource, isolates must no longer trust what they remember of it.
 */
export type UpdateOwner = (
  c: Context<AskerEnv>,
  record: DestinationRecord,
  change: DestinationChange & { signingSecret?: string },
) => Promise<void>;

/** How owners are updated, by the destination's kind; `index.ts` and `app.ts` pass in what rooms above this one do. */
export type OwnerUpdates = Partial<Record<Destination["kind"], UpdateOwner>>;
