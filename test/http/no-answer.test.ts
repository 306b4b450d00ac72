import { describe, expect, it, onTestFinished, vi } from "vitest";
import { request } from "../../src/http/client";
import { parseAllowList } from "../../src/http/egress";
import { noAnswer } from "../../src/http/no-answer";

const POLICY = { allow: [], allowHttp: false, ownHost: undefined, resolver: undefined };

const plain = (code: number) => `error code: ${code}`;
const page = (title: string) =>
  `<!DOCTYPE html><html><head><title>${title}</title></head><body><a href="https://www.cloudflare.com/5xx-error-landing">Cloudflare</a></body></html>`;

const CLOUDFLARE = { server: "cloudflare", "cf-ray": "8c0-FRA" };
const html = { ...CLOUDFLARE, "content-type": "text/html; charset=UTF-8" };
const text = { ...CLOUDFLARE, "content-type": "text/plain; charset=UTF-8" };

/** What a server at `receiver.example.com` seems to answer, to a request through our one way out. */
async function answered(status: number, headers: Record<string, string>, body: string) {
  vi.stubGlobal("fetch", async () => new Response(body, { status, headers }));
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  return request(
    {
      url: "https://receiver.example.com/",
      method: "POST",
      headers: {},
      timeoutMs: 1_000,
      mostBytes: 65_536,
    },
    POLICY,
  );
}

describe("a page of Cloudflare's in place of the server", () => {
  it.each([
    [520, text, plain(520), "the server sent nothing, or no HTTP (Cloudflare 520)"],
    [521, text, plain(521), "connection refused (Cloudflare 521)"],
    [521, html, page("521: Web server is down"), "connection refused (Cloudflare 521)"],
    [522, text, plain(522), "the connection timed out (Cloudflare 522)"],
    [523, text, plain(523), "no way to the host (Cloudflare 523)"],
    [524, html, page("524: A timeout occurred"), "the server took too long (Cloudflare 524)"],
    [525, text, plain(525), "TLS handshake failed (Cloudflare 525)"],
    [525, html, page("525: SSL handshake failed"), "TLS handshake failed (Cloudflare 525)"],
    [
      526,
      text,
      plain(526),
      "TLS: the certificate is expired, self-signed or for another host (Cloudflare 526)",
    ],
    [527, text, plain(527), "connection lost (Cloudflare 527)"],
    [530, text, plain(1016), "host not found (Cloudflare 530, error 1016)"],
    [530, text, `${plain(1016)}\n`, "host not found (Cloudflare 530, error 1016)"],
    [
      530,
      html,
      page("Error 1016 | Origin DNS error"),
      "host not found (Cloudflare 530, error 1016)",
    ],
    [530, text, plain(1033), "the host's tunnel is down (Cloudflare 530, error 1033)"],
    [530, text, plain(1099), "the host could not be reached (Cloudflare 530, error 1099)"],
    [530, html, page("Origin error"), "the host could not be reached (Cloudflare 530)"],
  ] as const)("%i is no answer: %s %s", async (status, headers, body, reason) => {
    expect(await answered(status, headers, body)).toEqual({
      kind: "failed",
      error: `No answer: ${reason}`,
    });
  });

  it.each([
    ["without Cloudflare", 521, { "content-type": "text/plain" }, plain(521)],
    ["by another server", 530, { server: "nginx" }, plain(1016)],
    [
      "in JSON",
      530,
      { ...CLOUDFLARE, "content-type": "application/json" },
      '{"error":"cloudflare is frozen"}',
    ],
    ["with a page of its own", 520, html, "<h1>We are down for maintenance</h1>"],
    ["with the code within a text", 521, text, `it said ${plain(521)}`],
    ["with nothing", 521, CLOUDFLARE, ""],
    ["as 503", 503, text, plain(1016)],
    ["as 500, through Cloudflare", 500, html, page("500: Internal server error")],
  ] as const)("is a server's own answer %s", async (_, status, headers, body) => {
    expect(await answered(status, headers, body)).toMatchObject({ kind: "answered", status });
  });
});

describe("an error of the runtime", () => {
  it.each([
    [
      "internal error; reference = i8h7t2pg4e71jkl69osr2k39",
      "No answer: host 'a.example' was not found, or there is no TLS with it",
    ],
    ["Network connection lost.", "No answer: connection refused or broken off"],
    ["Invalid header value", "Invalid header value"],
  ])("%s is told as: %s", (message, told) => {
    expect(noAnswer(message, "a.example")).toBe(told);
  });

  it.each(["https://nosuch.invalid/", "http://127.0.0.1:9/"])(
    "says why %s gives no answer",
    async (url) => {
      const policy = {
        ...POLICY,
        allow: parseAllowList(["nosuch.invalid", "127.0.0.1"]),
        allowHttp: true,
      };
      const answer = await request(
        { url, method: "GET", headers: {}, timeoutMs: 5_000, mostBytes: 100 },
        policy,
      );
      expect(answer).toMatchObject({
        kind: "failed",
        error: expect.stringMatching(/^No answer: /),
      });
    },
  );
});
