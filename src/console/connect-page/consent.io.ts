import type { Context } from "hono";
import { equalSecrets } from "../../accounts/secret";
import type { BegunConsent } from "../../accounts/tenants/connect-session";
import { keepConsent } from "../../accounts/tenants/connect-sessions.store";
import type { Connector } from "../../connectors/definition";
import { withApplication } from "../../elements/granted.io";
import { conflict, forbidden } from "../../http/refusal";
import { consentAddress } from "../../hub/applications/edit.io";
import { mergeConfiguration } from "../../instances/configuration";
import { VISITORS_STATE } from "../connect/brought";
import { consentUrl, ownApp } from "../connect/consent.io";
import { instanceAgain } from "./connect.io";
import { type ConnectEnv, connectingOf, ringOf } from "./session.io";

/**
 * The consent of a tenant's people. They leave with a state that is kept in their session, with what they typed before:
 * there is no instance until they are back with a code.
 * @param configuration Of the instance that it is for, or what it changes of one that is connected again.
 * @returns the page of the vendor.
 */
export async function beginConsent(
  c: Context<ConnectEnv>,
  connector: Connector,
  configuration: Record<string, unknown>,
): Promise<string> {
  const { id, terms } = connectingOf(c);
  const back = { ...configuration, "oauth.callback.url": consentAddress(c) };
  const before = terms.isAgain ? (await instanceAgain(c)).configuration : {};
  const merged = mergeConfiguration(connector, before, back);
  const secret = await ownApp(c, connector);
  const values = await withApplication(
    c,
    connector,
    merged,
    secret === undefined ? {} : { secret },
  );
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const state = `${VISITORS_STATE}${random}`;
  const consent = await consentUrl(c, { connector, configuration: values }, state);
  if (!consent.ok) throw conflict(consent.message);
  const begun = { state, connector: connector.key, configuration: back, url: consent.url };
  await keepConsent(c.env.DB, ringOf(c), id, begun);
  return consent.url;
}

/** The consent that somebody comes back from. @throws Refusal `forbidden` unless it is the last one begun in this session. */
export function consentOf(c: Context<ConnectEnv>, state: string): BegunConsent {
  const { consent } = connectingOf(c);
  if (consent === null || !equalSecrets(consent.state, state))
    throw forbidden("This consent was not begun here, or another one was begun since");
  return consent;
}

/** What uses the application of the organization, or of the platform, in the place of one that a configuration lacks. */
export async function applicationIn(
  c: Context<ConnectEnv>,
  connector: Connector,
  configuration: Readonly<Record<string, unknown>>,
): Promise<{ secret?: string }> {
  const lacksOne = (configuration["oauth.api.key"] ?? "") === "";
  const secret = lacksOne ? await ownApp(c, connector) : undefined;
  return secret === undefined ? {} : { secret };
}
