/** What Cloudflare's network says in place of a server that it could not ask, by status. */
const STATUSES: Readonly<Record<number, string>> = {
  520: "the server sent nothing, or no HTTP",
  521: "connection refused",
  522: "the connection timed out",
  523: "no way to the host",
  524: "the server took too long",
  525: "TLS handshake failed",
  526: "TLS: the certificate is expired, self-signed or for another host",
  527: "connection lost",
};
/** Of its status 530, by the code in the page. */
const CODES: Readonly<Record<string, string>> = {
  "1000": "the host's DNS entry points to an address that is not allowed",
  "1001": "host not found",
  "1003": "the host's address may not be called directly",
  "1016": "host not found",
  "1033": "the host's tunnel is down",
};

/**
 * On Cloudflare's network a server that cannot be reached gives an answer all the same: 52x or 530, with a page of
 * Cloudflare's own, as if the server had sent it (developers.cloudflare.com/support, "5xx errors"). A server that sends
 * such a status itself sends no such page.
 *
 * @param text the answer's body, or its beginning
 * @returns why there was no answer, with the status and code; undefined: this is the server's own answer
 */
export function unreachable(status: number, headers: Headers, text: string): string | undefined {
  if (status !== 530 && STATUSES[status] === undefined) return undefined;
  if (headers.get("server")?.toLowerCase() !== "cloudflare") return undefined;
  const start = text.slice(0, 16_384);
  const code = /^\s*error code: (\d{3,4})\s*$/i.exec(start)?.[1];
  if (code === undefined && !isOwnPage(headers, start)) return undefined;
  const inPage = code ?? /\b(?:error(?: code)?:? )(1\d{3})\b/i.exec(start)?.[1];
  const known = STATUSES[status] ?? CODES[inPage ?? ""] ?? "the host could not be reached";
  const number = inPage === undefined || inPage === String(status) ? "" : `, error ${inPage}`;
  return `No answer: ${known} (Cloudflare ${status}${number})`;
}

/** Whether an answer is a page of Cloudflare's: HTML that names it. */
function isOwnPage(headers: Headers, start: string): boolean {
  const type = headers.get("content-type") ?? "text/html";
  return type.toLowerCase().startsWith("text/html") && /cloudflare/i.test(start);
}

/**
 * The error of a request that got no answer, in people's words. The runtime on one machine tells no more than whether a
 * connection broke or never came to be.
 */
export function noAnswer(message: string, host: string): string {
  if (/^internal error\b/i.test(message))
    return `No answer: host '${host}' was not found, or there is no TLS with it`;
  return /^network connection lost/i.test(message)
    ? "No answer: connection refused or broken off"
    : message;
}
