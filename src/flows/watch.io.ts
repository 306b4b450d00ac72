import type { Context } from "hono";
import type { State } from "../accounts/audited-values";
import type { UserEnv } from "../accounts/users/routes";
import { watchChange } from "../accounts/watch.io";
import type { Flow } from "./flow";
import { readOwnFlow } from "./store";

/** Tells the audit log that a request may change a flow. */
export function watchFlow(c: Context<UserEnv>, flow: Flow): Flow {
  watchChange(
    c,
    () => stateOf(flow),
    async () => {
      const now = await readOwnFlow(c.env.DB, flow.userId, flow.id);
      return now && stateOf(now);
    },
  );
  return flow;
}

function stateOf(flow: Flow): State {
  const { name, description, type, stage, customFields, sharedWith, wizard } = flow;
  return { name, description, type, stage, customFields, sharedWith, wizard, flow: flow.flow };
}
