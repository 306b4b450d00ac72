import type { Context } from "hono";
import { endConnectSession, takeInstanceId } from "../../accounts/tenants/connect-sessions.store";
import type { Connector } from "../../connectors/definition";
import { conflict } from "../../http/refusal";
import type { ProviderData } from "../../instances/draft";
import type { Instance } from "../../instances/instance";
import { watchInstance } from "../../instances/lookup.io";
import { nextInstanceId } from "../../instances/store";
import { tenantTag } from "../../instances/tenant-tag";
import { publish, publisherTo } from "../../publish/publish.io";
import { edits } from "../connect/form.io";
import { tenantsInstance } from "./begin.io";
import { type ConnectEnv, connectingOf } from "./session.io";

/** What is told to the tenant's destinations, and to those that hear of what is published. */
const CONNECTED = "instance.connected";

/** What proves whose account it is: settings that were typed, or what a vendor sent back with them. */
type Proof = {
  connector: Connector;
  configuration: Record<string, unknown>;
  providerData?: ProviderData;
};

/** The instance that is connected again. @throws Refusal `conflict` when it isn't the tenant's any more. */
export async function instanceAgain(c: Context<ConnectEnv>): Promise<Instance> {
  const { tenantId, instanceId } = connectingOf(c);
  const instance = await tenantsInstance(c, tenantId, instanceId ?? 0);
  if (instance === undefined) throw conflict("The account that you were to connect again is gone");
  return watchInstance(c, instance);
}

/**
 * Connects an account: makes the session's instance, or changes the one that is connected again, and tells that. Done twice,
 * it makes one instance.
 */
export async function connectAccount(c: Context<ConnectEnv>, proof: Proof): Promise<void> {
  const { terms } = connectingOf(c);
  await finish(c, terms.isAgain ? await change(c, proof) : await make(c, proof));
}

async function change(
  c: Context<ConnectEnv>,
  { configuration, providerData }: Proof,
): Promise<Instance> {
  const instance = await instanceAgain(c);
  return (await edits.change(c, instance, { configuration, providerData })).instance;
}

async function make(
  c: Context<ConnectEnv>,
  { connector, configuration, providerData }: Proof,
): Promise<Instance> {
  const { id, tenantId, instanceId, terms } = connectingOf(c);
  // The id is taken before: whoever comes second, or after a crash, finds what is made.
  const taken = instanceId ?? (await takeInstanceId(c.env.DB, id, await nextInstanceId(c.env.DB)));
  const made = await tenantsInstance(c, tenantId, taken);
  if (made !== undefined) return made;
  const body = {
    configuration,
    providerData,
    tags: [tenantTag(tenantId)],
    ...(terms.name === null ? {} : { name: terms.name }),
  };
  return edits
    .create(c, body, connector, taken)
    .then(({ instance }) => instance)
    .catch(async (error: unknown) => {
      const other = await tenantsInstance(c, tenantId, taken);
      if (other === undefined) throw error;
      return other;
    });
}

/** Whether the session is done; it ends what it made, though it did not come to tell it. */
export async function finishLeft(c: Context<ConnectEnv>): Promise<boolean> {
  const { tenantId, instanceId, terms, connectedAt } = connectingOf(c);
  if (connectedAt !== null) return true;
  if (terms.isAgain || instanceId === null) return false;
  const made = await tenantsInstance(c, tenantId, instanceId);
  if (made !== undefined) await finish(c, made);
  return made !== undefined;
}

/** Tells that an account is connected, once, and ends the session. */
async function finish(c: Context<ConnectEnv>, instance: Instance): Promise<void> {
  const { id, organizationId, tenantId, terms } = connectingOf(c);
  const { id: instanceId, connector, name } = instance;
  c.set("subject", String(instanceId));
  const publisher = await publisherTo(c.env.DB, organizationId, tenantId, 0);
  const publication = {
    type: CONNECTED,
    id: `connect-${id}`,
    key: String(instanceId),
    data: { instanceId, connector: connector.key, name, reconnected: terms.isAgain },
  };
  await publish({ db: c.env.DB, streams: c.env.EVENT_STREAMS }, publisher, [{ publication }]);
  await endConnectSession(c.env.DB, id, Date.now());
}
