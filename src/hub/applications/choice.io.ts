import type { Config } from "../../config";
import { findConnector } from "../../connectors/catalog";
import type { Connector } from "../../connectors/definition";
import { keyring } from "../../db/sealed";
import type { OAuthApp } from "../../values/oauth-app";
import { foreignApplication } from "../vendor-host";
import { readApp } from "./apps.store";

type Doors = { db: D1Database; config: Config };

/**
 * The OAuth application that accounts of a connector consent to which bring none of their own: the organization's; else
 * the platform's. `isOwn`: it is the organization's, so that whoever may connect an account there may use it.
 */
export async function applicationOf(
  organizationId: number,
  connector: Connector,
  { db, config }: Doors,
): Promise<(OAuthApp & { isOwn: boolean }) | undefined> {
  const { key } = connector;
  if (findConnector(key) !== connector) return undefined;
  const own = await readApp(db, keyring(config.masterKeys), organizationId, key);
  if (own !== undefined) return { ...own, isOwn: true };
  const platforms = config.oauthApps[key];
  return platforms && { ...platforms, isOwn: false };
}

/**
 * Why an instance can't use its OAuth application, where that is the organization's or the platform's: whoever may change
 * an instance could have the secret sent to a host of theirs.
 */
export async function applicationFault(
  organizationId: number,
  caller: { connector: Connector; configuration: Readonly<Record<string, string | null>> },
  { db, config }: Doors,
): Promise<string | undefined> {
  const fault = foreignApplication(caller, config.egress);
  if (fault === undefined) return undefined;
  const { key } = caller.connector;
  const own = await readApp(db, keyring(config.masterKeys), organizationId, key);
  const secrets = [own, config.oauthApps[key]].flatMap((app) => app?.secret ?? []);
  return secrets.includes(caller.configuration["oauth.api.secret"] ?? "") ? fault : undefined;
}
