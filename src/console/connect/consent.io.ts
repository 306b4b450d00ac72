import { createHmac } from "node:crypto";
import type { Context } from "hono";
import { readConfig } from "../../config";
import type { Connector } from "../../connectors/definition";
import { appHandle } from "../../hub/authorize";
import { requestAuthorization } from "../../hub/authorize.io";
import type { Instance } from "../../instances/instance";
import { equalInConstantTime } from "../../values/bytes";
import { baseUrlOf } from "../overview/routes";
import type { ConsoleEnv } from "../session/session.io";

/**
 * A person's consent at the vendor. They leave from here for an instance that is made already and lacks a grant, and come
 * back with a code and the `state` that we gave them: it names the instance and holds in their session alone, for an hour.
 * So nobody can have another's account put into an instance, and nothing of the form has to wait outside the database.
 */

const LIFETIME_MS = 60 * 60_000;

/** Where vendors send people back. */
export const backAddress = (c: Context<ConsoleEnv>): string => `${baseUrlOf(c)}/console/connected`;

/** The page of the vendor where its account's owner consents. */
export async function consentUrl(
  c: Context<ConsoleEnv>,
  instance: Instance,
): Promise<{ ok: true; url: string } | { ok: false; message: string }> {
  const { connector, configuration, organizationId, id } = instance;
  const apiKey = configuration["oauth.api.key"] ?? "";
  const callbackUrl = configuration["oauth.callback.url"] ?? "";
  if (apiKey === "") return { ok: false, message: "It has no OAuth API key (client id)" };
  const request = { apiKey, callbackUrl, state: stateFor(c, id, Date.now() + LIFETIME_MS) };
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

/** What makes an instance use the platform's own application, where it has one that sends people back here. */
export function ownApp(c: Context<ConsoleEnv>, connector: Connector): string | undefined {
  const { oauthApps, sessionKey } = readConfig(c.env);
  return oauthApps[connector.key]?.callbackUrl === backAddress(c)
    ? appHandle(sessionKey, c.var.asker.organizationId, connector)
    : undefined;
}
