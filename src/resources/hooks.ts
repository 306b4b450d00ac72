import * as z from "zod";
import { storedJson } from "../values/stored-json";
import type { Target } from "../stream/event";
import type { ScopeName } from "./address";
import { type Changed, matches, type Trigger } from "./match";
import { destinationId } from "./resource";

/** What matching reads of a ResourceHook. */
export type Hook = {
  name: string;
  scope: ScopeName | null;
  triggers: readonly Trigger[];
  webhooks: readonly string[];
};

/** What matching reads of a Webhook. */
export type HookedWebhook = {
  id: string;
  name: string;
  scope: ScopeName | null;
  enabled: boolean;
  /** The Secret and key that it names exist, or it names none. */
  secretFound: boolean;
  /** Absent: none. */
  order?: Order;
  /** JSONata over a change's event: a change for which it is not true is not sent. */
  filter?: string;
};

/** In which order its destination gets its notifications (`PATCH /v1/destinations/{id}`). */
export type Order = Pick<Target, "ordering" | "blocks">;

/** One destination of a change, or (`destinationId: null`) warnings about hooks without one; part of the log's row. */
const hookTarget = z.object({
  destinationId: z.string().nullable(),
  /** Not sent: the webhook is disabled. */
  skipped: z.literal(true).optional(),
  warnings: z.array(z.string()),
  /** Absent: none. */
  order: z
    .object({
      ordering: z.enum(["none", "object", "source"]),
      blocks: z.literal(true).exactOptional(),
    })
    .optional(),
  /** Removed when it is applied (`withWantedTargets`), before the row is written. */
  filter: z.string().optional(),
});
export type HookTarget = z.infer<typeof hookTarget>;
/** The targets of a change, in its row. */
export const storedTargets = storedJson(z.array(hookTarget));

/** The hooks and webhooks of an organization, as they were when a request began. */
export type Listeners = { hooks: readonly Hook[]; webhooks: readonly HookedWebhook[] };

/**
 * Which webhooks a change is sent to: each once, however many triggers and hooks lead to it. No hook fires for a Secret
 * (reference resource-api.md §9). Example: hook H in environment E has a trigger for APIServices in E, and names
 * webhook W; a new APIService in E is sent to the W of E, or, if E has none, to an unscoped W (`lookUp`).
 */
export function targetsOf(change: Changed, { hooks, webhooks }: Listeners): HookTarget[] {
  if (change.kind === "Secret") return [];
  const found = new Map<string, HookedWebhook>();
  const missing = new Set<string>();
  for (const hook of hooks) {
    const matching = hook.triggers.filter((trigger) => matches(trigger, change));
    for (const trigger of matching)
      for (const name of hook.webhooks) {
        const webhook = lookUp(name, hook.scope, trigger.scope, webhooks);
        if (webhook === undefined)
          missing.add(`Webhook '${name}' of ResourceHook '${hook.name}' does not exist`);
        else found.set(webhook.id, webhook);
      }
  }
  const targets = [...found.values()].map((webhook): HookTarget => ({
    destinationId: destinationId(webhook.id),
    ...(webhook.enabled ? {} : { skipped: true }),
    ...(webhook.order === undefined ? {} : { order: webhook.order }),
    ...(webhook.filter === undefined ? {} : { filter: webhook.filter }),
    warnings: webhook.secretFound
      ? []
      : [`Webhook '${webhook.name}' is sent without its secret, which does not exist`],
  }));
  return missing.size === 0
    ? targets
    : [...targets, { destinationId: null, warnings: [...missing] }];
}

/**
 * The webhook a hook means by a name: in the hook's scope, then the trigger's, then unscoped, then the
 * only one of that name.
 */
export function lookUp(
  name: string,
  hookScope: ScopeName | null,
  triggerScope: ScopeName | undefined,
  webhooks: readonly HookedWebhook[],
): HookedWebhook | undefined {
  const named = webhooks.filter((webhook) => webhook.name === name);
  const inside = (scope: ScopeName | null): HookedWebhook | undefined =>
    named.find((webhook) =>
      scope === null
        ? webhook.scope === null
        : webhook.scope?.kind === scope.kind && webhook.scope.name === scope.name,
    );
  return (
    inside(hookScope) ??
    (triggerScope === undefined ? undefined : inside(triggerScope)) ??
    inside(null) ??
    (named.length === 1 ? named[0] : undefined)
  );
}
