import { describe, expect, it } from "vitest";
import { roleFor } from "../../../src/accounts/single-sign-on/role";
import { memberSignIn } from "../../../src/values/member-sign-in";

const settings = (change: object = {}): string =>
  JSON.stringify({
    access: { team: "acme.cloudflareaccess.com", audience: "a" },
    roles: { "Ada@Acme.example": "owner", "@acme.example": "viewer", "toString@x": "editor" },
    ...change,
  });

describe("the role of an address", () => {
  const { roles } = memberSignIn.parse(settings());
  it.each([
    ["ada@acme.example", "owner"],
    ["ADA@acme.EXAMPLE ", "owner"],
    ["bob@acme.example", "viewer"],
    ["bob@mail.acme.example", undefined],
    ["acme.example", undefined],
    ["eve@evil.example", undefined],
    ["ada@acme.example@evil.example", undefined],
    ["__proto__", undefined],
    ["constructor", undefined],
  ])("%s is %s", (email, role) => expect(roleFor(email, roles)).toBe(role));
});

describe("the setting MEMBER_SIGN_IN", () => {
  it.each([
    ["{", ""],
    ["{}", ""],
    [
      settings({ access: { team: "https://acme.cloudflareaccess.com", audience: "a" } }),
      "access.team",
    ],
    [
      settings({ access: { team: "acme.cloudflareaccess.com.evil.example", audience: "a" } }),
      "access.team",
    ],
    [settings({ access: { team: "acme.cloudflareaccess.com", audience: "" } }), "access.audience"],
    [settings({ oidc: { issuer: "http://id.acme.example", clientId: "c" } }), "oidc.issuer"],
    [settings({ oidc: { issuer: "https://id.acme.example" } }), "oidc.clientId"],
    [settings({ roles: { "ada@acme.example": "admin" } }), "roles.ada@acme.example"],
    [settings({ roles: { acme: "owner" } }), "roles.acme"],
    [settings({ organizationId: "1" }), "organizationId"],
    [settings({ nonsense: 1 }), ""],
  ])("is refused as %s, naming %s", (text, path) => {
    expect(memberSignIn.safeParse(text).error?.issues[0]?.path.join(".")).toBe(path);
  });
});
