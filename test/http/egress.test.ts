import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkEgress, type EgressPolicy, parseAllowList } from "../../src/http/egress";

/** The guard as it is when deployed: nothing allowed beyond public https. */
export const DEPLOYED: EgressPolicy = {
  allow: [],
  allowHttp: false,
  ownHost: "tributary.example.com",
  resolver: undefined,
};

/** Spellings of places that no callback, vendor or redirect may reach. */
export const HOSTILE = [
  "https://127.0.0.1/",
  "https://127.1/",
  "https://127.0.1/",
  "https://2130706433/",
  "https://0x7f000001/",
  "https://0x7f.0.0.1/",
  "https://0177.0.0.1/",
  "https://017700000001/",
  "https://0x7f.1/",
  "https://127.000.000.001/",
  "https://①②⑦.⓪.⓪.①/",
  "https://0.0.0.0/",
  "https://0/",
  "https://localhost/",
  "https://LOCALHOST/",
  "https://localhost./",
  "https://foo.localhost/",
  "https://localhost.localdomain/",
  "https://10.0.0.1/",
  "https://10.255.255.255/",
  "https://172.16.0.1/",
  "https://172.31.255.255/",
  "https://192.168.0.1/",
  "https://192.168.1.1./",
  "https://169.254.169.254/latest/meta-data/",
  "https://169.254.0.1/",
  "https://0xa9fea9fe/",
  "https://2852039166/",
  "https://0251.0376.0251.0376/",
  "https://100.64.0.1/",
  "https://100.127.255.254/",
  "https://192.0.0.1/",
  "https://192.0.2.1/",
  "https://198.18.0.1/",
  "https://198.51.100.7/",
  "https://203.0.113.9/",
  "https://224.0.0.1/",
  "https://239.255.255.255/",
  "https://240.0.0.1/",
  "https://255.255.255.255/",
  "https://192.88.99.1/",
  "https://[::]/",
  "https://[::1]/",
  "https://[0:0:0:0:0:0:0:1]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[::ffff:10.0.0.1]/",
  "https://[::ffff:169.254.169.254]/",
  "https://[::127.0.0.1]/",
  "https://[::a00:1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://[64:ff9b::10.0.0.1]/",
  "https://[64:ff9b::169.254.169.254]/",
  "https://[64:ff9b:1::1]/",
  "https://[2002:7f00:1::]/",
  "https://[2002:a00:1::1]/",
  "https://[2002:a9fe:a9fe::]/",
  "https://[2002:c0a8:101::]/",
  "https://[2001::1]/",
  "https://[2001:0:7f00:1::]/",
  "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
  "https://[fe80::1]/",
  "https://[fe80::5efe:10.0.0.1]/",
  "https://[2001:db8::1]/",
  "https://[2606:4700::5efe:10.0.0.1]/",
  "https://[2606:4700::200:5efe:7f00:1]/",
  "https://[fc00::1]/",
  "https://[fd00:ec2::254]/",
  "https://[ff02::1]/",
  "https://[ff00::]/",
  "https://[100::1]/",
  "https://[fec0::1]/",
  "https://metadata.google.internal/",
  "https://metadata.google.internal./",
  "https://db.internal/",
  "https://printer.local/",
  "https://router.home.arpa/",
  "https://intranet/",
  "https://host/",
  "https://something.test/",
  "https://nothing.invalid/",
  "https://hidden.onion/",
  "https://tributary.example.com/",
  "https://TRIBUTARY.example.com./hook",
  "http://example.com/",
  "ftp://example.com/",
  "file:///etc/passwd",
  "gopher://example.com/",
  "data:text/plain,x",
  "javascript:alert(1)",
  "ws://example.com/",
  "https://user@example.com/",
  "https://user:secret@example.com/",
  "https://:secret@example.com/",
  "https://example.com:22/",
  "https://example.com:25/",
  "https://example.com:6379/",
  "https://example.com:8080/",
  "https://example.com:1/",
  "//example.com/",
  "example.com",
  "https://",
  "https:///",
  "",
  " ",
  "https://exa mple.com/",
  "https://[::1",
  "https://%31%32%37.0.0.1/",
];

describe("checkEgress", () => {
  it("knows more than eighty hostile spellings", () =>
    expect(HOSTILE.length).toBeGreaterThanOrEqual(80));

  it.each(HOSTILE)("refuses %s with a reason", (url) => {
    const verdict = checkEgress(url, DEPLOYED);
    expect(verdict).toMatchObject({ ok: false });
    if (!verdict.ok) expect(verdict.message).not.toBe("");
  });

  it.each([
    "https://example.com/hook",
    "https://example.com:8443/hook",
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
    "https://xn--bcher-kva.example.com/",
  ])("lets %s go", (url) => expect(checkEgress(url, DEPLOYED)).toMatchObject({ ok: true }));

  it("lets an operator allow hosts and ranges, on any port and over http, and nothing beside them", () => {
    const policy = {
      ...DEPLOYED,
      allow: parseAllowList(["127.0.0.1", "localhost", "10.1.0.0/16", "fd00::/8"]),
    };
    for (const url of [
      "http://127.0.0.1:8787/",
      "http://localhost:1/",
      "http://10.1.2.3/",
      "http://[fd00::1]:99/",
      "http://2130706433/",
    ])
      expect(checkEgress(url, policy)).toMatchObject({ ok: true });
    for (const url of [
      "http://127.0.0.2/",
      "http://10.2.0.1/",
      "http://[fc00::1]/",
      "http://foo.localhost/",
    ])
      expect(checkEgress(url, policy)).toMatchObject({ ok: false });
  });

  it("never lets a private IPv4 address go, however it is embedded", () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const privates = fc.oneof(
      fc.tuple(fc.constant(10), octet, octet, octet),
      fc.tuple(fc.constant(127), octet, octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
    );
    fc.assert(
      fc.property(privates, ([a, b, c, d]) => {
        const hex = (high: number, low: number): string => (high * 256 + low).toString(16);
        const number = ((a * 256 + b) * 256 + c) * 256 + d;
        const spellings = [
          `${a}.${b}.${c}.${d}`,
          `${number}`,
          `0x${number.toString(16)}`,
          `${a}.${b}.${c * 256 + d}`,
          `[::ffff:${a}.${b}.${c}.${d}]`,
          `[::ffff:${hex(a, b)}:${hex(c, d)}]`,
          `[64:ff9b::${hex(a, b)}:${hex(c, d)}]`,
          `[2002:${hex(a, b)}:${hex(c, d)}::1]`,
          `[2606:4700::5efe:${hex(a, b)}:${hex(c, d)}]`,
        ];
        for (const host of spellings)
          expect(checkEgress(`https://${host}/`, DEPLOYED).ok, host).toBe(false);
      }),
    );
  });
});
