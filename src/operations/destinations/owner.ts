import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/routes";
import type { DestinationRecord } from "../../delivery/destination";
import type { DestinationChange } from "./fields";

/** Carries a change of policy to the destination's owner, who says the same of itself; by kind. */
export type TellOwner = (
  c: Context<AskerEnv>,
  record: DestinationRecord,
  change: DestinationChange & { signingSecret?: string },
) => Promise<void>;
