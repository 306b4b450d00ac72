/** A parameter of a header (`charset` of `text/xml; charset="iso-8859-1"`). */
export function parameterOf(header: string | null, name: string): string | undefined {
  for (const part of (header ?? "").split(";").slice(1)) {
    const equals = part.indexOf("=");
    if (equals === -1 || part.slice(0, equals).trim().toLowerCase() !== name) continue;
    const value = part.slice(equals + 1).trim();
    return value.startsWith('"') ? value.slice(1).split('"')[0] : value;
  }
  return undefined;
}

/** The media type of a `Content-Type`, in lower case: `text/xml`. */
export const mediaTypeOf = (contentType: string | null): string =>
  (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";

/** How far an XML declaration is looked for, in bytes. */
const DECLARATION = 256;

/**
 * The charset of a body: by its byte order mark, else as `Content-Type` or an XML declaration says, else UTF-8. One that
 * nobody knows is UTF-8 too.
 */
export function charsetOf(bytes: Uint8Array, contentType: string | null): string {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  const declared = parameterOf(contentType, "charset") ?? inDeclaration(bytes);
  if (declared === undefined) return "utf-8";
  try {
    return new TextDecoder(declared).encoding;
  } catch {
    return "utf-8";
  }
}

function inDeclaration(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== 0x3c || bytes[1] !== 0x3f) return undefined;
  const head = Buffer.from(bytes.subarray(0, DECLARATION)).toString("latin1");
  const [declaration = ""] = head.split("?>");
  return /\sencoding=["']([\w.:-]{1,40})["']/.exec(declaration)?.[1];
}

/** The text of a body, in the charset that it has (`charsetOf`); what is no text in it becomes U+FFFD. */
export function decoded(bytes: Uint8Array, contentType: string | null): string {
  return new TextDecoder(charsetOf(bytes, contentType)).decode(bytes);
}
