import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import { connectorOf } from "../connectors/store";
import { isOwnAddress } from "../delivery/own-address";
import { invalid } from "../http/refusal";
import type { Instance } from "../instances/instance";
import { otherInstances } from "../instances/list.store";
import { doorsOf } from "../instances/lookup.io";
import { instanceInPath } from "../instances/routing";
import { readInstanceOf } from "../instances/store";

const KEY = "event.notification.callback.url";
const FORMS =
  "expected …/events/{element}/{base64 of an instance's id}, or …/events/{element}/ where your organization has one other instance of it, or where `event.notification.transform` names the tenant of one";

type Saved = Pick<Instance, "id" | "configuration">;

/**
 * Refuses a callback into this platform's own inbound addresses that can't arrive.
 * @param before The instance as it was; nothing is checked when its address stays.
 * @throws Refusal `invalid` that says which forms can.
 */
export async function checkOwnCallback(
  c: Context<AskerEnv>,
  { id, configuration }: Saved,
  before: Saved | undefined,
): Promise<void> {
  const { db, ring, config } = doorsOf(c);
  const { organizationId } = c.var.asker;
  const url = configuration[KEY] ?? null;
  if (url === null || url === before?.configuration[KEY]) return;
  if (!isOwnAddress(url, ...config.publicUrls)) return;
  const { pathname, searchParams } = new URL(url);
  const [, rest = ""] = pathname.split("/elements/api-v2/events/");
  const [element = "", instance = "", ...more] = rest.split("/").map(decoded);
  if (element === "" || more.some((part) => part !== "")) throw fault("It names no element");
  // Whose token it has decides, as it does for everybody.
  if (instance !== "" && searchParams.has("token")) return;
  const connector = await connectorOf(db, organizationId, element);
  if (connector === undefined) throw fault(`There is no element '${element}'`);
  const { webhook, key, name } = connector;
  if (webhook === undefined) throw fault(`${name} takes no webhooks`);
  if (instance !== "") {
    const found = await readInstanceOf(db, ring, organizationId, instanceInPath(instance) ?? 0);
    if (found === undefined || found === "another's" || found.connector.key !== key)
      throw fault(`There is no instance '${instance}' of '${key}'`);
    return;
  }
  const others = await otherInstances(db, organizationId, { elementKey: key, but: id }, 2);
  const mayName =
    webhook.route !== undefined && (configuration["event.notification.transform"] ?? null) !== null;
  if (others.length === 0) throw fault(`There is no other instance of '${key}'`);
  if (others.length > 1 && !mayName) throw fault(`There are several other instances of '${key}'`);
}

const fault = (what: string) => invalid(`${KEY}: ${what}; ${FORMS}`, `configuration.${KEY}`);

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
