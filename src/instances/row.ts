import { hashSecret } from "../accounts/secret";
import type { TenantTerms } from "../accounts/tenants/tenant";
import type { Connector } from "../connectors/definition";
import type { instances } from "../db/instances";
import { type Keyring, seal, unseal } from "../db/sealed";
import { urlSecrets } from "../values/secret-text";
import { isSealedKey } from "./entries";
import type { Instance } from "./instance";
import { scheduleOf } from "./schedule";

/** An instance as a table row: its secrets sealed, everything else in clear. */

export type Row = typeof instances.$inferSelect & { tenant: TenantTerms | null };

export function toRow(
  instance: Instance,
  ring: Keyring,
): Omit<typeof instances.$inferInsert, "refreshLeaseUntil"> {
  const { configuration, secrets } = split(
    instance.id,
    instance.connector,
    instance.configuration,
    ring,
  );
  const {
    id,
    organizationId,
    userId,
    name,
    tags,
    token,
    externalAuthentication,
    valid,
    invalidReason,
    disabled,
  } = instance;
  return {
    id,
    organizationId,
    userId,
    elementKey: instance.connector.key,
    name,
    tags,
    tenantId: instance.tenant?.id ?? null,
    tokenHash: hashSecret(token),
    tokenSealed: seal(ring, token, sealedRow(id, "token")),
    configuration,
    secrets,
    externalAuthentication,
    valid,
    invalidReason,
    disabled,
    pollerDisabled: instance.pollerDisabled,
    registrationFault: instance.registrationFault,
    ...scheduleOf(instance),
    baseline: instance.baseline,
    pollsUntil: instance.pollsUntil,
    enabledAt: instance.enabledAt,
    createdAt: instance.createdAt,
    updatedAt: instance.updatedAt,
  };
}

/** The configuration in two parts: values in clear, and sealed secrets; an address that has a credential is one. */
export function split(
  id: number,
  connector: Connector,
  values: Readonly<Record<string, string | null>>,
  ring: Keyring,
): { configuration: Record<string, string | null>; secrets: Record<string, string> } {
  const configuration: Record<string, string | null> = {};
  const secrets: Record<string, string> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value !== null && (isSealedKey(connector, key) || urlSecrets(value).length > 0))
      secrets[key] = seal(ring, value, sealedRow(id, key));
    else configuration[key] = value;
  }
  return { configuration, secrets };
}

/**
 * Changes as JSON merge patches (RFC 7396) of the two parts: what is set in one leaves the other, so that a value
 * written in clear by an earlier version does not outlive its sealing.
 */
export function patchesOf(
  id: number,
  connector: Connector,
  changes: Readonly<Record<string, string | null>>,
  ring: Keyring,
): { configuration: Record<string, string | null>; secrets: Record<string, string | null> } {
  const { configuration, secrets } = split(id, connector, changes, ring);
  const absent = (keys: object): Record<string, null> =>
    Object.fromEntries(Object.keys(keys).map((key) => [key, null]));
  return {
    configuration: { ...absent(secrets), ...configuration },
    secrets: { ...absent(configuration), ...secrets },
  };
}

/** The instance of a row. @throws when no key decrypts its secrets. */
export function openedRow(row: Row, connector: Connector, ring: Keyring): Instance {
  const secrets = Object.entries(row.secrets).map(([key, sealed]): [string, string] => [
    key,
    unseal(ring, sealed, sealedRow(row.id, key)),
  ]);
  const {
    id,
    organizationId,
    userId,
    name,
    tags,
    tenant,
    externalAuthentication,
    valid,
    invalidReason,
    disabled,
  } = row;
  return {
    id,
    organizationId,
    userId,
    connector,
    name,
    tags,
    tenant,
    token: unseal(ring, row.tokenSealed, sealedRow(id, "token")),
    configuration: { ...row.configuration, ...Object.fromEntries(secrets) },
    externalAuthentication,
    valid,
    invalidReason,
    disabled,
    pollerDisabled: row.pollerDisabled,
    registrationFault: row.registrationFault,
    baseline: row.baseline,
    pollsUntil: row.pollsUntil,
    enabledAt: row.enabledAt,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}

/** What a sealed value is bound to: it cannot be decrypted in another row or field. */
function sealedRow(id: number, field: string): string {
  return `instances/${id}/${field}`;
}
