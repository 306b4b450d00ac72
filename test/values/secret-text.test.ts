import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskedJson, unmaskedJson } from "../../src/values/secret-json";
import { maskedUrl } from "../../src/values/secret-text";

const M = "********";

describe("a URL is shown with its credentials masked", () => {
  it.each([
    ["https://a.example/x?token=abc&n=1", `https://a.example/x?token=${M}&n=1`],
    ["https://a.example/x?n=1&sig=abc#token=1", `https://a.example/x?n=1&sig=${M}#token=1`],
    ["https://u:p@a.example/x", `https://${M}@a.example/x`],
    ["https://key@a.example", `https://${M}@a.example`],
    ["https://a.example/@x?to=b@c.example", "https://a.example/@x?to=b@c.example"],
    ["https://a.example/?token={{{$.T.out.x}}}", "https://a.example/?token={{{$.T.out.x}}}"],
    [
      "https://a.example/?token=a{{{$.T.out.x}}}b",
      `https://a.example/?token=${M}{{{$.T.out.x}}}${M}`,
    ],
    ["https://a.example/?token=${own.key}", "https://a.example/?token=${own.key}"],
    ["https://a.example/?token=&key", "https://a.example/?token=&key"],
    ["/?to=https://u:p@a.example&token=abc", `/?to=https://u:p@a.example&token=${M}`],
    ["?://token=@", `?://token=${M}`],
    ["no URL", "no URL"],
    ["", ""],
  ])("%s: %s", (url, shown) => {
    expect(maskedUrl(url)).toBe(shown);
  });
});

const CASES: [name: string, value: object, shown: object][] = [
  [
    "headers by their names",
    { headers: { Authorization: "Bearer a", "X-Api-Key": "b", Accept: "c", "X-N": 1 } },
    { headers: { Authorization: M, "X-Api-Key": M, Accept: "c", "X-N": 1 } },
  ],
  [
    "headers by their use",
    { headers: { "X-Forwarded-As": "Bearer a", "X-Note": "bearer of news" } },
    { headers: { "X-Forwarded-As": M, "X-Note": M } },
  ],
  [
    "headers with placeholders",
    { headers: { Authorization: "Bearer {{{$.T.out.a}}}", "X-Token": "a{{{b}}}" } },
    { headers: { Authorization: "Bearer {{{$.T.out.a}}}", "X-Token": `${M}{{{b}}}` } },
  ],
  [
    "headers as JSON, which placeholders keep from being one",
    { headers: '{"Authorization": "Bearer \\"a", "X-Id": {{{$.T.out.id}}}, "Accept":"b"}' },
    { headers: `{"Authorization": "${M}", "X-Id": {{{$.T.out.id}}}, "Accept":"b"}` },
  ],
  ["headers as another text", { headers: "Authorization: a" }, { headers: M }],
  [
    "addresses, at any depth",
    { P: { list: [{ lambda: { url: "https://a.example/?key=1", callbackUrl: "/?token=2" } }] } },
    {
      P: {
        list: [{ lambda: { url: `https://a.example/?key=${M}`, callbackUrl: `/?token=${M}` } }],
      },
    },
  ],
  [
    "nothing else",
    { body: { token: "a" }, name: "Bearer a" },
    { body: { token: "a" }, name: "Bearer a" },
  ],
];

describe("JSON that describes requests", () => {
  it.each(CASES)(
    "is shown with %s masked, and is as it was when it comes back",
    (_, value, shown) => {
      expect(maskedJson(value)).toEqual(shown);
      expect(unmaskedJson(shown, value)).toEqual(value);
      expect(maskedJson(shown)).toEqual(shown);
    },
  );

  it("keeps what is stored under the same name, whatever else is changed", () => {
    const stored = {
      headers: '{"A-Token":"a","B-Token":"b"}',
      url: "https://a.example/?token=t&key=k",
    };
    const given = {
      headers: `{"B-Token":"${M}","C":"c"}`,
      url: `https://b.example/?key=${M}&token=new`,
    };
    expect(unmaskedJson(given, stored)).toEqual({
      headers: '{"B-Token":"b","C":"c"}',
      url: "https://b.example/?key=k&token=new",
    });
    expect(unmaskedJson({ headers: { "A-Token": M } }, {})).toEqual({ headers: { "A-Token": M } });
  });

  it("comes back as it was, whatever it is", () => {
    const text = fc
      .array(fc.constantFrom("a", "{{{x}}}", "&", "token=", "?", "://", "@", "Bearer "))
      .map((parts) => parts.join(""));
    const requests = fc.record({ url: text, headers: fc.dictionary(fc.string(), text) });
    fc.assert(
      fc.property(requests, (request) => {
        fc.pre(!JSON.stringify(request).includes("*"));
        expect(unmaskedJson(maskedJson(request), request)).toEqual(request);
      }),
    );
  });
});
