import type { Connector } from "../connectors/definition";
import type { TenantTerms } from "../accounts/tenants/tenant";
import type { PollerDisabled, RegistrationFault } from "../db/instances";
import { withoutTrailing } from "../values/text";
import { hasCredentials, sameConnection } from "./configuration";

/** A customer's connected account, with its secrets decrypted. */
export type Instance = {
  id: number;
  organizationId: number;
  userId: number;
  connector: Connector;
  name: string;
  tags: string[];
  /** The customer of the organization that it belongs to, by its tag. */
  tenant: TenantTerms | null;
  token: string;
  /** Values by configuration key, secrets included. An absent key has its default value. */
  configuration: Record<string, string | null>;
  externalAuthentication: string;
  valid: boolean;
  invalidReason: string | null;
  disabled: boolean;
  pollerDisabled: PollerDisabled | null;
  registrationFault: RegistrationFault | null;
  /** Nothing that changed at or before this instant is emitted. */
  baseline: number;
  /** Nothing that changed after this instant is told by polls, since webhooks tell it; null: there is no such instant. */
  pollsUntil: number | null;
  enabledAt: number;
  createdAt: number;
  updatedAt: number;
};

/** From when on a new instance tells changes: `event.poller.since`, else its creation. */
export function firstBaseline(configuration: Instance["configuration"], now: number): number {
  const since = configuration["event.poller.since"] ?? null;
  return since === null ? now : Date.parse(since);
}

/** Why nothing is polled, taken in or asked for an instance, for people; undefined while it, and its tenant, are on. */
export function whyOff({
  disabled,
  tenant,
}: Pick<Instance, "disabled" | "tenant">): string | undefined {
  if (disabled) return "The instance is disabled";
  return tenant?.isOff === true ? `The instance's tenant '${tenant.id}' is disabled` : undefined;
}

/** Enabling also resumes a poller that failed too often: its failures are forgotten, its cursor stays. */
export function switched(enabled: boolean, now: number): Partial<Instance> {
  return {
    disabled: !enabled,
    ...(enabled ? { pollerDisabled: null, enabledAt: now } : {}),
  };
}

/**
 * The changed instance with `valid` set. After a refusal of the vendor only other credentials make it valid
 * again.
 */
export function withValidity(before: Instance, changed: Instance): Instance {
  const { connector, configuration } = changed;
  const isComplete = hasCredentials(connector, configuration);
  const isRefused = !before.valid && sameConnection(before.configuration, configuration);
  const valid = isComplete && !isRefused;
  const reason = isComplete ? before.invalidReason : "No credentials yet";
  return { ...changed, valid, invalidReason: valid ? null : reason };
}

/** `${key}` replaced by configuration values; undefined when one is missing. */
export function fillTemplate(
  template: string,
  values: Readonly<Record<string, string | null | undefined>>,
): string | undefined {
  let missing = false;
  const text = template.replace(/\$\{([\w.]+)\}/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined || value === null || value === "") missing = true;
    return value ?? "";
  });
  return missing ? undefined : text;
}

/**
 * `url` on another host: `base` replaces scheme, host and port, and its path goes in front of the vendor's. Applied
 * to addresses that the vendor returns too, so that all calls stay with an emulator or in a region.
 */
export function rebase(url: string, base: string | null | undefined): string {
  if (base === undefined || base === null || base === "") return url;
  const target = new URL(url);
  const replacement = new URL(base);
  const prefix = withoutTrailing(replacement.pathname, "/");
  const path = target.pathname.startsWith(`${prefix}/`)
    ? target.pathname
    : `${prefix}${target.pathname}`;
  return `${replacement.origin}${path}${target.search}`;
}
