import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { readConfig } from "../../config";
import { keyring } from "../../db/sealed";
import { callbackHeaders } from "../../delivery/callback.client";
import { readDestination } from "../../delivery/destinations.store";
import { notFound } from "../../http/refusal";
import type { NotificationView } from "../../stream/history";
import { instanceSource, parseNotificationId, parseStreamName } from "../../stream/stream-name";
import { maskedHeaders } from "../../values/secret-name";
import { type StreamHandle, streamOfSource } from "../streams/lookup.io";

/**
 * The stream that keeps a delivery, and the delivery's number in it. Whether the stream has it is not checked.
 * @throws Refusal `not-found` for a text that is no id, and for an id of another organization.
 */
export async function locateDelivery(
  c: Context<AskerEnv>,
  id: string,
): Promise<StreamHandle & { seq: number }> {
  const address = parseNotificationId(id);
  if (address === undefined) throw notFound(`No delivery '${id.slice(0, 100)}'`);
  if (address.kind === "instance")
    return { ...streamOfSource(c, instanceSource(address.instanceId)), seq: address.seq };
  const { organizationId, source } = parseStreamName(address.stream);
  if (organizationId !== c.var.asker.organizationId)
    throw notFound(`No delivery '${id.slice(0, 100)}'`);
  return { ...streamOfSource(c, source), seq: address.seq };
}

/** The request that a delivery is made with; secrets in its headers are masked. */
export type RequestView = { url: string | null; headers: Record<string, string>; body: string };

/** The request a delivery would be made with now, after any change of its destination; null without one. */
export async function requestView(
  c: Context<AskerEnv>,
  { notification, id }: NotificationView,
  body: string,
): Promise<RequestView | null> {
  if (notification.destinationId === null) return null;
  const ring = keyring(readConfig(c.env).masterKeys);
  const destination = await readDestination(
    c.env.DB,
    ring,
    c.var.asker.organizationId,
    notification.destinationId,
  );
  if (destination === undefined) return null;
  const headers = callbackHeaders(
    destination,
    { id, body },
    notification.attempts.at(-1)?.at ?? Date.now(),
  );
  return { url: destination.url, headers: maskedHeaders(headers), body };
}
