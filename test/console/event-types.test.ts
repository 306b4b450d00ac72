import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import { callV1 } from "../elements/build";
import { type Own, memberOf, ownOrganization } from "../organization";
import { type Browser, createAccounts, signIn } from "./build";

let own: Own;
let browser: Browser;
beforeAll(async () => {
  await createAccounts();
  own = await ownOrganization();
  browser = await signIn(own.email, own.password);
});

const evil = `"><script>alert(1)</script>`;
const schema = { type: "object", required: ["id"], properties: { id: { type: "string" } } };
const good = {
  name: "order.paid",
  description: evil,
  schema: JSON.stringify({ ...schema, title: evil }),
  example: JSON.stringify({ id: evil }),
};
const post = (path: string, fields: Record<string, string>) =>
  browser.post(`/console${path}`, { organization: String(own.id), ...fields });
const type = async () => callV1("GET", "/event-types/order.paid", own.authorization);

it("an event type is made, tried out, edited to another version, and deleted, by clicks", async () => {
  expect((await browser.get("/console/event-types?whose=own")).html).toContain(
    "None of your own yet",
  );
  const { status, location } = await post("/new-event-type", good);
  expect({ status, location }).toEqual({
    status: 303,
    location: "/console/event-types/order.paid",
  });
  expect((await type()).body).toMatchObject({
    name: "order.paid",
    version: 1,
    example: { id: evil },
  });
  const shown = [
    await browser.get("/console/event-types?whose=own"),
    await browser.get("/console/event-types?search=ORDER"),
    await browser.get("/console/event-types/order.paid"),
    await browser.get("/console/event-types/order.paid/edit"),
    await post("/event-types/order.paid/test", { body: `{"id":7,"${evil.slice(2)}":1}` }),
  ];
  for (const { html } of shown) {
    expect(html).toContain("order.paid");
    expect(html).not.toContain("<script>alert");
  }
  expect(shown[4]?.html).toContain("Expected string, got number");
  expect((await post("/event-types/order.paid/test", { body: '{"id":"7"}' })).html).toContain(
    "It is as the schema says",
  );
  expect((await post("/event-types/order.paid/test", { body: "{" })).html).toContain(
    "This is not JSON",
  );
  const edited = {
    ...good,
    version: "1",
    schema: "{}",
    deprecated: "on",
    "conversion-1": '{"id": id}',
  };
  expect((await post("/event-types/order.paid/edit", edited)).status).toBe(303);
  expect((await type()).body).toMatchObject({
    version: 2,
    deprecated: true,
    conversions: { "1": '{"id": id}' },
  });
  // Somebody else edited it since this form was shown.
  const stale = await post("/event-types/order.paid/edit", edited);
  expect(stale).toMatchObject({ status: 400 });
  expect(stale.html).toContain("The type is at version 2");
  expect((await post("/event-types/order.paid/delete", {})).status).toBe(303);
  expect((await type()).status).toBe(404);
});

it("what is wrong stands beside its field, all of it at once, and what was typed is kept", async () => {
  const { status, html } = await post("/new-event-type", {
    name: "a b",
    description: "kept",
    schema: '{"type":"text","properties":{"a":{"pattern":"(?=a)"}}}',
    example: "7",
  });
  expect(status).toBe(400);
  expect(html.match(/aria-invalid="true"/g)).toHaveLength(2);
  for (const text of ["type: Expected null", 'value="kept"', "letters, digits"])
    expect(html).toContain(text);
  const unread = await post("/new-event-type", { ...good, schema: "{", example: "{" });
  expect(unread.html.match(/This is not JSON/g)).toHaveLength(2);
  const built = await browser.get("/console/event-types/contacts.CREATED");
  expect(built.html).toContain("Sandbox CRM");
  expect(built.html).not.toContain("/edit");
});

it("a viewer reads event types, and changes none", async () => {
  const email = `vic-${own.id}@types.example`;
  await env.DB.batch(memberOf(own.id, { email, role: "viewer", password: "password-of-vic" }));
  const viewer = await signIn(email, "password-of-vic");
  await post("/new-event-type", { ...good, name: "seen" });
  for (const path of ["/console/event-types", "/console/event-types/seen"]) {
    const { status, html } = await viewer.get(path);
    expect(status).toBe(200);
    expect(html).not.toMatch(/new-event-type|\/edit|\/delete|\/test/);
  }
  for (const path of ["/new-event-type", "/event-types/seen/edit", "/event-types/seen/delete"]) {
    const fields = { organization: String(own.id), ...good };
    expect((await viewer.post(`/console${path}`, fields)).status).toBe(403);
  }
});
