import type { TenantTerms } from "../accounts/tenants/tenant";
import type { OrganizationSettings } from "../accounts/organization.store";
import type { DestinationPolicy, Selectors } from "../db/delivery";
import type { Changed } from "../db/directory/tell";
import { CONNECTOR_DEFAULT, CONNECTOR_LONG, type RetryPolicy, STANDARD } from "./backoff";
import type { Auth } from "./auth";
import type { Signer } from "./signature";
import type { OwnSignature } from "./signature-profile";
import type { Failing, Pause, Standing } from "./state";

export type { Selectors } from "../db/delivery";

/** A destination, its secrets opened, as the consumer needs it. */
export type Destination = {
  id: string;
  organizationId: number;
  /**
   * `subscription`: of topics of the connector surface, beside the callbacks of instances. `operations`: the
   * organization's callback for notices about its other destinations (`notice.ts`). `endpoint`: one made by API, which
   * says itself what it hears of (`endpoints.store.ts`).
   */
  kind: "instance" | "subscription" | "webhook" | "flow-step" | "operations" | "endpoint";
  ownerId: string;
  /** The customer of the organization that it belongs to; an endpoint of one hears of its events alone. */
  tenant: string | null;
  /** What that says of all that is its. */
  terms: TenantTerms | null;
  url: string | null;
  enabled: boolean;
  active: boolean;
  paused: Pause | null;
  failing: Failing | null;
  headers: Record<string, string>;
  /** Secret query parameters: sealed with the headers, added to the URL of each try only. */
  query: Record<string, string>;
  legacyKey: string | null;
  signers: Signer[];
  /** How an endpoint's calls are signed besides. */
  signature?: OwnSignature;
  /** How an endpoint's calls prove who makes them. */
  auth?: Auth;
  policy: DestinationPolicy;
};

/** What its owner says of an endpoint beside how it is served. */
export type EndpointTraits = {
  /** No two of an organization have the same. */
  name: string | null;
  description: string | null;
  metadata: Record<string, unknown>;
  selectors: Selectors;
};

/** A destination as its operators see it: its keys, and the delays it is retried with. */
export type DestinationRecord = {
  destination: Destination;
  /** Null for all kinds but `endpoint`. */
  traits: EndpointTraits | null;
  keys: {
    id: string;
    algorithm: "v1" | "v1a";
    createdAt: number;
    expiresAt: number | null;
    /** What receivers verify with, where anybody may know it; null: a shared secret. */
    publicKey: string | null;
  }[];
  retryDelays: readonly number[] | undefined;
};

/** What an owner says of its destination when it is saved. */
export type DestinationDraft = Omit<
  Destination,
  "signers" | "signature" | "auth" | keyof Standing | "query" | "policy" | "tenant"
> & {
  query?: Record<string, string>;
  /** Undefined: the policy stays as it is. */
  policy?: DestinationPolicy;
  /** Becomes the one symmetric signing key. Undefined: the keys stay as they are; a new destination gets one. */
  signingSecret?: string;
};

/** How the directory is told of a change of a destination: as one of its owner. */
export const changeOf = ({
  kind,
  ownerId,
  organizationId,
}: Pick<Destination, "kind" | "ownerId" | "organizationId">): Changed =>
  kind === "flow-step"
    ? `flow:${ownerId}`
    : kind === "instance"
      ? `instance:${ownerId}`
      : `organization:${organizationId}`;

/** The id of an endpoint, of which `unique` is unlike any other. */
export const endpointId = (unique: string): string => `ep_${unique}`;

/** Why a notification dies whose destination is not there. Of all but endpoints it is said as if it were switched off. */
export const reasonOfAbsence = (id: string): "destination-deleted" | "destination-disabled" =>
  id.startsWith(endpointId("")) ? "destination-deleted" : "destination-disabled";

export const instanceDestinationId = (instanceId: number): string => `instance-${instanceId}`;

/** Its organization is part of its id, so that nothing of another organization's can be named by its number. */
export const subscriptionDestinationId = (organizationId: number, number: number): string =>
  `subscription-${organizationId}-${number}`;

/** The number of a subscription by its destination's id; undefined for a destination of another kind. */
export function subscriptionOf(destinationId: string): number | undefined {
  const [, number] = /^subscription-[1-9]\d*-([1-9]\d{0,14})$/.exec(destinationId) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** Whether a destination is served as the connector surface says (reference connector-events-api.md §8). */
export const isOfConnectors = (kind: Destination["kind"]): boolean =>
  kind === "instance" || kind === "subscription";

/** Headers of a callback that are ours to set. */
const RESERVED =
  /^(host|content-length|connection|transfer-encoding|te|trailer|upgrade|expect|webhook-.*|elements-webhook-.*|cf-.*|x-forwarded-.*)$/i;

/** @returns why a header may not be set on callbacks; undefined when it may. */
export function headerFault(name: string, value: string): string | undefined {
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/.test(name)) return `'${name}' is not a header name`;
  if (RESERVED.test(name)) return `Header '${name}' can't be set`;
  if (value.length > 4096) return `Header '${name}' is longer than 4096 characters`;
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    ? undefined
    : `Header '${name}' has a character that can't be sent`;
}

/** An organization's settings for its connector callbacks (reference connector-events-api.md §8). */
export function accountPolicy(settings: OrganizationSettings): {
  failurePolicy: "retry" | "queue";
  retryProfile: "default" | "long";
} {
  return {
    failurePolicy: settings["notification.webhook.failure.policy"] ?? "retry",
    retryProfile: settings["notification.webhook.retry.profile"] ?? "default",
  };
}

/** The policy a destination is retried by: its own schedule, else that of its kind and organization. */
export function retryPolicyOf(
  { kind, policy }: Pick<Destination, "kind" | "policy">,
  account: ReturnType<typeof accountPolicy>,
): RetryPolicy {
  if (policy.retrySchedule !== undefined)
    return { kind: "before-each-try", delaysSeconds: policy.retrySchedule, jitter: 0 };
  if (!isOfConnectors(kind)) return STANDARD;
  if (account.failurePolicy === "queue") return { kind: "queue" };
  return account.retryProfile === "long" ? CONNECTOR_LONG : CONNECTOR_DEFAULT;
}
