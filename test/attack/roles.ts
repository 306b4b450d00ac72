import { bodyOf } from "../accounts/bodies.ts";
import {
  credentialsOf,
  encode,
  isIn,
  LINES,
  neutral,
  OUTSIDERS,
  strange,
  TELLING,
} from "../accounts/judge.ts";
import { type Actor, ACTORS, admits } from "../accounts/routes-by-role.ts";
import { pathOf, type Things } from "../accounts/things.ts";
import { ATTACKED } from "./lines.ts";
import type { Phase } from "./phase.ts";
import { type Arena, signIn } from "./world.ts";

/** Where the operator has to set something that this stack has not. */
const NOT_SET_UP = new Set(["GET /elements/api-v2/elements/:element/oauth/url/default"]);

const lines = ATTACKED.filter(([line]) => !NOT_SET_UP.has(line));

/** Every route × every actor of the table, over real HTTP. */
export const roles: Phase = async (arena) => {
  const holes: string[] = [];
  let [requests, letIn] = [0, 0];
  const shared = arena.ours.things();
  for (const [line, audience] of lines) {
    for (const actor of ACTORS) {
      const isMeant = admits(audience, actor);
      const things = isMeant && !line.startsWith("GET ") ? arena.ours.things() : shared;
      const answer = await ask(arena, line, actor, things);
      requests += 1;
      if (answer.isIn) letIn += 1;
      if (answer.isIn !== isMeant)
        holes.push(`${line}: ${actor} is ${isMeant ? "kept out" : "let in"} (${answer.status})`);
      if (answer.status >= 500 && answer.status !== 501)
        holes.push(`${line}: ${actor} gets ${answer.status}`);
      if (!OUTSIDERS.has(actor) || isMeant || TELLING.test(line)) continue;
      const none = await ask(arena, line, actor, things, strange);
      requests += 1;
      if (JSON.stringify(neutral(answer)) !== JSON.stringify(neutral(none)))
        holes.push(`${line}: ${actor} can tell what is another's from what isn't there`);
    }
    if (line === "POST /console/sign-out") await signInAgain(arena);
  }
  const unlisted = await routesBeyond(arena);
  holes.push(...unlisted.map((line) => `${line} is documented and in no table`));
  const figures = [{ routes: lines.length, actors: ACTORS.length, requests, "let in": letIn }];
  return { figures, holes };
};

async function ask(
  arena: Arena,
  line: string,
  actor: Actor,
  things: Things,
  named?: (id: string) => string,
): Promise<{ status: number; text: string; isIn: boolean }> {
  const [method = "", route = ""] = line.split(" ");
  const path = await pathOf(method, route, things, named);
  // The vendor's record that the hub's paths name: who was let in before may have deleted it.
  if (path.endsWith("/accounts/1")) arena.sandbox.create("accounts", { id: "1", name: "first" });
  const credentials = await credentialsOf(actor, path, things, arena.holders);
  const { body, headers } = encode(method, path, await bodyOf(line, things));
  const {
    status,
    text,
    headers: answered,
  } = await arena.send({
    method,
    path,
    headers: { ...headers, ...credentials },
    ...(!["GET", "HEAD"].includes(method) && { body }),
  });
  const location = typeof answered["location"] === "string" ? answered["location"] : null;
  return { status, text, isIn: isIn(path, status, location) };
}

async function signInAgain({ holders, ours, theirs, send, members }: Arena): Promise<void> {
  Object.assign(holders.cookies, {
    viewer: await signIn(send, members.viewer),
    editor: await signIn(send, members.editor),
    owner: await signIn(send, ours.world.owner),
    stranger: await signIn(send, theirs.world.owner),
  });
}

/** Documented routes of our own surface that the table, and with it this attack, does not know. */
async function routesBeyond({ send }: Arena): Promise<string[]> {
  const { text } = await send({ method: "GET", path: "/openapi.json" });
  const { paths } = JSON.parse(text) as { paths: Record<string, object> };
  const plain = (path: string) => path.replaceAll(/:(\w+)(\{[^}]*\})?|\{(\w+)\}/g, "{}");
  const known = new Set(LINES.map(([line]) => plain(line)));
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .map((method) => plain(`${method.toUpperCase()} ${path}`))
      .filter((line) => !known.has(line)),
  );
}
