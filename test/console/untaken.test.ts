import { createHmac } from "node:crypto";
import { env, exports } from "cloudflare:workers";
import { beforeAll, expect, it, vi } from "vitest";
import { call } from "../elements/build";
import { described } from "../inbound/described";
import { memberOf, type Own, ownOrganization } from "../organization";
import { createAccounts, signIn } from "./build";

let own: Own;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
});
vi.spyOn(console, "warn").mockImplementation(() => undefined);

const KEY = "a-key-of-the-console";

it("shows what came for an instance and became no event; an editor replays it, a viewer can't", async () => {
  const key = `untaken-${crypto.randomUUID().slice(0, 8)}`;
  const ask = (method: string, path: string, body: object) =>
    call(method, path, body, own.authorization);
  expect((await ask("POST", "/elements", described(key))).status).toBe(200);
  const { body: instance } = await ask("POST", "/instances", {
    element: { key },
    configuration: { "event.vendor.type": "webhook", "event.vendor.signature.key": KEY },
    name: "Watched",
  });
  const send = (body: string, with_ = KEY) =>
    exports.default.fetch(
      `https://tributary.example/elements/api-v2/events/${instance.element.id}/${btoa(String(instance.id))}`,
      {
        method: "POST",
        body,
        headers: { "x-signature": createHmac("sha256", with_).update(body).digest("hex") },
      },
    );
  expect((await send('{"action":"<b>edited</b>"}')).status).toBe(200);
  expect((await send('{"action":"opened","issue":{"number":5}}', "another")).status).toBe(401);

  const page = `/console/instances/${instance.id}`;
  const editor = await signIn(own.email, own.password);
  const { html } = await editor.get(page);
  expect(html).toContain("1 no event, 1 refused");
  expect(html).toContain("no change found in it");
  expect(html).toContain("wrong-signature");
  expect(html).toContain("&lt;b&gt;edited&lt;/b&gt;");
  expect(html).not.toContain("<b>edited");
  expect(html).toContain("x-signature: ********");
  // The callback is missing, and what was refused a moment ago needs a look.
  expect(html).toContain("deliveries refused");
  expect(html).toContain("no callback");
  expect((await editor.get("/console/instances")).html).toContain("1 to look at");

  const stream = env.EVENT_STREAMS.getByName(`${own.id}/instance:${instance.id}`);
  const [refused] = (await stream.traces()).kept;
  const replay = `${page}/inbound/${refused?.id}/replay`;
  expect(html).toContain(`action="${replay}"`);
  await editor.post(replay);
  expect((await editor.get(page)).html).toContain("Still no event (refused): wrong-signature");
  await ask("PATCH", `/instances/${instance.id}`, {
    configuration: { "event.vendor.signature.key": "another" },
  });
  await editor.post(replay);
  const after = (await editor.get(page)).html;
  expect(after).toContain("Taken: 1 event.");
  expect(after).toContain("replayed");
  expect(after).not.toContain("deliveries refused");
  expect((await stream.events({ after: 0, limit: 10 })).events).toMatchObject([{ objectId: "5" }]);
  expect((await editor.post(`${page}/inbound/999/replay`)).status).toBe(404);

  const email = `reading-${key}@mine.example`;
  await env.DB.batch(memberOf(own.id, { email, password: own.password, role: "viewer" }));
  const reading = await signIn(email, own.password);
  const seen = (await reading.get(page)).html;
  expect(seen).toContain("no change found in it");
  expect(seen).not.toContain("/replay");
  expect((await reading.post(replay)).status).toBe(403);
});
