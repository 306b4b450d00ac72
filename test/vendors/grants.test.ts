import { expect, it } from "vitest";
import { CLIENT } from "./grants";
import { dropboxEmulator } from "./dropbox";
import { hubspotEmulator } from "./hubspot";

const incoming = {
  at: 0,
  method: "POST",
  host: "vendor.example",
  query: new URLSearchParams(),
};

const tokenOf = (emulator: ReturnType<typeof dropboxEmulator | typeof hubspotEmulator>) => {
  const form = { client_id: CLIENT.id, client_secret: CLIENT.secret };
  const { body } = emulator.oauth.token({
    ...incoming,
    path: "/oauth2/token",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    text: new URLSearchParams({
      ...form,
      grant_type: "refresh_token",
      refresh_token: "the-refresh-token",
    }).toString(),
  });
  return (body as { access_token: string }).access_token;
};

it("a token that one emulator granted is neither another's name for its own nor good there", () => {
  const [dropbox, hubspot] = [dropboxEmulator(), hubspotEmulator()];
  const [one, other] = [tokenOf(dropbox), tokenOf(hubspot)];
  expect(one).not.toBe(other);
  const asked = { ...incoming, path: "/", headers: { authorization: `Bearer ${one}` }, text: "" };
  expect(dropbox.oauth.refusal(asked)).toBeUndefined();
  expect(hubspot.oauth.refusal(asked)?.status).toBe(401);
});
