import type { Context } from "hono";
import type { AskerEnv } from "../../accounts/asker.io";
import { readConfig } from "../../config";
import { keyring } from "../../db/sealed";
import { callbackHeaders, ownHeaders } from "../../delivery/callback.client";
import { readDestination } from "../../delivery/destinations.store";
import type { SentRequest } from "../../delivery/attempt";
import { hopHeaders } from "../../delivery/own-address";
import { shownHeaders } from "../../delivery/record";
import { present } from "../../delivery/present.io";
import { notFound } from "../../http/refusal";
import type { NotificationView } from "../../stream/history";
import { instanceSource, parseNotificationId, parseStreamName } from "../../stream/stream-name";
import { MASK } from "../../values/secret-name";
import { maskedUrl } from "../../values/secret-text";
import { reachesDestination, reachesSource, reachOf } from "../reach";
import { type StreamHandle, streamOfSource } from "../streams/lookup.io";
import { type Proof, proofsOf } from "./proof";

/**
 * The stream that keeps a delivery, and the delivery's number in it. Whether the stream has it is not checked.
 * @throws Refusal `not-found` for a text that is no id, and for an id of another organization or beyond a key's limits.
 */
export async function locateDelivery(
  c: Context<AskerEnv>,
  id: string,
): Promise<StreamHandle & { seq: number }> {
  const { asker } = c.var;
  const unknown = notFound(`No delivery '${id.slice(0, 100)}'`);
  const address = parseNotificationId(id);
  if (address === undefined) throw unknown;
  const { organizationId, source } =
    address.kind === "instance"
      ? { ...asker, source: instanceSource(address.instanceId) }
      : parseStreamName(address.stream);
  if (organizationId !== asker.organizationId) throw unknown;
  const located = { ...streamOfSource(c, source), seq: address.seq };
  const reach = reachOf(asker);
  if (reachesSource(reach, source)) return located;
  // A key of a destination reaches what goes there, whatever stream keeps it.
  const view = await located.stub.notification(located.seq);
  const to = view?.notification.destinationId ?? null;
  if (to === null || !reachesDestination(reach, to)) throw unknown;
  return located;
}

/**
 * The request that a delivery is made with; secrets in its headers are masked. `encoding`: how a body that is no text is
 * told; `truncated`: only its beginning is kept.
 */
export type RequestView = Omit<SentRequest, "url"> & { url: string | null };

/** The request of a delivery, and what its signatures were made of. */
export type ProvenRequest = { request: RequestView | null; proofs: Proof[] };

/**
 * The request of a delivery: of a flow's step the one that was sent last, null before its first try; of any other the
 * one it would be made with now, after any change of its destination, at the time of its last try; null without one.
 */
export async function provenRequest(
  c: Context<AskerEnv>,
  view: NotificationView,
  body: string,
): Promise<ProvenRequest> {
  const { notification } = view;
  if (notification.destinationId === null) return { request: null, proofs: [] };
  const config = readConfig(c.env);
  const destination = await readDestination(
    c.env.DB,
    keyring(config.masterKeys),
    c.var.asker.organizationId,
    notification.destinationId,
  );
  const last = notification.attempts.at(-1);
  if (notification.envelope.format === "flow-step") {
    const request = last?.request ?? null;
    return { request, proofs: proofsOf(request, destination) };
  }
  if (destination === undefined) return { request: null, proofs: [] };
  const { url } = destination;
  // One that the transform fails on is never sent; its body is shown as it is before.
  const presented = await present(c.env.DB, destination, body);
  const sent = presented.ok ? presented.text : body;
  const form = presented.ok ? presented.headers : {};
  // A token is asked for when the call is made.
  const authorization = destination.auth?.type === "oauth2" ? `Bearer ${MASK}` : undefined;
  const headers = {
    ...callbackHeaders(
      destination,
      { id: view.id, body: sent, headers: form, authorization },
      last?.at ?? Date.now(),
    ),
    ...hopHeaders(notification.hops ?? 0, config.sessionKey),
    ...(url === null ? {} : ownHeaders({ ...destination, url }, sent, config)),
  };
  const request = {
    method: "POST",
    url: maskedUrl(url),
    headers: shownHeaders(headers, destination.signature?.header),
    body: sent,
    encoding: "text",
    truncated: false,
  } as const;
  return { request, proofs: proofsOf(request, destination) };
}

/** The request alone. */
export const requestView = async (
  ...of: Parameters<typeof provenRequest>
): Promise<RequestView | null> => (await provenRequest(...of)).request;
