import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { goodBodyOf } from "../accounts/bodies";
import { encode, LINES } from "../accounts/judge";
import { newUser, type SignedIn } from "../accounts/ask";
import { pathOf, Things } from "../accounts/things";
import { WORLD } from "../accounts/world";
import { app } from "../../src/app";
import { bodies, fields, Turns } from "../attack/slow/requests";
import type { Door } from "../attack/slow/doors";
import { createAccounts, signIn } from "../console/build";
import { FIRST, MINE } from "../organization";

/**
 * What `npm run attack` measures as waiting, counted here: each door reads, checks and refuses (or takes) a body of any
 * shape in time that grows as the body does. `linear-time.test.ts` says the same of each function alone.
 */

const KIB = 1024;
/** Less says nothing on a busy machine; quadratic time on so much is seconds. */
const CLEAR_MS = 250;
const ROUND = 0;
/** Of bodies and of fields, each door has its turn with so many. */
const SHAPES = inject("isLong") ? 3 : 1;

let user: SignedIn;
let cookie: string;
beforeAll(async () => {
  vi.stubGlobal("fetch", async (input: URL | string) =>
    String(input).endsWith("/refused")
      ? new Response("no", { status: 422 })
      : Response.json({ id: "1", data: [] }),
  );
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  await createAccounts();
  user = await newUser();
  const { cookies } = await signIn(FIRST.email);
  cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
});
afterAll(() => vi.unstubAllGlobals());

async function doorOf(line: string): Promise<Door> {
  const [method = "", route = ""] = line.split(" ");
  const things = new Things(user, WORLD);
  const path = await pathOf(method, route, things);
  const isKeyed = /^\/(v1|apis|events)\//.test(path);
  const headers: Record<string, string> = path.startsWith("/console")
    ? { cookie, origin: "https://tributary.example" }
    : path.startsWith("/elements")
      ? { authorization: `${MINE}, Element ${(await things.instance()).token}` }
      : { authorization: `Bearer ${isKeyed ? FIRST.apiKey : user.token}` };
  const { headers: typed } = encode(method, path, {});
  return {
    line,
    method,
    path,
    headers: { ...typed, ...headers },
    body: await goodBodyOf(line, things),
  };
}

async function timeOf(
  sent: ReturnType<ReturnType<typeof bodies>[number]["sent"]>,
): Promise<number> {
  const start = performance.now();
  const { method, path, headers = {}, body } = sent;
  const response = await app.request(
    `https://tributary.example${path}`,
    { method, headers, ...(body !== undefined && { body }) },
    env,
    { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} },
  );
  await response.text();
  return performance.now() - start;
}

/** Four times the body may take at most eight times as long (sixteen would be quadratic). */
async function growth({ name, sent }: ReturnType<typeof bodies>[number]) {
  if ((await timeOf(sent(128 * KIB))) <= CLEAR_MS) return undefined;
  const best = async (size: number) =>
    Math.min(await timeOf(sent(size)), await timeOf(sent(size)), await timeOf(sent(size)));
  const [small, large] = [await best(32 * KIB), await best(128 * KIB)];
  return large > CLEAR_MS && large > 8 * small
    ? `${name}: ${small} ms, then ${large} ms`
    : undefined;
}

/** What ends a session or an account says nothing more afterwards; the rest has its turn with each shape. */
const lines = LINES.map(([line]) => line).filter(
  (line) =>
    !/^(GET|HEAD) /.test(line) && !/\/console\/(sign-out|sessions|password)|DELETE/.test(line),
);
const turns = new Turns(ROUND);

describe("promise 11, no request keeps others waiting, time linear in its size: bodies of every shape", () => {
  it.each(lines)("%s", async (line) => {
    const door = await doorOf(line);
    const all = [
      ...turns.of(bodies(door, turns), SHAPES),
      ...turns.of(fields(door, turns), SHAPES),
    ];
    for (const attack of all) expect(await growth(attack)).toBeUndefined();
  });
});
