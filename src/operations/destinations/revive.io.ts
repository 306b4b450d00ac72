import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { readConfig } from "../../config";
import { keyring } from "../../db/sealed";
import type { Destination } from "../../delivery/destination";
import { readDestination } from "../../delivery/destinations.store";
import { endpointName } from "../../delivery/endpoint-name";
import { changePolicy } from "../../delivery/policy.store";
import { destinationState, isEnabledByItself } from "../../delivery/state";
import { startRecovery } from "./recovery.io";

/**
 * Switches a destination on again: its subscription is active, its circuit closed, its failures are forgotten. What is
 * held, or died because it was switched off, is delivered. @returns how many notifications that are.
 */
export async function revive(c: Context<AskerEnv>, destination: Destination): Promise<number> {
  const ring = keyring(readConfig(c.env).masterKeys);
  await changePolicy(c.env.DB, ring, destination, { enabled: true }, Date.now());
  await closeCircuit(c, destination);
  const { total } = await startRecovery(c, destination.id, { kind: "release", from: 0 });
  return total;
}

/** When its owner is saved: a destination that exhausted tries or its receiver switched off is switched on again. */
export async function reviveSaved(
  c: Context<AskerEnv>,
  organizationId: number,
  destinationId: string,
): Promise<void> {
  const ring = keyring(readConfig(c.env).masterKeys);
  const destination = await readDestination(c.env.DB, ring, organizationId, destinationId);
  if (destination === undefined) return;
  const state = destinationState(destination);
  if (isEnabledByItself(state) && state.name !== "paused by owner") await revive(c, destination);
}

async function closeCircuit(
  c: Context<AskerEnv>,
  { organizationId, url }: Destination,
): Promise<void> {
  if (url === null || !URL.canParse(url)) return;
  await c.env.ENDPOINTS.getByName(endpointName(organizationId, url)).close();
}
