import { type Config, readConfig } from "../config";

/** What changing, running and continuing flows works with. */
export type FlowDoors = { db: D1Database; streams: Env["EVENT_STREAMS"]; config: Config };

export const flowDoors = (env: Env): FlowDoors => ({
  db: env.DB,
  streams: env.EVENT_STREAMS,
  config: readConfig(env),
});
