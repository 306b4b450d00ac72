import { createHmac } from "node:crypto";
import { equalInConstantTime } from "../values/bytes";

/**
 * How many requests of this platform led to this one, one after the other. Every request that a delivery makes carries
 * it, and every door that an event can come in by passes it on, so that a chain that goes round in a circle ends, over
 * whichever of our names it goes.
 */
export const HOPS_HEADER = "tributary-hops";
/** Proves that we counted: an HMAC over the number. */
export const HOPS_SIGNATURE = "tributary-hops-signature";
/** The most requests in a chain: a notification that would make one more is dead (`loop`). */
export const MOST_HOPS = 5;

/**
 * Whether a callback URL is an inbound address of this deployment, by one of its names
 * (reference connector-events-api.md §4).
 */
export function isOwnAddress(url: string, ...publicUrls: (string | undefined)[]): boolean {
  if (!URL.canParse(url)) return false;
  const { origin, pathname } = new URL(url);
  return (
    publicUrls.some((own) => own !== undefined && origin === new URL(own).origin) &&
    pathname.startsWith("/elements/api-v2/events/")
  );
}

/** The headers of a request for something with so many hops. */
export function hopHeaders(hops: number, key: string): Record<string, string> {
  const text = String(hops + 1);
  return { [HOPS_HEADER]: text, [HOPS_SIGNATURE]: signatureOf(text, key) };
}

/**
 * How many requests led to this one. A count that is not signed by us may be another deployment's, so it ends a chain
 * too; but whoever makes one up has his request refused at no door: it counts as the most that a request may have.
 */
export function hopsOf(headers: { get(name: string): string | null }, key: string): number {
  const text = headers.get(HOPS_HEADER) ?? "";
  if (!/^\d{1,3}$/.test(text)) return 0;
  const signature = headers.get(HOPS_SIGNATURE);
  const isOurs = signature !== null && equalInConstantTime(signatureOf(text, key), signature);
  return isOurs ? Number(text) : Math.min(Number(text), MOST_HOPS);
}

const signatureOf = (hops: string, key: string): string =>
  createHmac("sha256", key).update(`${HOPS_HEADER}:${hops}`).digest("base64");

/** Who sends a callback to one of our own addresses: an instance, and the organization that it is of. */
export type Sender = { organizationId: number; instanceId: number };

const SENDER_HEADER = "tributary-sender";
const SENDER_SIGNATURE = "tributary-sender-signature";

/**
 * Proves to our own doors who sends a callback: an HMAC over the sender, the path and the body. It is sent to own addresses
 * only, and admits to instances of the sender's organization, which the body is then for.
 */
export function senderHeaders(
  { organizationId, instanceId }: Sender,
  { url, body }: { url: string; body: string },
  key: string,
): Record<string, string> {
  const sender = `${organizationId}/${instanceId}`;
  const signature = senderSignature(sender, new URL(url).pathname, Buffer.from(body), key);
  return { [SENDER_HEADER]: sender, [SENDER_SIGNATURE]: signature };
}

/** Whose callback this is; undefined: nobody's, or one that we did not sign. */
export function senderOf(
  headers: { get(name: string): string | null },
  { url, body }: { url: string; body: Uint8Array },
  key: string,
): Sender | undefined {
  const sender = headers.get(SENDER_HEADER);
  const signature = headers.get(SENDER_SIGNATURE);
  const [, organizationId, instanceId] = /^(\d{1,15})\/(\d{1,15})$/.exec(sender ?? "") ?? [];
  if (sender === null || signature === null || instanceId === undefined) return undefined;
  const wanted = senderSignature(sender, new URL(url).pathname, body, key);
  return equalInConstantTime(wanted, signature)
    ? { organizationId: Number(organizationId), instanceId: Number(instanceId) }
    : undefined;
}

function senderSignature(sender: string, path: string, body: Uint8Array, key: string): string {
  const hmac = createHmac("sha256", key).update(`${SENDER_HEADER}:${sender}\n${path}\n`);
  return hmac.update(body).digest("base64");
}

/** What an event that a request brings has of it. */
export const withHops = (hops: number): { hops?: number } => (hops === 0 ? {} : { hops });
