import { goodBodyOf } from "../accounts/bodies.ts";
import { encode, LINES } from "../accounts/judge.ts";
import { step, trigger } from "../flows/components.ts";
import { pathOf, type Things } from "../accounts/things.ts";
import { type Phase, short } from "./phase.ts";
import { type Door, doorOf } from "./slow/doors.ts";
import { placesOf, replaced, Turns } from "./slow/requests.ts";
import { type Arena, type Side, signUp } from "./world.ts";

/** Stands in the contents of what is ours, never in an id. */
const MARK = `ours-alone-${crypto.randomUUID()}`;

/** Parameters that name a thing. */
const NAMING =
  "source destinationId objectId instanceId elementInstanceId flowId id userId actor cursor next nextPage".split(
    " ",
  );

/** So many of our ids come to each route; over all routes each id comes often. */
const IDS_A_DOOR = 6;

/** Every id of ours, asked for by another organization: in its own paths' queries and in each text of its bodies. */
export const strangers: Phase = async (arena) => {
  const holes: string[] = [];
  const things = await markedThings(arena.ours);
  const ids = await idsOf(things, arena.theirs.things());
  const before = await snapshot(arena, things);
  let requests = 0;
  const theirs = mirrored(arena);
  const shared = arena.theirs.things();
  const turns = new Turns(arena.round);
  const try_ = async (door: Door, what: string, sent: { path: string; body?: string }) => {
    requests += 1;
    const { method, headers } = door;
    const { status, text } = await arena.send({ method, headers, ...sent });
    if (text.includes(MARK)) holes.push(`${door.line}, ${what}: shows what is another's`);
    if (status >= 500 && ![501, 502].includes(status))
      holes.push(`${door.line}, ${what}: ${status} ${short(text)}`);
  };
  for (const [line] of LINES) {
    if (line.startsWith("HEAD ")) continue;
    const isRead = line.startsWith("GET ");
    const door = await doorOf(theirs, line, isRead ? shared : undefined);
    for (const id of turns.of(ids, IDS_A_DOOR)) {
      const query = new URLSearchParams(NAMING.map((name) => [name, id])).toString();
      if (isRead) await try_(door, `?…=${id}`, { path: `${door.path}?${query}` });
      for (const place of isRead ? [] : placesOf(door)) {
        const { body } = encode(door.method, door.path, replaced(door.body, place, id));
        await try_(door, `${place.join(".")}: ${id}`, { path: door.path, body });
      }
    }
  }
  const after = await snapshot(arena, things);
  for (const [line, text] of before)
    if (after.get(line) !== text) holes.push(`${line}: another organization changed it`);
  const figures = [{ "ids of ours": ids.length, requests, "things looked at after": before.size }];
  return { figures, holes };
};

/** The arena as the other organization sees it. */
const mirrored = (arena: Arena): Arena => ({
  ...arena,
  ours: arena.theirs,
  theirs: arena.ours,
  newUser: () => signUp(arena.theirs.world),
  holders: {
    ...arena.holders,
    cookies: { ...arena.holders.cookies, owner: arena.theirs.cookie },
    keys: {
      read: arena.theirs.world.apiKey,
      write: arena.theirs.world.apiKey,
      admin: arena.theirs.world.apiKey,
      secrets: arena.theirs.world.apiKey,
    },
  },
});

async function markedThings(ours: Side): Promise<Things> {
  const things = ours.things();
  const { id } = await things.instance();
  await things.elements("PATCH", `/instances/${id}`, { name: MARK });
  const flow = { T: trigger("x"), P: step() };
  await things.ask("PUT", `/flows/${await things.flow()}`, { name: MARK, flow });
  await things.ask("POST", "/plugins/appmixer/utils/appevents/events/x", { [MARK]: MARK });
  await things.apis("PUT", `management/v1alpha1/environments/${await things.environment()}`, {
    name: await things.environment(),
    title: MARK,
  });
  const body = { name: MARK, scopes: ["read"] };
  await things.v1("POST", "/keys", body);
  await things.notification();
  return things;
}

/** What stands for parameters in our paths and not in theirs. */
async function idsOf(ours: Things, theirs: Things): Promise<string[]> {
  const ids = new Set<string>();
  for (const [line] of LINES) {
    const [method = "", route = ""] = line.split(" ");
    const segments = (await pathOf(method, route, ours)).split("/");
    const others = (await pathOf(method, route, theirs)).split("/");
    for (const [index, segment] of segments.entries())
      if (segment !== others[index]) ids.add(decodeURIComponent(segment));
    await goodBodyOf(line, theirs);
  }
  ids.add((await ours.instance()).token);
  return [...ids];
}

/** What changes by itself: when something was seen or used last, totals. */
const VOLATILE =
  /"(lastSeenAt|lastUsedAt|requestId|transactionId|updatedDate|btime|mtime|stats)":("[^"]*"|\{[^}]*\}|null)/g;

/** Each thing of ours as its owner reads it. */
async function snapshot(arena: Arena, things: Things): Promise<Map<string, string>> {
  const read = new Map<string, string>();
  const one = LINES.filter(
    ([line, audience]) => line.startsWith("GET ") && audience.endsWith(", ours"),
  );
  for (const [line] of one) {
    if (/console|invitations|oauth|\/docs|hubs|logs|jobs|status|sessions|events/.test(line))
      continue;
    const { path, headers } = await doorOf(arena, line, things);
    const { status, text } = await arena.send({ method: "GET", path, headers });
    if (status === 200) read.set(line, text.replaceAll(VOLATILE, ""));
  }
  return read;
}
