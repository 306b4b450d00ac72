import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import type { Destination, DestinationRecord } from "../../delivery/destination";
import type { DestinationChange } from "./fields";

/** Carries a change of policy to the destination's owner, who says the same of itself. */
export type TellOwner = (
  c: Context<AskerEnv>,
  record: DestinationRecord,
  change: DestinationChange & { signingSecret?: string },
) => Promise<void>;

/** Whom to tell, by the destination's kind: rooms above this one. */
export type Owners = Partial<Record<Destination["kind"], TellOwner>>;
