import { type Keyring, openJson, openText, sealJson, sealSpans } from "../db/sealed-text";
import { maskedJson, unmaskedJson } from "../values/secret-json";
import { isSecretSetting, MASK } from "../values/secret-name";
import type { Connector } from "./definition";

/**
 * Credentials that a definition sends with every request (headers, parameters, in its address), or gives to instances that
 * have none of their own, are sealed where it is stored. An instance's connector has them open; where a definition is shown, masks stand for them.
 */

type Sending = Pick<Connector, "headers" | "baseUrl" | "resources" | "ping" | "configuration">;

const place = (id: number): string => `user_connectors/${id}`;

/** The parts of a definition that say how requests are made, and with what. */
function sendingOf({ headers, baseUrl, resources, ping, configuration }: Sending): Sending {
  return { headers, baseUrl, resources, configuration, ...(ping === undefined ? {} : { ping }) };
}

/** A definition whose secrets that stand in for an instance's own are changed. */
function withDefaults<T extends Sending>(
  sending: T,
  change: (value: string, key: string) => string,
): T {
  const configuration = sending.configuration.map((entry) => {
    const { type, key, defaultValue } = entry;
    if (defaultValue === null || !isSecretSetting(key, type)) return entry;
    const changed = change(defaultValue, key);
    return changed === defaultValue ? entry : { ...entry, defaultValue: changed };
  });
  const isSame = configuration.every((entry, index) => entry === sending.configuration[index]);
  return isSame ? sending : { ...sending, configuration };
}

export function sealedDefinition(ring: Keyring, connector: Connector): Connector {
  const there = place(connector.id);
  const sealed = { ...connector, ...sealJson(ring, there, sendingOf(connector)) };
  return withDefaults(sealed, (value) =>
    sealSpans(ring, there, value, [{ name: "", from: 0, to: value.length }]),
  );
}

const opened = new WeakMap<Connector, Connector>();

/** A definition as instances use it. */
export function openedDefinition(ring: Keyring, connector: Connector): Connector {
  const known = opened.get(connector);
  if (known !== undefined) return known;
  const sending = sendingOf(connector);
  const there = place(connector.id);
  const open = withDefaults(openJson(ring, there, sending), (value) =>
    openText(ring, there, value),
  );
  const one = open === sending ? connector : { ...connector, ...open };
  opened.set(connector, one);
  return one;
}

/** A definition as it is shown. */
export const maskedDefinition = <T extends Sending>(connector: T): T =>
  withDefaults({ ...connector, ...maskedJson(sendingOf(connector)) }, () => MASK);

/** A definition that was shown and comes back: masks keep what is stored. */
export function unmaskedDefinition<T extends Sending>(given: T, stored: Connector): T {
  const kept = { ...given, ...unmaskedJson(sendingOf(given), sendingOf(stored)) };
  const known = new Map(stored.configuration.map(({ key, defaultValue }) => [key, defaultValue]));
  return withDefaults(kept, (value, key) => (value === MASK ? (known.get(key) ?? MASK) : value));
}

/** Whether a mask stands where nothing is stored, or a text is what only the platform may have sealed. */
export function isUnreadable(given: Sending): boolean {
  const text = JSON.stringify(sendingOf(given));
  return text.includes(MASK) || text.includes("~sealed.");
}
