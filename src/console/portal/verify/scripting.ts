import type { HeaderNames } from "./snippets";

export const typescript = ({ id, timestamp, signature }: HeaderNames): string =>
  `import { createHmac, timingSafeEqual } from "node:crypto";

/** Header names in lower case; the body as it came, before it is parsed. */
export function verify(secret: string, headers: Record<string, string | undefined>, body: string): boolean {
  const timestamp = headers["${timestamp}"] ?? "";
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signed = \`\${headers["${id}"]}.\${timestamp}.\${body}\`;
  const expected = Buffer.from(\`v1,\${createHmac("sha256", key).update(signed).digest("base64")}\`);
  // While a secret is renewed there are several.
  return (headers["${signature}"] ?? "").split(" ").some((one) => {
    const given = Buffer.from(one);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
`;

export const python = ({ id, timestamp, signature }: HeaderNames): string =>
  `import base64
import hashlib
import hmac
import time


def verify(secret: str, headers: dict, body: bytes) -> bool:
    """Header names in lower case; the body as it came, before it is parsed."""
    timestamp = headers.get("${timestamp}", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers.get('${id}', '')}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    # While a secret is renewed there are several.
    given = headers.get("${signature}", "").split(" ")
    return any(hmac.compare_digest(one.encode(), expected) for one in given)
`;

export const php = ({ id, timestamp, signature }: HeaderNames): string =>
  `<?php

/** Header names in lower case; the body as it came, before it is parsed. */
function verify(string $secret, array $headers, string $body): bool
{
    $id = $headers["${id}"] ?? "";
    $timestamp = $headers["${timestamp}"] ?? "";
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    $key = base64_decode(substr($secret, strlen("whsec_")));
    $expected = "v1," . base64_encode(hash_hmac("sha256", "$id.$timestamp.$body", $key, true));
    // While a secret is renewed there are several.
    foreach (explode(" ", $headers["${signature}"] ?? "") as $given) {
        if (hash_equals($expected, $given)) {
            return true;
        }
    }
    return false;
}
`;

export const ruby = ({ id, timestamp, signature }: HeaderNames): string =>
  `require "openssl"

# Header names in lower case; the body as it came, before it is parsed.
def verify(secret, headers, body)
  timestamp = headers["${timestamp}"].to_s
  return false unless timestamp.match?(/\\A\\d{1,12}\\z/)
  return false if (Time.now.to_i - timestamp.to_i).abs > 300

  key = secret.delete_prefix("whsec_").unpack1("m")
  signed = "#{headers["${id}"]}.#{timestamp}.#{body}"
  expected = "v1," + [OpenSSL::HMAC.digest("SHA256", key, signed)].pack("m0")
  # While a secret is renewed there are several.
  headers["${signature}"].to_s.split(" ").any? { |given| OpenSSL.secure_compare(given, expected) }
end
`;
