import { readConfig } from "../config";
import type { PollDoors } from "./commit.io";

/** What a poll needs of this deployment. */
export const pollDoors = (env: Env): PollDoors => ({
  db: env.DB,
  streams: env.EVENT_STREAMS,
  polls: env.POLLS,
  slowPolls: env.POLLS_SLOW,
  budgets: env.VENDOR_BUDGETS,
  config: readConfig(env),
});
