const [SLASH, BACKSLASH, LETTER_U] = [0x2f, 0x5c, 0x75];
const HEX = new TextEncoder().encode("0123456789abcdef");

/**
 * JSON as Box signs it: each UTF-16 unit but ASCII as lower-case `\uXXXX`, and each slash that is not escaped
 * as `\/`. Written byte by byte: a body of a megabyte is a matter of milliseconds.
 */
export function escapedJson(body: Uint8Array): Uint8Array {
  const text = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(body);
  let length = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x7f) length += 5;
    else if (unit === SLASH) length += 1;
  }
  const escaped = new Uint8Array(length);
  let end = 0;
  let isEscape = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x7f) {
      escaped[end] = BACKSLASH;
      escaped[end + 1] = LETTER_U;
      for (let digit = 0; digit < 4; digit += 1)
        escaped[end + 2 + digit] = HEX[(unit >> (12 - 4 * digit)) & 15] ?? 0;
      end += 6;
    } else {
      if (unit === SLASH && !isEscape) escaped[end++] = BACKSLASH;
      escaped[end++] = unit;
    }
    isEscape = unit === BACKSLASH && !isEscape;
  }
  return escaped.subarray(0, end);
}
