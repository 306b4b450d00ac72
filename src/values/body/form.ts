import { charsetOf } from "./charset";
import { collect, type Fields } from "./fields";

/**
 * The fields of an `application/x-www-form-urlencoded` body. What its escapes stand for are bytes of its charset
 * (`caf%E9` under `charset=iso-8859-1`), as the WHATWG URL standard has it for UTF-8.
 */
export function fieldsOfForm(bytes: Uint8Array, contentType: string | null): Fields {
  const charset = charsetOf(bytes, contentType);
  const isWide = charset.startsWith("utf-16");
  // Escapes in two-byte charsets don't exist.
  const content = isWide ? new TextEncoder().encode(new TextDecoder(charset).decode(bytes)) : bytes;
  const decoder = new TextDecoder(isWide ? "utf-8" : charset, { fatal: false, ignoreBOM: true });
  const hasMark = !isWide && content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf;
  const letters: string = Buffer.from(hasMark ? content.subarray(3) : content).toString("latin1");
  const textOf = (escaped: string): string => {
    const plain = escaped.replaceAll("+", " ");
    if (/^[\x20-\x24\x26-\x7e]*$/.test(plain) && charset !== "iso-2022-jp") return plain;
    const raw = plain.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return decoder.decode(Buffer.from(raw, "latin1"));
  };
  const pairs = letters
    .replace(/\r?\n$/, "")
    .split("&")
    .filter((pair: string) => pair !== "")
    .map((pair: string): [string, string] => {
      const equals = pair.indexOf("=");
      return equals === -1
        ? [textOf(pair), ""]
        : [textOf(pair.slice(0, equals)), textOf(pair.slice(equals + 1))];
    });
  return collect(pairs);
}

/** Whether a text that nobody declared may be a form: `name=value`, and nothing that a form would escape. */
export const looksLikeForm = (text: string): boolean => /^[\w.%+[\]*-]+=[!-~]*\s*$/.test(text);
