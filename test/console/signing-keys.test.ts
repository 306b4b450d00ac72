import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { callV1, create } from "../elements/build";
import { memberOf, ownOrganization } from "../organization";
import { createAccounts, signIn } from "./build";

beforeAll(createAccounts);

it("are rotated with an overlap, by an editor and not by a viewer; public keys and what ends when are shown", async () => {
  const own = await ownOrganization();
  const { id } = await create(
    { "event.notification.callback.url": "http://127.0.0.1:9/keys-hook" },
    { name: "CRM of Kim" },
    own.authorization,
  );
  const destination = `instance-${id}`;
  const here = `/console/destinations/${destination}`;
  const browser = await signIn(own.email, own.password);
  const secretOf = async () =>
    (await callV1("GET", `/destinations/${destination}/signing-secret`, own.authorization)).body;
  const shared = await browser.post(`${here}/rotate`, { algorithm: "v1", overlapSeconds: "3600" });
  const { secret } = await secretOf();
  expect(shared.html).toContain(secret);
  expect(shared.html).toMatch(/signs too.*in 59 min/s);
  const pair = await browser.post(`${here}/rotate`, { algorithm: "v1a", overlapSeconds: "0" });
  const { publicKey } = await secretOf();
  expect(pair.html).not.toContain("whsk_");
  const page = (await browser.get(`${here}/keys`)).html;
  expect(page).toContain(publicKey);
  expect(page).not.toContain(secret);
  const { keys } = (await callV1("GET", `/destinations/${destination}`, own.authorization)).body
    .signing;
  expect(keys.map((key: any) => key.publicKey)).toEqual([publicKey, null, null]);
  const many = await browser.post(`${here}/rotate`, { algorithm: "v1", overlapSeconds: "0" });
  expect(many.status).toBe(409);

  const email = `vic-${own.id}@keys.example`;
  await env.DB.batch(memberOf(own.id, { email, role: "viewer", password: "password-of-vic" }));
  const viewer = await signIn(email, "password-of-vic");
  expect((await viewer.get(`${here}/keys`)).html).not.toContain("Rotate");
  expect((await viewer.post(`${here}/rotate`, { algorithm: "v1" })).status).toBe(403);
});
