import { env, exports } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { hashSecret } from "../../src/accounts/secret";
import { tellAll } from "../../src/db/directory/tell";
import { createAccounts, signIn } from "../console/build";
import { THEIRS } from "../elements/build";
import { ask, newUser } from "./ask";
import { TABLE } from "./routes-by-role";
import { bodyOf } from "./bodies";
import { pathOf, Things } from "./things";
import { WORLD } from "./world";

/**
 * Nothing is decrypted before it is known to be there and the caller's: what is sealed is broken here, so that whoever
 * decrypts it fails, which is told or logged.
 */

const THEIR_KEY = "key-of-theirs-that-meets-broken-seals";
let things: Things;
let theirUser = "";
let cookie = "";
const broken: string[] = [];

/** Replaces every sealed value of the first organization that a row of a table has, by one no key opens. */
async function breakSeals(): Promise<void> {
  const { id } = await things.instance();
  const all = [
    env.DB.prepare(
      "UPDATE instances SET token_sealed = 'gone.AAAA', secrets = '{\"sandbox.api.key\":\"gone.AAAA\"}' WHERE id = ?",
    ).bind(id),
    env.DB.prepare(
      "UPDATE destinations SET headers_sealed = 'gone.AAAA', signing_keys = json_replace(signing_keys, '$[0].sealed', 'gone.AAAA') WHERE id = ?",
    ).bind(`instance-${id}`),
  ];
  for (const { meta } of await env.DB.batch(all)) expect(meta.changes).toBeGreaterThan(0);
  await tellAll(env.DB);
}

beforeAll(async () => {
  vi.stubGlobal("fetch", async (input: URL | string) =>
    String(input).endsWith("/refused")
      ? new Response("no", { status: 422 })
      : Response.json({ id: "1", data: [] }),
  );
  vi.spyOn(console, "error").mockImplementation((line) => void broken.push(String(line)));
  await createAccounts();
  const scopes = JSON.stringify(["read", "write", "admin", "secrets"]);
  await env.DB.prepare(
    "INSERT INTO api_keys (id, organization_id, name, key_hash, scopes, created_at) VALUES ('k-broken', 2, 'k', ?, ?, 0)",
  )
    .bind(hashSecret(THEIR_KEY), scopes)
    .run();
  const body = { username: crypto.randomUUID(), password: "a-good-password" };
  theirUser = (await ask("POST", "/user", { token: THEIR_KEY, body })).body.token;
  things = new Things(await newUser(), WORLD);
  const { cookies } = await signIn("otto@theirs.example");
  cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
});
afterAll(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  // Nobody else comes across what cannot be read.
  const { id } = await things.instance();
  await env.DB.batch([
    env.DB.prepare("DELETE FROM instances WHERE id = ?").bind(id),
    env.DB.prepare("DELETE FROM destinations WHERE id = ?").bind(`instance-${id}`),
  ]);
});

async function credentialsOf(path: string): Promise<Record<string, string>> {
  if (path.startsWith("/console")) return { cookie };
  if (path.startsWith("/elements"))
    return { authorization: `${THEIRS}, Element ${(await things.theirInstance()).token}` };
  const isOurs = /^\/(v1|apis|events)\//.test(path);
  return { authorization: `Bearer ${isOurs ? THEIR_KEY : theirUser}` };
}

/** Routes whose paths name a thing of ours. */
const lines = Object.entries(TABLE).flatMap(([line, audience]) =>
  Object.entries(typeof audience === "string" ? { [line]: audience } : audience).flatMap(
    ([one, whom]) => (whom.endsWith(", ours") ? one : []),
  ),
);

describe("promise 7: somebody of another organization makes nothing be decrypted", () => {
  const paths = new Map<string, string>();
  beforeAll(async () => {
    for (const line of lines) {
      const [method = "", route = ""] = line.split(" ");
      paths.set(line, await pathOf(method, route, things));
    }
    await things.theirInstance();
    await breakSeals();
    broken.length = 0;
  });

  it.each(lines)("by %s", async (line) => {
    const path = paths.get(line) ?? "";
    const method = line.split(" ")[0] ?? "";
    const isForm = path.startsWith("/console");
    const body: any = await bodyOf(line, things);
    const response = await exports.default.fetch(`https://tributary.example${path}`, {
      method,
      redirect: "manual",
      headers: {
        origin: "https://tributary.example",
        "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json",
        ...(await credentialsOf(path)),
      },
      ...(method === "GET"
        ? {}
        : { body: isForm ? new URLSearchParams(body).toString() : JSON.stringify(body) }),
    });
    await response.body?.cancel();
    expect({ isFault: response.status >= 500, broken }).toEqual({ isFault: false, broken: [] });
  });

  it("by a delivery to another connector's address, or that names it", async () => {
    const { id } = await things.instance();
    const url = "https://tributary.example/elements/api-v2/events";
    const deliver = async (path: string, headers: Record<string, string>) =>
      (await exports.default.fetch(`${url}${path}`, { method: "POST", headers, body: "{}" }))
        .status;
    expect(await deliver(`/box/${id}`, {})).toBe(404);
    expect(await deliver("/quickbooks", { "element-instances": String(id) })).toBe(200);
    expect(broken).toEqual([]);
    // The seals are broken indeed.
    expect(await deliver(`/sandbox/${id}`, {})).toBe(404);
    expect(broken).toHaveLength(1);
  });
});
