import type { HeaderNames } from "./snippets";

export const go = ({ id, timestamp, signature }: HeaderNames): string =>
  `package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Verify takes the request's Header.Get, and the body as it came, before it is parsed.
func Verify(secret string, header func(string) string, body []byte) bool {
	timestamp := header("${timestamp}")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if age := time.Now().Unix() - seconds; err != nil || age > 300 || age < -300 {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", header("${id}"), timestamp, body)
	expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	// While a secret is renewed there are several.
	for _, given := range strings.Fields(header("${signature}")) {
		if hmac.Equal([]byte(given), []byte(expected)) {
			return true
		}
	}
	return false
}
`;

export const java = ({ id, timestamp, signature }: HeaderNames): string =>
  `import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

final class Webhook {
  /** Header names in lower case; the body as it came, before it is parsed. */
  static boolean verify(String secret, Map<String, String> headers, byte[] body)
      throws GeneralSecurityException {
    String timestamp = headers.getOrDefault("${timestamp}", "");
    if (!timestamp.matches("[0-9]{1,12}")) return false;
    if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp)) > 300) return false;
    byte[] key = Base64.getDecoder().decode(secret.replace("whsec_", ""));
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    mac.update((headers.get("${id}") + "." + timestamp + ".").getBytes(UTF_8));
    String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
    // While a secret is renewed there are several.
    for (String given : headers.getOrDefault("${signature}", "").split(" "))
      if (MessageDigest.isEqual(given.getBytes(UTF_8), expected.getBytes(UTF_8))) return true;
    return false;
  }
}
`;

export const csharp = ({ id, timestamp, signature }: HeaderNames): string =>
  `using System.Security.Cryptography;
using System.Text;

static class Webhook
{
    /// <summary>Header names in lower case; the body as it came, before it is parsed.</summary>
    public static bool Verify(string secret, IReadOnlyDictionary<string, string> headers, byte[] body)
    {
        var id = headers.GetValueOrDefault("${id}", "");
        var timestamp = headers.GetValueOrDefault("${timestamp}", "");
        if (!long.TryParse(timestamp, out var seconds)) return false;
        if (Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds) > 300) return false;
        var key = Convert.FromBase64String(secret.Replace("whsec_", ""));
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
        var expected = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
        // While a secret is renewed there are several.
        return headers.GetValueOrDefault("${signature}", "").Split(' ').Any(given =>
            CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), expected));
    }
}
`;

export const rust = ({ id, timestamp, signature }: HeaderNames): string =>
  `// Cargo.toml: base64 = "0.22", hmac = "0.12", sha2 = "0.10"
use base64::{engine::general_purpose::STANDARD, Engine};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

/// \`header\` finds a header by its name; the body as it came, before it is parsed.
pub fn verify<'a>(secret: &str, header: impl Fn(&str) -> Option<&'a str>, body: &[u8]) -> bool {
    let timestamp = header("${timestamp}").unwrap_or("");
    let (Ok(seconds), Ok(now)) = (timestamp.parse::<u64>(), SystemTime::now().duration_since(UNIX_EPOCH)) else {
        return false;
    };
    if now.as_secs().abs_diff(seconds) > 300 {
        return false;
    }
    let Ok(key) = STANDARD.decode(secret.trim_start_matches("whsec_")) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
    mac.update(format!("{}.{timestamp}.", header("${id}").unwrap_or("")).as_bytes());
    mac.update(body);
    // While a secret is renewed there are several.
    header("${signature}").unwrap_or("").split(' ').any(|given| {
        let bytes = given.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
        bytes.is_some_and(|bytes| mac.clone().verify_slice(&bytes).is_ok())
    })
}
`;
