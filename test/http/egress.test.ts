import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkEgress, type EgressPolicy, parseAllowList } from "../../src/http/egress";
import { HOSTILE } from "./hostile";

/** The guard as it is when deployed: nothing allowed beyond public https. */
export const DEPLOYED: EgressPolicy = {
  allow: [],
  allowHttp: false,
  ownHost: "tributary.example.com",
  resolver: undefined,
};

describe("promise 8, no address that is private, loopback, link-local or metadata is reached, in any spelling", () => {
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

  it("refuses every name of this deployment", () => {
    const policy = { ...DEPLOYED, ownUrls: ["https://a.example.com", "https://b.example.com/x"] };
    for (const host of ["tributary", "a", "b"])
      expect(checkEgress(`https://${host}.example.com/`, policy)).toMatchObject({ ok: false });
    expect(checkEgress("https://c.example.com/", policy)).toMatchObject({ ok: true });
  });

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
