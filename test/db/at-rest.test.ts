import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config";
import { keyring } from "../../src/db/sealed";
import { readDestination } from "../../src/delivery/destinations.store";
import { type Client, freshClient, takeCallbacks, V1 } from "../resources/build";
import { callV1 } from "../elements/build";
import { MINE } from "../organization";
import { platform } from "../platform";

/** Whoever reads the database, a copy of it or its backups learns no credential from it. */

/** A value that no table may hold, in any spelling that an unsealed one would have. */
const secret = (name: string): string => `marked-${name}`;

const ring = keyring(readConfig(env).masterKeys);
takeCallbacks();

/** Rows that hold a mark, as `table: row`. */
async function rowsWith(mark: string): Promise<string[]> {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
  ).all<{ name: string }>();
  const found = await Promise.all(
    results.map(async ({ name }) => {
      const rows = await env.DB.prepare(`SELECT * FROM "${name}"`).all();
      return rows.results
        .map((row) => JSON.stringify(row))
        .filter((row) => row.includes(mark))
        .map((row) => `${name}: ${row}`);
    }),
  );
  return found.flat();
}

let on: Awaited<ReturnType<typeof platform>>;
let client: Client;
beforeAll(async () => {
  on = await platform();
  client = await freshClient();
});

describe("an instance", () => {
  const headers = JSON.stringify({ "X-Api-Key": secret("callback"), "X-Plain": "plain" });

  it("keeps every credential of its configuration sealed", async () => {
    const { id } = await on.instance("sandbox", {
      "sandbox.api.key": secret("vendor"),
      "event.notification.callback.url": "https://app.example/hook",
      "event.notification.callback.headers": headers,
      "event.notification.basic.username": "u",
      "event.notification.basic.password": secret("basic"),
      "event.notification.signature.key": secret("signature"),
      "event.vendor.token": secret("inbound"),
      "event.vendor.signature.key": secret("webhook"),
      "oauth.user.token": secret("access"),
      "partner.password": secret("own"),
    });
    expect(await rowsWith("marked-")).toEqual([]);
    const { body } = await on.call("GET", `/instances/${id}`);
    // What the contract shows its owner is shown as before.
    expect(body.configuration).toMatchObject({
      "event.notification.callback.headers": headers,
      "event.vendor.token": secret("inbound"),
      "oauth.user.token": "********",
    });
    const destination = await readDestination(env.DB, ring, 1, `instance-${id}`);
    expect(destination?.headers["X-Api-Key"]).toBe(secret("callback"));
  });

  it("is read as an earlier version wrote it, and sealed with the next edit", async () => {
    const { id } = await on.instance("sandbox", { "sandbox.api.key": "k" });
    await env.DB.prepare(
      "UPDATE instances SET configuration = json_set(configuration, '$.\"event.vendor.token\"', ?) WHERE id = ?",
    )
      .bind(secret("old"), id)
      .run();
    const read = async () => (await on.call("GET", `/instances/${id}`)).body.configuration;
    expect((await read())["event.vendor.token"]).toBe(secret("old"));
    await on.call("PATCH", `/instances/${id}`, { name: "Renamed" });
    expect(await rowsWith(secret("old"))).toEqual([]);
    expect((await read())["event.vendor.token"]).toBe(secret("old"));
    await on.call("PATCH", `/instances/${id}`, { configuration: { "event.vendor.token": null } });
    expect((await read())["event.vendor.token"]).toBeNull();
  });
});

it("keeps every credential of an endpoint sealed, and opens it for its calls", async () => {
  const make = async (sending: object) =>
    (await callV1("POST", "/destinations", MINE, { url: "https://app.example/hook", ...sending }))
      .body.id;
  const profile = { header: "x-signature", encoding: "hex" };
  const ids = [
    await make({
      signature: { ...profile, secret: secret("profile") },
      auth: { type: "basic", username: "u", password: secret("endpoint-basic") },
    }),
    await make({ auth: { type: "bearer", token: secret("endpoint-bearer") } }),
    await make({
      auth: {
        type: "oauth2",
        tokenUrl: "https://auth.example/token",
        clientId: "c",
        clientSecret: secret("endpoint-oauth"),
      },
    }),
  ];
  expect(await rowsWith("marked-")).toEqual([]);
  const opened = await Promise.all(ids.map((id) => readDestination(env.DB, ring, 1, id)));
  expect(opened).toMatchObject([
    {
      signature: { secret: secret("profile") },
      auth: { password: secret("endpoint-basic") },
    },
    { auth: { token: secret("endpoint-bearer") } },
    { auth: { clientSecret: secret("endpoint-oauth") } },
  ]);
});

describe("a Webhook", () => {
  const spec = {
    url: "https://app.example/hook",
    headers: { Authorization: secret("header"), "X-Own": "plain" },
  };
  const sentHeaders = async ({ metadata }: any) =>
    (await readDestination(env.DB, ring, client.organizationId, metadata.destinationId))?.headers;

  it("keeps headers that may be credentials sealed, and masked wherever it is shown", async () => {
    const made = await client.make(`${V1}/webhooks`, { name: "sealed", spec });
    expect(made.spec.headers).toEqual({ Authorization: "********", "X-Own": "plain" });
    expect(await rowsWith(secret("header"))).toEqual([]);
    expect(await sentHeaders(made)).toEqual(spec.headers);
    // As it was read, with one thing changed: the mask keeps the value.
    made.spec.headers["X-Own"] = "changed";
    const put = await client.call("PUT", `${V1}/webhooks/sealed`, made);
    expect(put.status).toBe(200);
    expect(await sentHeaders(made)).toEqual({ ...spec.headers, "X-Own": "changed" });
    const patch = [{ op: "replace", path: "/spec/headers/Authorization", value: secret("second") }];
    const patched = await client.call("PATCH", `${V1}/webhooks/sealed`, patch, {
      "content-type": "application/json-patch+json",
    });
    expect(patched.status).toBe(200);
    expect((await sentHeaders(made))?.["Authorization"]).toBe(secret("second"));
    expect(await rowsWith("marked-")).toEqual([]);
  });

  it("refuses a mask where nothing is stored", async () => {
    const masked = { ...spec, headers: { "X-Token": "********" } };
    const { status, body } = await client.call("POST", `${V1}/webhooks`, {
      name: "masked",
      spec: masked,
    });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain("spec.headers.X-Token");
  });

  it("is read as an earlier version wrote it, masked, and sealed with the next edit", async () => {
    const made = await client.make(`${V1}/webhooks`, { name: "older", spec: { url: spec.url } });
    await env.DB.prepare(
      "UPDATE resources SET content = json_set(content, '$.spec.headers', json(?)) WHERE id = ?",
    )
      .bind(JSON.stringify(spec.headers), made.metadata.id)
      .run();
    const { body } = await client.call("GET", `${V1}/webhooks/older`);
    expect(body.spec.headers).toEqual({ Authorization: "********", "X-Own": "plain" });
    const put = await client.call("PUT", `${V1}/webhooks/older`, { ...body, title: "Newer" });
    expect(put.status).toBe(200);
    expect(await rowsWith(secret("header"))).toEqual([]);
    expect(await sentHeaders(made)).toEqual(spec.headers);
  });
});
