import { describe, expect, it } from "vitest";
import { siteOf } from "../../../src/accounts/passkeys/options";

describe("the site of passkeys", () => {
  it.each([
    ["https://events.acme.example", "https://worker.example", "https://events.acme.example"],
    [
      "https://events.acme.example:8443",
      "https://worker.example",
      "https://events.acme.example:8443",
    ],
    [undefined, "https://worker.example/console/sign-in?next=x", "https://worker.example"],
    ["http://127.0.0.1:8787", "http://localhost:8787/console", "http://localhost:8787"],
    ["http://[::1]:8787", "http://localhost:8787/console", "http://localhost:8787"],
  ])("of %s, asked for %s, is %s", (publicUrl, asked, origin) => {
    expect(siteOf(publicUrl, asked)).toEqual({ origin, rpId: new URL(origin).hostname });
  });
});
