import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import type { Connector } from "../connectors/definition";
import { Refusal } from "../http/refusal";
import { applicationOf } from "../hub/applications/choice.io";
import { appHandle } from "../hub/authorize";
import { exchangeCode } from "../hub/code.client";
import { authenticationOf } from "../instances/configuration";
import { grantedConfiguration, type ProviderData } from "../instances/draft";
import { doorsOf } from "../instances/lookup.io";
import { equalInConstantTime } from "../values/bytes";

/** Configuration values that an instance gets beside those that its caller sends. */

type Configuration = Record<string, string | null>;

/** Webhooks of vendors that do not sign must have this token in their URL. */
export function vendorToken({ webhook }: Connector): Record<string, string> {
  if (webhook === undefined || webhook.signatures.length > 0) return {};
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64url");
  return { "event.vendor.token": token };
}

/**
 * A new instance's configuration with an OAuth application in the place of one that it lacks: the organization's, for an
 * account that signs in by consent, or what `applicationFor` finds.
 */
export async function withApplication(
  c: Context<AskerEnv>,
  connector: Connector,
  given: Configuration,
  data: ProviderData | undefined,
): Promise<Configuration> {
  const isLacking = (key: string): boolean => (given[key] ?? "") === "";
  const lacksOne = isLacking("oauth.api.key") && isLacking("oauth.api.secret");
  const wantsOne = lacksOne && authenticationOf(connector, given).type === "oauth2";
  const app = await applicationFor(c, connector, { given, data, wantsOne });
  const filled = Object.entries(app).filter(([key]) => isLacking(key));
  return { ...given, ...Object.fromEntries(filled) };
}

/**
 * The OAuth application that a consent is for: the organization's, or else the platform's, if its authorize URL was one of
 * `oauth/url/default`; the organization's as it is now, if the instance has its key already.
 */
export async function applicationFor(
  c: Context<AskerEnv>,
  connector: Connector,
  about: { given: Configuration; data: ProviderData | undefined; wantsOne?: boolean },
): Promise<Configuration> {
  const { given, data, wantsOne = false } = about;
  const { organizationId } = c.var.asker;
  const doors = doorsOf(c);
  const handle = appHandle(doors.config.sessionKey, organizationId, connector);
  const isAsked = data?.secret !== undefined && equalInConstantTime(data.secret, handle);
  if (data === undefined && !wantsOne) return {};
  const app = await applicationOf(organizationId, connector, doors);
  if (app === undefined) return {};
  const isItsOwn = app.isOwn && (wantsOne || given["oauth.api.key"] === app.key);
  if (!isAsked && !isItsOwn) return {};
  return {
    "oauth.api.key": app.key,
    "oauth.api.secret": app.secret,
    "oauth.callback.url": app.callbackUrl,
  };
}

/** `providerData` as configuration values: tokens as given, a code exchanged for tokens. */
export async function granted(
  c: Context<AskerEnv>,
  connector: Connector,
  configuration: Configuration,
  data: ProviderData | undefined,
): Promise<Configuration> {
  if (data === undefined) return {};
  const authentication = authenticationOf(connector, configuration);
  const given = grantedConfiguration(authentication, data);
  if (data.code === undefined || authentication.type !== "oauth2") return given;
  const { organizationId } = c.var.asker;
  const all = { ...configuration, ...given };
  const { code, state } = data;
  const exchanged = await exchangeCode(organizationId, connector, all, { code, state }, doorsOf(c));
  if (exchanged.ok) return { ...given, ...exchanged.configuration };
  const { message, providerMessage, status } = exchanged;
  throw new Refusal({ kind: "vendor", message, providerMessage, status });
}
