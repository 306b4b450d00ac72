import { encode } from "../accounts/judge.ts";
import { ATTACKED } from "./lines.ts";
import { lists, objects } from "../http/nested.ts";
import { type Phase, short } from "./phase.ts";
import { type Door, doorOf, inboundDoors, sentTo, takesBody } from "./slow/doors.ts";
import { placesOf, replaced } from "./slow/requests.ts";
import type { Arena } from "./world.ts";

const LEVELS = [499, 500, 501, 6_000, 100_000];
const PLACEHOLDER = "the-deep-place";

/** Bodies of any depth at every door, whole and inside what fits; afterwards all that was readable still is. */
export const depth: Phase = async (arena) => {
  const holes: string[] = [];
  let requests = 0;
  const reads = await readable(arena);
  const lines = ATTACKED.map(([line]) => line).filter((line) => !/^(GET|HEAD) /.test(line));
  const doors = [...(await inboundDoors(arena))];
  for (const line of lines) doors.push(await doorOf(arena, line));
  for (const door of doors.filter(takesBody)) {
    for (const { name, body } of deepBodies(door)) {
      requests += 1;
      const { status, text } = await arena.send(sentTo(door, { body }));
      if (status === 0 || (status >= 500 && status !== 501 && status !== 502))
        holes.push(`${door.line}, ${name}: ${status} ${short(text)}`);
    }
  }
  for (const { door, status } of reads) {
    const after = await arena.send(sentTo(door));
    if (status === 200 && after.status >= 500)
      holes.push(`${door.line} answers ${after.status} since: ${short(after.text)}`);
  }
  const figures = [{ doors: doors.length, requests, "reads afterwards": reads.length }];
  return { figures, holes };
};

/** Text of so many levels alone, and in the place of a text of a body that fits. */
function deepBodies(door: Door): { name: string; body: string }[] {
  const place = placesOf(door).at(-1);
  return LEVELS.flatMap((levels) =>
    Object.entries({ lists, objects }).flatMap(([what, nested]) => {
      const name = `${levels} ${what}`;
      const whole = { name, body: nested(levels) };
      const isForm = door.path.startsWith("/console");
      if (place === undefined || isForm) return [whole];
      const { body } = encode(door.method, door.path, replaced(door.body, place, PLACEHOLDER));
      const inside = body.replace(JSON.stringify(PLACEHOLDER), () => nested(levels));
      const added = body.replace(/^\{/, () => `{"x-deep":${nested(levels)},`);
      return [
        whole,
        { name: `${name} as ${place.join(".")}`, body: inside },
        { name: `${name} as x-deep`, body: added },
      ];
    }),
  );
}

/** Every route that is read, with what it answers now. */
async function readable(arena: Arena): Promise<{ door: Door; status: number }[]> {
  const reads: { door: Door; status: number }[] = [];
  const things = arena.ours.things();
  for (const [line] of ATTACKED.filter(([line]) => line.startsWith("GET "))) {
    const door = await doorOf(arena, line, things);
    const { status } = await arena.send(sentTo(door));
    reads.push({ door, status });
  }
  return reads;
}
