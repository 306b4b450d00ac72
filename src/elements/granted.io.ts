import type { Context } from "hono";
import type { AskerEnv } from "../accounts/asker.io";
import type { Connector } from "../connectors/definition";
import { Refusal } from "../http/refusal";
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

/** The platform's own OAuth application, if the authorize URL was one of `oauth/url/default`. */
export function platformApp(
  c: Context<AskerEnv>,
  connector: Connector,
  data: ProviderData | undefined,
): Configuration {
  const { oauthApps, sessionKey } = doorsOf(c).config;
  const app = oauthApps[connector.key];
  const handle = appHandle(sessionKey, c.var.asker.organizationId, connector);
  if (app === undefined || data?.secret === undefined || !equalInConstantTime(data.secret, handle))
    return {};
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
