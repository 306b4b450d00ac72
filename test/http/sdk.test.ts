import { exports } from "cloudflare:workers";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";

const get = (path: string, headers: HeadersInit = {}) =>
  exports.default.fetch(new Request(`https://tributary.example${path}`, { headers }));

describe("the SDK that the deployment serves", () => {
  it.each([
    ["/appmixer/appmixer.js", "text/javascript; charset=utf-8", "Appmixer"],
    ["/appmixer/package/appmixer.js", "text/javascript; charset=utf-8", "Appmixer"],
    ["/sdk.js", "text/javascript; charset=utf-8", "createClient"],
    ["/sdk.d.ts", "text/typescript; charset=utf-8", "createClient"],
  ])("has %s for every page, kept for an hour", async (path, type, name) => {
    const response = await get(path, { origin: "https://app.example" });
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toContain(name);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": type,
      "cache-control": "public, max-age=3600, stale-while-revalidate=86400",
      "access-control-allow-origin": "*",
      "cross-origin-resource-policy": "cross-origin",
    });
    // What a strict Content-Security-Policy refuses, and what only a bundler finds.
    expect(text).not.toMatch(/\beval\(|new Function|\bimport\b.*\bfrom\b/);
    expect(gzipSync(text).byteLength).toBeLessThan(6 * 1024);
    const tag = response.headers.get("etag") ?? "";
    const again = await get(path, { "if-none-match": tag });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect(again.headers.get("access-control-allow-origin")).toBe("*");
  });
});
