import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { call, createOrganizations, stubOutside } from "./build";

beforeAll(createOrganizations);
afterEach(() => vi.unstubAllGlobals());

/** Reference connector-events-api.md §4, as printed. */
const BODY =
  '{"element":{"key":"box"},"providerData":{"code":"xoz8AFqScK2ngM04kSSM"},"configuration":{"oauth.callback.url":"https://app.example/cb","oauth.api.key":"xxxxxxxxxxxxxxxxxx","oauth.api.secret":"xxxxxxxxxxxxxxxxxxxxxx","event.notification.enabled":true,"event.notification.callback.url":"https://app.example/hook","event.notification.signature.key":"xxxxxxxxxxxxxxxxxxxxxxxxx","events.list.ids":"<LIST_IDS>"},"tags":["Docs"],"name":"API Instance"}';

it("the Box body of the reference, as printed, makes an instance", async () => {
  const sent = stubOutside(({ url }) =>
    url.pathname.endsWith("/token")
      ? Response.json({ access_token: "a", refresh_token: "r", expires_in: 3600 })
      : Response.json({ id: "53", type: "webhook" }, { status: 201 }),
  );
  const { status, body } = await call("POST", "/instances", BODY);
  expect({ status, message: body.message }).toEqual({ status: 200, message: undefined });
  expect(sent[0]?.text).toContain("code=xoz8AFqScK2ngM04kSSM");
  expect(body).toMatchObject({
    name: "API Instance",
    tags: ["Docs"],
    valid: true,
    disabled: false,
    eventsEnabled: true,
    element: { id: 22, key: "box" },
    configuration: { "oauth.api.secret": "********", "event.notification.enabled": "true" },
  });
});
