const SECRET = /authorization|cookie|secret|token|key|password|signature|credential/i;

/** Whether a header or a setting of this name may hold a credential. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name);
}

/** What stands where a secret was. */
export const MASK = "********";
