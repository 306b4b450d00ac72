import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { type ConnectTerms, newConnectSession } from "../../accounts/tenants/connect-session";
import { createConnectSession } from "../../accounts/tenants/connect-sessions.store";
import type { Tenant } from "../../accounts/tenants/tenant";
import { listConnectors } from "../../connectors/store";
import { parse } from "../../http/body";
import type { Violation } from "../../http/refusal";
import { mergeConfiguration } from "../../instances/configuration";
import type { Instance } from "../../instances/instance";
import { doorsOf } from "../../instances/lookup.io";
import { readInstanceOf } from "../../instances/store";
import { unknownKeyWarnings } from "../../instances/unknown-keys";
import type { Millis } from "../../values/instant";
import { recordOf } from "../../values/record";
import { quoted } from "../../values/text";
import { readyApps } from "../connect/consent.io";
import { edits } from "../connect/form.io";
import { isNamed, type Offer, offerOf } from "./offer";

/** The connectors that people of a tenant can connect by themselves, of those that are named. */
export async function offersOf(
  c: Context<AskerEnv>,
  { connectors, configuration }: Pick<ConnectTerms, "connectors" | "configuration">,
): Promise<Offer[]> {
  const { organizationId } = c.var.asker;
  const all = await listConnectors(c.env.DB, organizationId);
  const ready = await readyApps(c);
  return all
    .filter(({ key }) => connectors === null || connectors.some((name) => isNamed(name, key)))
    .flatMap((one) => offerOf(one, configuration, ready.has(one.key)) ?? []);
}

/**
 * Makes a link by which people of a tenant connect an account, or connect one again. @returns its address, told this once.
 * @throws Refusal `invalid` that tells all faults.
 */
export async function beginConnecting(
  c: Context<AskerEnv>,
  tenant: Tenant,
  body: unknown,
): Promise<{ url: string; expiresAt: Millis }> {
  const faults = [...(await offerFaults(c, body)), ...(await againFaults(c, tenant, body))];
  const asked = parse(newConnectSession, body, "", faults);
  const { connectors = null, configuration = {}, instanceId = null } = asked;
  const { returnTo = null, origin = null, state = null, name = null } = asked;
  const isAgain = instanceId !== null;
  const terms = { connectors, isAgain, returnTo, origin, state, name, configuration };
  const { db, ring, config } = doorsOf(c);
  const { organizationId } = c.var.asker;
  const draft = { organizationId, tenantId: tenant.id, terms, instanceId };
  const { token, expiresAt } = await createConnectSession(db, ring, draft, Date.now());
  const base = config.publicUrl ?? new URL(c.req.url).origin;
  return { url: `${base}/connect/open/${token}`, expiresAt };
}

/** Connectors that nobody can connect by themselves, and settings that none of them takes. */
async function offerFaults(c: Context<AskerEnv>, body: unknown): Promise<Violation[]> {
  const given = recordOf(body);
  const { shape } = newConnectSession;
  const configuration = shape.configuration.safeParse(given["configuration"]).data ?? {};
  const connectors = shape.connectors.safeParse(given["connectors"]).data ?? null;
  const offers = await offersOf(c, { connectors, configuration });
  const isOffered = (name: string) => offers.some(({ connector }) => isNamed(name, connector.key));
  const missing = (connectors ?? []).flatMap((name, index): Violation[] => {
    const message = `Nobody can connect '${quoted(name)}' by themselves: there is no such connector, or it has no OAuth application whose people come back here`;
    return isOffered(name) ? [] : [{ field: `connectors.${index}`, message }];
  });
  return [...missing, ...settingFaults(c, offers, configuration)];
}

/** What is wrong with the settings for any of the connectors, and keys that none of them knows. */
function settingFaults(
  c: Context<AskerEnv>,
  offers: readonly Offer[],
  configuration: Record<string, unknown>,
): Violation[] {
  const { config } = doorsOf(c);
  const wrong = offers.flatMap(({ connector }) => {
    const merged = mergeConfiguration(connector, {}, configuration);
    return edits.faults({ connector, configuration: merged }, undefined, config);
  });
  const unknown = offers.map(({ connector }) =>
    unknownKeyWarnings(connector, Object.keys(configuration)),
  );
  const ofNone = (unknown[0] ?? []).filter((text) =>
    unknown.every((others) => others.some((other) => keyIn(other) === keyIn(text))),
  );
  const told = [
    ...wrong,
    ...ofNone.map((text) => ({ field: keyIn(text), message: text.slice(keyIn(text).length + 2) })),
  ].map(({ field, message }): [string, Violation] => {
    const prefix = `${field.replace(/^configuration\./, "")}: `;
    return [field, { field, message: message.replace(prefix, "") }];
  });
  // What several connectors refuse is told once.
  return [...new Map(told.toReversed()).values()].toReversed();
}

/** `configuration.a.b: Nothing reads this key`. */
const keyIn = (warning: string): string => warning.slice(0, warning.indexOf(": "));

/** Of what an instance that is connected again has already, and an instance that isn't the tenant's. */
async function againFaults(
  c: Context<AskerEnv>,
  tenant: Tenant,
  body: unknown,
): Promise<Violation[]> {
  const given = recordOf(body);
  const id = newConnectSession.shape.instanceId.safeParse(given["instanceId"]).data;
  if (id === undefined) return [];
  const has = ["connectors", "name", "configuration"].filter((field) => field in given);
  const message = "The instance that is connected again keeps its own";
  return [
    ...((await tenantsInstance(c, tenant.id, id)) === undefined
      ? [{ field: "instanceId", message: `The tenant '${tenant.id}' has no instance ${id}` }]
      : []),
    ...has.map((field) => ({ field, message })),
  ];
}

/** An instance of a tenant; undefined: it has none of this id. */
export async function tenantsInstance(
  c: Context<AskerEnv>,
  tenantId: string,
  id: number,
): Promise<Instance | undefined> {
  const { db, ring } = doorsOf(c);
  const found = await readInstanceOf(db, ring, c.var.asker.organizationId, id);
  return found !== "another's" && found?.tenant?.id === tenantId ? found : undefined;
}
