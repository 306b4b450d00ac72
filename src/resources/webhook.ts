import type * as z from "zod";
import { type DestinationDraft, headerFault } from "../delivery/destination";
import { checkEgress, type EgressPolicy } from "../http/egress";
import type { Keyring } from "../db/sealed";
import { webhookSpec } from "./kinds/management";
import { openHeaders, openUrl } from "./webhook-headers";
import { destinationId, type Resource } from "./resource";

/** What is wrong with a body: the dotted path, and why. */
export type Fault = { field: string; message: string; meta?: Record<string, string> };
export type WebhookSpec = z.infer<typeof webhookSpec>;

/** Why a Webhook's invocations could not be sent: a URL that is not allowed, or headers that a Webhook may not set. */
export function webhookFaults(spec: Record<string, unknown>, egress: EgressPolicy): Fault[] {
  const parsed = webhookSpec.safeParse(spec);
  if (!parsed.success) return [];
  const { url, headers = {}, auth } = parsed.data;
  const verdict = checkEgress(url, egress);
  const location = auth?.location;
  const headerName = location?.in === "header" ? location.name : undefined;
  const locationFault = headerName === undefined ? undefined : headerFault(headerName, "");
  return [
    ...(verdict.ok ? [] : [{ field: "spec.url", message: verdict.message }]),
    ...Object.entries(headers).flatMap(([name, value]) => {
      const message = headerFault(name, value);
      return message === undefined ? [] : [{ field: `spec.headers.${name}`, message }];
    }),
    ...(locationFault === undefined
      ? []
      : [{ field: "spec.auth.location.name", message: locationFault }]),
  ];
}

/** The Secret and key a Webhook names. */
export function secretOf(webhook: Resource): { name: string; key: string } | undefined {
  const parsed = webhookSpec.safeParse(webhook.content.spec);
  const secret = parsed.success ? parsed.data.auth?.secret : undefined;
  return secret === undefined || secret.name === "" ? undefined : secret;
}

/**
 * Where a Webhook's invocations go. The secret is its raw value in `Authorization`, or where `location`
 * says, and wins over the Webhook's own headers; undefined: sent without it (reference resource-api.md §10).
 */
export function destinationOf(
  ring: Keyring,
  webhook: Resource,
  secret: string | undefined,
): DestinationDraft {
  const { auth } = webhookSpec.parse(webhook.content.spec);
  const headers = openHeaders(ring, webhook);
  const location = auth?.location;
  const query: Record<string, string> = {};
  const sent = new Map(Object.entries(headers));
  if (secret !== undefined && location?.in === "query") query[location.name] = secret;
  if (secret !== undefined && location?.in !== "query") {
    const name = location?.name ?? "Authorization";
    for (const other of sent.keys())
      if (other.toLowerCase() === name.toLowerCase()) sent.delete(other);
    sent.set(name, secret);
  }
  return {
    id: destinationId(webhook.id),
    organizationId: webhook.organizationId,
    kind: "webhook",
    ownerId: webhook.id,
    url: openUrl(ring, webhook),
    headers: Object.fromEntries(sent),
    query,
    legacyKey: null,
  };
}
