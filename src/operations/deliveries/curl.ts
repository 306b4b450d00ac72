import type { SentRequest } from "../../delivery/attempt";

/** A text as one word of a shell. */
const word = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * A request as a command of a shell, for whoever wants to send it once more by hand; what is masked stays masked.
 * Undefined: its body isn't kept as a whole, or it has no address.
 */
export function curlOf(
  request: Omit<SentRequest, "url"> & { url: string | null },
): string | undefined {
  const { method, url, headers, body, encoding, truncated } = request;
  if (url === null || truncated) return undefined;
  const isBinary = encoding === "base64" && body !== "";
  const bodyWords = isBinary
    ? ["--data-binary @-"]
    : body === ""
      ? []
      : [`--data-raw ${word(body)}`];
  const command = [
    `curl -X ${word(method)} ${word(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${word(`${name}: ${value}`)}`),
    ...bodyWords,
  ].join(" \\\n  ");
  return isBinary ? `printf %s ${word(body)} | base64 -d | ${command}` : command;
}
