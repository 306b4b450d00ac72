import { createHmac } from "node:crypto";
import { equalInConstantTime } from "../values/bytes";
import type { Millis } from "../values/instant";

/** What is published may be this large, and where a bucket is bound its data. */
export const EVENT_BYTES = 1_048_576;
export const LARGE_BYTES = 25 * 1_048_576;

/** A URL opens what it names for so long after its event is told, if the event is kept as long. */
export const OPEN_FOR_MS = 30 * 86_400_000;

/** What a path names: the data of an event of a tenant, or of none. */
export type PayloadPath = { organizationId: number; tenant: string | null; name: string };

const NONE = "-";
export const tenantOf = (segment: string): string | null => (segment === NONE ? null : segment);

const pathOf = ({ organizationId, tenant, name }: PayloadPath): string =>
  `/v1/payloads/${organizationId}/${tenant ?? NONE}/${name}`;

/** A path that opens an event's data to whoever has it, until an instant. */
export function signedPath(path: PayloadPath, expiresAt: Millis, key: string): string {
  const expires = String(expiresAt);
  return `${pathOf(path)}?expires=${expires}&signature=${signatureOf(path, expires, key)}`;
}

/** Whether a path may be opened now. Only of one that we signed is it told that its time is over. */
export function opens(
  path: PayloadPath,
  { expires, signature }: { expires: string; signature: string },
  key: string,
  now: Millis,
): "yes" | "no" | "expired" {
  if (!equalInConstantTime(signatureOf(path, expires, key), signature)) return "no";
  return Number(expires) > now ? "yes" : "expired";
}

const signatureOf = (path: PayloadPath, expires: string, key: string): string =>
  createHmac("sha256", key)
    .update(`payload:${pathOf(path)}?${expires}`)
    .digest("base64url");
