import type { Context } from "hono";
import { hasCredentials } from "../../instances/configuration";
import type { Instance } from "../../instances/instance";
import { pollDoors } from "../../polling/doors.io";
import { pollDry } from "../../polling/dry-run.io";
import { polledResources } from "../../polling/settings";
import { expandTemplates } from "../../polling/url-template";
import type { AskerEnv } from "../../accounts/asker.io";
import type { ConsoleEnv } from "../session/session.io";
import type { Sent, Subject } from "./form.io";
import type { Preview } from "./resources";

/** A first poll is previewed as if the instance had been made a day ago. */
const DAY_MS = 86_400_000;

/** What the next poll of an instance as it stands in its form would ask; and find, where the vendor can be asked. */
export async function previewsOf(
  c: Context<ConsoleEnv>,
  { connector, instance }: Subject,
  { typed, merged }: Sent,
): Promise<Preview[]> {
  const now = Date.now();
  const drafted: Instance = {
    ...(instance ?? unmade(c, now)),
    connector,
    configuration: merged,
  };
  if (hasCredentials(connector, merged))
    return pollDry(
      { ...drafted, name: typed.name, valid: true },
      pollDoors(c.env),
      instance !== undefined,
    );
  const polled = polledResources(drafted);
  return (polled.ok ? polled.resources : []).map(({ resource, url, updated }) => {
    const expanded = expandTemplates(url, drafted.baseline, updated?.format);
    return {
      objectType: resource,
      request: expanded.ok ? expanded.url : url,
      error: expanded.ok ? null : expanded.message,
    };
  });
}

/** An instance that isn't made, to ask a vendor with. */
export const unmade = (c: Context<AskerEnv>, now: number): Omit<Instance, "connector"> => ({
  id: 0,
  organizationId: c.var.asker.organizationId,
  userId: c.var.asker.userId,
  name: "",
  tags: [],
  tenant: null,
  token: "",
  configuration: {},
  externalAuthentication: "none",
  valid: true,
  invalidReason: null,
  disabled: false,
  pollerDisabled: null,
  registrationFault: null,
  baseline: now - DAY_MS,
  pollsUntil: null,
  enabledAt: now - DAY_MS,
  createdAt: now,
  updatedAt: now,
});
