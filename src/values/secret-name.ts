const SECRET = /authorization|cookie|secret|token|key|password|signature|credential/i;

/** Whether a header or a setting of this name may hold a credential. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name);
}

const SECRET_SETTING = /password|secret|token|signature\.key/i;
/** What an instance's owner has to give the vendor: shown, unless the connector says otherwise. */
const SHOWN = "event.vendor.token";

/**
 * Whether the value of an instance's setting is never shown: its connector declares it a secret, or its name says that
 * it is one, however a connector declares it (reference connector-events-api.md §4).
 */
export function isSecretSetting(key: string, type?: string): boolean {
  return type === "PASSWORD" || (key !== SHOWN && SECRET_SETTING.test(key));
}

/** What stands where a secret was. */
export const MASK = "********";
