import type { Outbound } from "../http/client";
import { MASK } from "../values/secret-name";
import { isCredential, maskedHeaders, maskedUrl } from "../values/secret-text";
import type { Attempt, SentRequest } from "./attempt";

/** What is kept of requests and answers for those who look into a delivery; credentials in them are masked. */

/** So much is kept of a body, in UTF-16 units; of an answer no more is read either, unless a step needs it. */
export const KEPT_BODY = 16_384;
/** So much is kept of a body once many tries fill their row. */
const SHORT_BODY = 1_024;
const MOST_HEADERS = 64;
const LONGEST_VALUE = 1_024;
/** All values together. */
const KEPT_VALUES = 8_192;
/** Kept before all others, and of tries that are only kept in short: what decides, and what says who answered. */
const FIRST = ["content-type", "retry-after", "webhook-delivery", "location", "server", "date"];
/** They prove what was sent, and only to whom it was sent: receivers compare them with their own. */
const SHOWN = ["webhook-signature", "elements-webhook-signature"];

/** The headers of an answer, names in lower case: as many as there is room for. */
export function keptHeaders(headers: Headers): Record<string, string> {
  const first = FIRST.flatMap((name): [string, string][] => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  const kept: Record<string, string> = {};
  let room = KEPT_VALUES;
  for (const [name, value] of [...first, ...headers].slice(0, MOST_HEADERS + first.length)) {
    if (Object.hasOwn(kept, name) || name.length + value.length > room) continue;
    const shown = name === "location" ? maskedUrl(value) : value;
    kept[name] = isCredential(name, value) ? MASK : shown.slice(0, LONGEST_VALUE);
    room -= name.length + value.length;
  }
  return kept;
}

/**
 * The headers of a request as they are shown: credentials masked, but for the signatures that its receiver checks.
 * @param own the header of a signature beside ours.
 */
export function shownHeaders(
  headers: Readonly<Record<string, string>>,
  own = "",
): Record<string, string> {
  const shown = [...SHOWN, own.toLowerCase()];
  const signatures = Object.entries(headers).filter(([name]) => shown.includes(name.toLowerCase()));
  return { ...maskedHeaders(headers), ...Object.fromEntries(signatures) };
}

/** A request as it is kept. */
export function sentRequest({
  method,
  url,
  headers,
  body = "",
}: Pick<Outbound, "method" | "url" | "headers" | "body">): SentRequest {
  const isText = typeof body === "string";
  const text = isText ? body : Buffer.from(body).toString("base64");
  return {
    method,
    url: maskedUrl(url),
    headers: shownHeaders(headers),
    body: text.slice(0, KEPT_BODY),
    encoding: isText ? "text" : "base64",
    truncated: text.length > KEPT_BODY,
  };
}

/** A try without what was sent: only the last keeps it. */
export function withoutRequest(attempt: Attempt): Attempt {
  const kept = { ...attempt };
  delete kept.request;
  return kept;
}

/** A try of which there is room only for what became of it: nothing that was sent or answered. */
export const bare = (attempt: Attempt): Attempt => ({
  ...withoutRequest(attempt),
  responseHeaders: {},
  responseBody: "",
  truncated: attempt.truncated || attempt.responseBody !== "",
});

/** A try as it is kept when there is no room for all of it. */
export function shortened(attempt: Attempt): Attempt {
  const { responseHeaders, responseBody, truncated } = attempt;
  const headers = FIRST.flatMap((name): [string, string][] => {
    const value = responseHeaders[name];
    return value === undefined ? [] : [[name, value.slice(0, 256)]];
  });
  return {
    ...withoutRequest(attempt),
    responseHeaders: Object.fromEntries(headers),
    responseBody: responseBody.slice(0, SHORT_BODY),
    truncated: truncated || responseBody.length > SHORT_BODY,
  };
}
