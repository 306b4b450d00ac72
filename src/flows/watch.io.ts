import type { State } from "../accounts/audited-values";
import { watchChange } from "../accounts/watch.io";
import type { Flow } from "./flow";
import { readOwnFlow } from "./store";

/** As much of a request's context as it takes. */
type Request = Parameters<typeof watchChange>[0] & { env: Pick<Env, "DB"> };

/** Tells the audit log that a request may change a flow. */
export function watchFlow(c: Request, flow: Flow): Flow {
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
