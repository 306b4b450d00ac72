/** A callback's signature may be this old, or this far in the future. */
const TOLERANCE_SECONDS = 300;

export type VerifiedCallback = { id: string; timestamp: Date; body: string };

/** A callback that nobody should believe; `message` says why. */
export class CallbackError extends Error {
  override readonly name = "CallbackError";
}

/**
 * Checks that a callback comes from Tributary (Standard Webhooks, symmetric `v1`): its signature, in
 * constant time, and that it is not older than five minutes. Runs on WebCrypto alone.
 *
 * @param request a `Request`, or its headers and raw body text
 * @param secret `whsec_…`, or several while a key is being rotated
 * @throws CallbackError when it can't be trusted
 */
export async function verifyCallback(
  request:
    | Request
    | { headers: Headers | Record<string, string | string[] | undefined>; body: string },
  secret: string | readonly string[],
  now: number = Date.now(),
): Promise<VerifiedCallback> {
  const id = header(request.headers, "webhook-id");
  const timestamp = header(request.headers, "webhook-timestamp");
  const signatures = header(request.headers, "webhook-signature").split(" ");
  if (!/^\d{1,12}$/.test(timestamp)) throw new CallbackError("webhook-timestamp is malformed");
  if (Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS)
    throw new CallbackError("webhook-timestamp is too far from now");
  const body = typeof request.body === "string" ? request.body : await textOf(request);
  const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  let fits = false;
  for (const one of typeof secret === "string" ? [secret] : secret) {
    const key = await crypto.subtle.importKey(
      "raw",
      bytesOf(one.replace(/^whsec_/, "")),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["verify"],
    );
    for (const signature of signatures) {
      const [version, encoded = ""] = signature.split(",");
      if (version !== "v1" || !/^[A-Za-z0-9+/]{43}=$/.test(encoded)) continue;
      if (await crypto.subtle.verify("HMAC", key, bytesOf(encoded), content)) fits = true;
    }
  }
  if (!fits) throw new CallbackError("No signature fits");
  return { id, timestamp: new Date(Number(timestamp) * 1000), body };
}

function textOf(request: object): Promise<string> {
  if (request instanceof Request) return request.text();
  throw new CallbackError("Expected the raw body as text");
}

function header(
  headers: Headers | Record<string, string | string[] | undefined>,
  name: string,
): string {
  const value =
    headers instanceof Headers
      ? headers.get(name)
      : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  const text = Array.isArray(value) ? value[0] : value;
  if (!text) throw new CallbackError(`${name} is missing`);
  return text;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  try {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    if (bytes.length > 0) return bytes;
  } catch {
    // Not base64: said below.
  }
  throw new CallbackError("Expected a secret in base64");
}
