import type { Context } from "hono";
import * as z from "zod";
import type { AskerEnv } from "../../accounts/asker.io";
import { hidden, type State } from "../../accounts/audited-values";
import { watchChange } from "../../accounts/watch.io";
import { readConfig } from "../../config";
import { builtIn } from "../../connectors/catalog";
import type { Connector } from "../../connectors/definition";
import { keyring } from "../../db/sealed";
import { invalid, notFound } from "../../http/refusal";
import { MASK } from "../../values/secret-name";
import { isoText } from "../../values/instant";
import { deleteApp, type OwnApp, readApp, saveApp } from "./apps.store";

const URL_EXPECTED = "Expected the redirect URL, as it is registered at the vendor";

/** What an organization's OAuth application is made of. */
export const appInput = z.strictObject({
  key: z
    .string("Expected the OAuth client id")
    .trim()
    .min(1, "Expected the OAuth client id")
    .max(1_024),
  secret: z
    .string("Expected the OAuth client secret")
    .trim()
    .min(1, "Expected the OAuth client secret")
    .max(4_096)
    .describe(`${MASK}: the one that is stored`),
  callbackUrl: z
    .url({ protocol: /^https?$/, error: URL_EXPECTED })
    .max(2_048, URL_EXPECTED)
    .optional()
    .describe("Where the vendor sends people back; the console's page for that if absent"),
});
export type AppInput = z.infer<typeof appInput>;

/** The page of the console to which vendors send people back who consented. */
export const consentAddress = (c: { env: Env; req: { url: string } }): string =>
  `${readConfig(c.env).publicUrl ?? new URL(c.req.url).origin}/console/connected`;

/** Whether accounts of a connector can consent to an application. */
const hasConsent = ({ authentication, otherAuthentications }: Connector): boolean =>
  [authentication, ...otherAuthentications].some(({ type }) => type === "oauth2");

/** Connectors that an organization may have an application of: a user's own is no place to send its secret to. */
export const appConnectors = (): Connector[] => builtIn.filter(hasConsent);

/** The connector of this key. @throws Refusal `not-found` when there can be no application of it. */
export function appConnector(key: string): Connector {
  const connector = appConnectors().find((one) => one.key === key);
  if (connector === undefined)
    throw notFound(`No built-in connector '${key.slice(0, 100)}' with OAuth`);
  return connector;
}

/** Stores an organization's application. @throws Refusal `invalid` when the mask stands for a secret that isn't there. */
export async function putApp(
  c: Context<AskerEnv>,
  { key: connector }: Connector,
  { key, secret, callbackUrl = consentAddress(c) }: AppInput,
): Promise<OwnApp> {
  const { db, ring, organizationId } = doorsOf(c);
  const before = await watched(c, connector);
  if (secret === MASK && before === undefined)
    throw invalid(`secret: '${MASK}' keeps a stored value, and there is none`, "secret");
  const kept = secret === MASK && before !== undefined ? before.secret : secret;
  const app = { connector, key, secret: kept, callbackUrl, updatedAt: Date.now() };
  await saveApp(db, ring, organizationId, app);
  return app;
}

/** Removes it, where there is one: instances that use it keep what they have. */
export async function dropApp(c: Context<AskerEnv>, { key }: Connector): Promise<void> {
  await watched(c, key);
  await deleteApp(c.env.DB, c.var.asker.organizationId, key);
}

/** The application as it is, which the audit log compares with what becomes of it. */
async function watched(c: Context<AskerEnv>, connector: string): Promise<OwnApp | undefined> {
  const { db, ring, organizationId } = doorsOf(c);
  const read = () => readApp(db, ring, organizationId, connector);
  const before = await read();
  watchChange(
    c,
    () => stateOf(before) ?? {},
    async () => stateOf(await read()),
  );
  return before;
}

const stateOf = (app: OwnApp | undefined): State | undefined =>
  app && { clientId: app.key, secret: hidden(app.secret), callbackUrl: app.callbackUrl };

const doorsOf = (c: Context<AskerEnv>) => ({
  db: c.env.DB,
  ring: keyring(readConfig(c.env).masterKeys),
  organizationId: c.var.asker.organizationId,
});

/** An application as it is shown, without its secret. */
export const appView = ({ connector, key, callbackUrl, updatedAt }: OwnApp) => ({
  connector,
  key,
  secret: MASK,
  callbackUrl,
  updatedAt: isoText(updatedAt),
});
