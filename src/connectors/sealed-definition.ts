import { type Keyring, openJson, sealJson } from "../db/sealed-text";
import { maskedJson, unmaskedJson } from "../values/secret-json";
import { MASK } from "../values/secret-name";
import type { Connector } from "./definition";

/**
 * Credentials that a definition sends with every request (headers, parameters, in its address) are sealed where it is
 * stored. An instance's connector has them open; where a definition is shown, masks stand for them.
 */

type Sending = Pick<Connector, "headers" | "baseUrl" | "resources" | "ping">;

const place = (id: number): string => `user_connectors/${id}`;

/** The parts of a definition that say how requests are made. */
function sendingOf({ headers, baseUrl, resources, ping }: Sending): Sending {
  return { headers, baseUrl, resources, ...(ping === undefined ? {} : { ping }) };
}

export const sealedDefinition = (ring: Keyring, connector: Connector): Connector => ({
  ...connector,
  ...sealJson(ring, place(connector.id), sendingOf(connector)),
});

const opened = new WeakMap<Connector, Connector>();

/** A definition as instances use it. */
export function openedDefinition(ring: Keyring, connector: Connector): Connector {
  const known = opened.get(connector);
  if (known !== undefined) return known;
  const sending = sendingOf(connector);
  const open = openJson(ring, place(connector.id), sending);
  const one = open === sending ? connector : { ...connector, ...open };
  opened.set(connector, one);
  return one;
}

/** A definition as it is shown. */
export const maskedDefinition = <T extends Sending>(connector: T): T => ({
  ...connector,
  ...maskedJson(sendingOf(connector)),
});

/** A definition that was shown and comes back: masks keep what is stored. */
export const unmaskedDefinition = <T extends Sending>(given: T, stored: Connector): T => ({
  ...given,
  ...unmaskedJson(sendingOf(given), sendingOf(stored)),
});

/** Whether a mask stands where nothing is stored, or a text is what only the platform may have sealed. */
export function isUnreadable(given: Sending): boolean {
  const text = JSON.stringify(sendingOf(given));
  return text.includes(MASK) || text.includes("~sealed.");
}
