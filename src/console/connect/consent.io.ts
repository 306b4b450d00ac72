import { createHmac } from "node:crypto";
import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { readConfig } from "../../config";
import type { Connector } from "../../connectors/definition";
import { listApps } from "../../hub/applications/apps.store";
import { applicationOf } from "../../hub/applications/choice.io";
import { consentAddress } from "../../hub/applications/edit.io";
import { appHandle } from "../../hub/authorize";
import { requestAuthorization } from "../../hub/authorize.io";
import { keyring } from "../../db/sealed";
import type { Instance } from "../../instances/instance";
import { equalInConstantTime } from "../../values/bytes";
import type { ConsoleEnv } from "../session/session.io";

/**
 * A person's consent at the vendor. They leave from here for an instance that is made already and lacks a grant, and come
 * back with a code and the `state` that we gave them: it names the instance and holds in their session alone, for an hour.
 * So nobody can have another's account put into an instance, and nothing of the form has to wait outside the database.
 */

const LIFETIME_MS = 60 * 60_000;

/** The page of the vendor where its account's owner consents. @param state They come back with it. */
export async function consentUrl(
  c: Context<AskerEnv>,
  instance: Pick<Instance, "connector" | "configuration">,
  state: string,
): Promise<{ ok: true; url: string } | { ok: false; message: string }> {
  const { connector, configuration } = instance;
  const { organizationId } = c.var.asker;
  const apiKey = configuration["oauth.api.key"] ?? "";
  const callbackUrl = configuration["oauth.callback.url"] ?? "";
  if (apiKey === "") return { ok: false, message: "It has no OAuth API key (client id)" };
  const request = { apiKey, callbackUrl, state };
  const doors = { db: c.env.DB, config: readConfig(c.env) };
  const built = await requestAuthorization(
    organizationId,
    connector,
    request,
    doors,
    configuration,
  );
  if (!built.ok || /^https?:/.test(built.url)) return built;
  return { ok: false, message: "Its consent page is no web address" };
}

/** What somebody goes to the vendor with, for an instance. */
export const newState = (c: Context<ConsoleEnv>, instanceId: number): string =>
  stateFor(c, instanceId, Date.now() + LIFETIME_MS);

/** @returns the instance that a state names; undefined unless it was given to this session, within the hour. */
export function instanceOfState(
  c: Context<ConsoleEnv>,
  state: string,
  now: number,
): number | undefined {
  const [id = "", until = ""] = state.split(".");
  const isOurs = equalInConstantTime(state, stateFor(c, Number(id), Number(until)));
  return isOurs && Number(until) > now ? Number(id) : undefined;
}

function stateFor(c: Context<ConsoleEnv>, instanceId: number, until: number): string {
  const { asker, sessionId } = c.var;
  const about = JSON.stringify([
    "console-consent",
    sessionId,
    asker.organizationId,
    instanceId,
    until,
  ]);
  const proof = createHmac("sha256", readConfig(c.env).sessionKey).update(about);
  return `${instanceId}.${until}.${proof.digest("base64url")}`;
}

/**
 * What makes an instance use the application of the organization, or else of the platform, where one of them sends people
 * back here.
 */
export async function ownApp(
  c: Context<AskerEnv>,
  connector: Connector,
): Promise<string | undefined> {
  const config = readConfig(c.env);
  const { organizationId } = c.var.asker;
  const app = await applicationOf(organizationId, connector, { db: c.env.DB, config });
  return app?.callbackUrl === consentAddress(c)
    ? appHandle(config.sessionKey, organizationId, connector)
    : undefined;
}

/** Keys of the connectors of which there is such an application. */
export async function readyApps(c: Context<AskerEnv>): Promise<Set<string>> {
  const { oauthApps, masterKeys } = readConfig(c.env);
  const own = await listApps(c.env.DB, keyring(masterKeys), c.var.asker.organizationId);
  const apps = { ...oauthApps, ...Object.fromEntries(own.map((app) => [app.connector, app])) };
  const back = consentAddress(c);
  return new Set(Object.keys(apps).filter((key) => apps[key]?.callbackUrl === back));
}
