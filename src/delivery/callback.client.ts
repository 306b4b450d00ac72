import type { Attempt, DeliveryItem } from "./attempt";
import { authorizationOf } from "./auth";
import { callMs } from "./call-time";
import type { Certificate } from "./certificates.io";
import { type Answer, answerOf, type Outbound, request } from "../http/client";
import type { Config } from "../config";
import { type Destination, isOfConnectors } from "./destination";
import type { Rendered } from "./handler";
import { hopHeaders, isOwnAddress, senderHeaders } from "./own-address";
import { KEPT_BODY, keptHeaders, sentRequest } from "./record";
import { elementsSignature, standardHeaders } from "./signature";
import { profileHeaders } from "./signature-profile";

export type Tried = {
  attempt: Attempt;
  answer: Answer;
  /** The guard refused the address: no try was made, and none will be. */
  refused: boolean;
};

/** A body, the headers that its form asks for, and the credentials that were got for it. */
type Body = {
  body: string;
  headers?: Record<string, string>;
  authorization?: string | undefined;
};
export type Outgoing = DeliveryItem & Body & { timeoutMs?: number };

export type CallDoors = {
  config: Config;
  /** Callbacks to this platform's own addresses; absent: they go over the network like all others. */
  inside?: Inside;
  /** The client certificates that an organization may use, by name. */
  certificate?: (name: string, organizationId: number) => Certificate | undefined;
};

/** As much of a destination as a try needs; one that isn't saved yet has no more. */
export type Addressee = Pick<
  Destination,
  | "kind"
  | "organizationId"
  | "ownerId"
  | "headers"
  | "query"
  | "legacyKey"
  | "signers"
  | "signature"
  | "auth"
> & { url: string; policy?: Destination["policy"] };

/** One try: signed with this instant's timestamp, sent, its answer recorded. */
export function post(
  destination: Addressee,
  item: Outgoing,
  { config, inside, certificate }: CallDoors,
  now: number,
): Promise<Tried> {
  const { auth, organizationId, policy } = destination;
  const ask = async (): Promise<Answer> => {
    const via = auth?.type === "mtls" ? certificate?.(auth.binding, organizationId) : undefined;
    if (auth?.type === "mtls" && via === undefined)
      return { kind: "failed", error: `The deployment has no certificate '${auth.binding}'` };
    const outbound = {
      url: addressOf(destination),
      method: "POST",
      headers: {
        ...callbackHeaders(destination, item, now),
        ...hopHeaders(item.hops ?? 0, config.sessionKey),
        ...ownHeaders(destination, item.body, config),
      },
      body: item.body,
      timeoutMs: item.timeoutMs ?? callMs(policy),
      mostBytes: KEPT_BODY,
      ...(via === undefined ? {} : { via }),
    };
    return inside !== undefined && isOwnAddress(destination.url, ...config.publicUrls)
      ? handOver(outbound, inside)
      : request(outbound, config.egress);
  };
  return tried(ask, item.n, now);
}

/** What a callback of an instance to one of our own addresses has besides: who sends it. */
export function ownHeaders(
  {
    kind,
    organizationId,
    ownerId,
    url,
  }: Pick<Addressee, "kind" | "organizationId" | "ownerId" | "url">,
  body: string,
  { publicUrls, sessionKey }: Config,
): Record<string, string> {
  if (kind !== "instance" || !isOwnAddress(url, ...publicUrls)) return {};
  const sender = { organizationId, instanceId: Number(ownerId) };
  return senderHeaders(sender, { url, body }, sessionKey);
}

/** One try of a request that was made for this notification alone, signed like every other. */
export async function send(
  destination: Destination,
  item: DeliveryItem,
  rendered: Extract<Rendered, { kind: "request" }>,
  { egress, sessionKey }: Config,
  now: number,
): Promise<Tried> {
  const { method, url, body, timeoutMs, mostBytes } = rendered;
  const headers = {
    "user-agent": "Tributary/1",
    ...rendered.headers,
    ...standardHeaders(item.id, now, body ?? "", destination.signers),
    ...hopHeaders(item.hops ?? 0, sessionKey),
  };
  const outbound = { method, url, headers, ...(body === undefined ? {} : { body }) };
  const one = await tried(
    () => request({ ...outbound, timeoutMs, mostBytes }, egress),
    item.n,
    now,
  );
  return one.refused
    ? one
    : { ...one, attempt: { ...one.attempt, request: sentRequest(outbound) } };
}

/** A request that cannot be made, say for a header that none can be, is a try that failed. */
async function tried(ask: () => Promise<Answer>, n: number, now: number): Promise<Tried> {
  const began = performance.now();
  const answer = await ask().catch((error: unknown): Answer => ({
    kind: "failed",
    error: error instanceof Error ? error.message : String(error),
  }));
  const common = { n, at: now, durationMs: Math.round(performance.now() - began) };
  if (answer.kind !== "answered") {
    const attempt = {
      ...common,
      status: null,
      error: answer.error,
      responseHeaders: {},
      responseBody: "",
      truncated: false,
    };
    return { attempt, answer, refused: answer.kind === "refused" };
  }
  const { status, headers: answerHeaders, text, truncated, fault = null } = answer;
  const redirect = status >= 300 && status < 400 ? "Redirects are not followed" : null;
  const responseHeaders = keptHeaders(answerHeaders);
  const responseBody = text.slice(0, KEPT_BODY);
  const cut = truncated || responseBody.length < text.length;
  return {
    attempt: {
      ...common,
      status,
      error: redirect ?? fault,
      responseHeaders,
      responseBody,
      truncated: cut,
    },
    answer,
    refused: false,
  };
}

/** The URL of one try. Secret query parameters are added only here, so that no log or record shows them. */
function addressOf({ url, query }: { url: string; query: Record<string, string> }): string {
  if (Object.keys(query).length === 0 || !URL.canParse(url)) return url;
  const address = new URL(url);
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  return address.href;
}

/** Answers a request to one of our own addresses, in this process. */
export type Inside = (request: Request) => Promise<Response>;

async function handOver(outbound: Outbound, inside: Inside): Promise<Answer> {
  try {
    const response = await inside(new Request(outbound.url, outbound));
    return await answerOf(response, outbound.mostBytes);
  } catch (error) {
    return { kind: "failed", error: error instanceof Error ? error.message : String(error) };
  }
}

/** All headers of one try: the destination's own first, ours over them. */
export function callbackHeaders(
  destination: Pick<
    Destination,
    "kind" | "headers" | "legacyKey" | "signers" | "signature" | "auth"
  >,
  item: Pick<DeliveryItem, "id"> & Body,
  now: number,
): Record<string, string> {
  const { signers, signature } = destination;
  const { id, body, authorization = authorizationOf(destination.auth) } = item;
  const headers = new Headers({ "content-type": "application/json", "user-agent": "Tributary/1" });
  for (const [name, value] of Object.entries({ ...item.headers, ...destination.headers }))
    headers.set(name, value);
  if (authorization !== undefined) headers.set("authorization", authorization);
  const signed = {
    ...(signature && profileHeaders(signature, signers, { id, at: now, body })),
    ...standardHeaders(id, now, body, signers),
  };
  for (const [name, value] of Object.entries(signed)) headers.set(name, value);
  if (isOfConnectors(destination.kind)) {
    headers.set("Elements-Webhook-Id", item.id);
    if (destination.legacyKey !== null)
      headers.set(
        "Elements-Webhook-Signature",
        elementsSignature(destination.legacyKey, item.body),
      );
  }
  return Object.fromEntries(headers);
}
