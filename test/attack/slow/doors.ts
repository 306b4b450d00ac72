import { goodBodyOf } from "../../accounts/bodies.ts";
import { credentialsOf, encode, LINES } from "../../accounts/judge.ts";
import { type Actor, admits } from "../../accounts/routes-by-role.ts";
import { pathOf, Things } from "../../accounts/things.ts";
import type { Sent } from "../client.ts";
import type { Arena } from "../world.ts";

/** A route with credentials that open it, an existing thing in its path, and a body with which it succeeds. */
export type Door = {
  line: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
};

/** Who gets furthest, by surface. */
const STRONGEST: Actor[] = ["secrets", "user", "owner", "admin", "write", "read", "nobody"];

export const takesBody = ({ method }: Door): boolean => !["GET", "HEAD"].includes(method);

export async function doorOf(arena: Arena, line: string, made?: Things): Promise<Door> {
  const [method = "", route = ""] = line.split(" ");
  const audience = LINES.find(([one]) => one === line)?.[1];
  // A password's change ends what was signed in with it; a sign-out too.
  const user = line.endsWith("/change-password") ? await arena.newUser() : arena.ours.user;
  const things = made ?? new Things(user, arena.ours.world);
  const actor =
    audience === undefined || /sign-out|sessions|console\/password/.test(line)
      ? "nobody"
      : (STRONGEST.find((one) => admits(audience, one)) ?? "nobody");
  const path = await pathOf(method, route, things);
  const credentials = await credentialsOf(actor, path, things, arena.holders);
  const body = await goodBodyOf(line, things);
  return {
    line,
    method,
    path,
    headers: { ...encode(method, path, {}).headers, ...credentials },
    body,
  };
}

/** Doors of vendors: one for each connector, asked by whoever knows its address. */
export async function inboundDoors({ ours }: Arena): Promise<Door[]> {
  const headers = { authorization: ours.world.mine };
  const { body } = await ours.world.ask("GET", "/elements/api-v2/elements", { headers });
  return (body as { key: string }[])
    .filter(({ key }) => !key.startsWith("own-"))
    .map(({ key }) => ({
      line: `POST /elements/api-v2/events/${key}`,
      method: "POST",
      path: `/elements/api-v2/events/${key}`,
      headers: {},
      body: {},
    }));
}

export const sentTo = (door: Door, change: Partial<Sent> = {}): Sent => ({
  method: door.method,
  path: door.path,
  ...(takesBody(door) && { body: encode(door.method, door.path, door.body).body }),
  ...change,
  headers: { ...door.headers, ...change.headers },
});
