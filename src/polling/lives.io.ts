import { deadKey, snapshotKey } from "../instances/deletions";
import type { Commit, Happened } from "../stream/event";
import { cursorOf, type PollState } from "./commit.io";
import { type Lives, toldOnce } from "./lives";
import { statePages } from "./state-pages.io";

/**
 * The events of a resource without deletions that were told before, and with CREATED for what is back. A cursor says
 * whether there are any dead at all, so that accounts in which nothing is deleted ask for none.
 */
export async function withLives(
  poll: PollState,
  resource: string,
  events: readonly Happened[],
): Promise<Lives & Pick<Commit, "cursor" | "keepIdsSince">> {
  const isKept = poll.cursor.dead === true;
  if (!isKept && !events.some(({ eventType }) => eventType === "DELETED"))
    return { events: [...events], state: [] };
  const dead = isKept
    ? await deadAmong(
        poll,
        resource,
        events.map(({ objectId }) => objectId),
      )
    : new Set<string>();
  const back = events.filter(
    ({ eventType, objectId }) => eventType !== "DELETED" && dead.has(objectId),
  );
  const old = new Set(back.length === 0 ? [] : await poll.stream.knownIds(back.flatMap(idsOf)));
  const lives = toldOnce(resource, events, dead, (event) => idsOf(event).some((id) => old.has(id)));
  const died = lives.events.filter(({ eventType }) => eventType === "DELETED");
  const state = [
    ...lives.state,
    ...died.map(({ objectId }) => ({ key: snapshotKey(resource, objectId), value: null })),
  ];
  if (isKept) return { events: lives.events, state };
  poll.cursor = { ...poll.cursor, dead: true };
  return { events: lives.events, state, ...cursorOf(poll) };
}

const idsOf = ({ id, formerly }: Happened): string[] =>
  formerly === undefined ? [id] : [id, formerly];

async function deadAmong(
  { stream }: PollState,
  resource: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const kept = await stream.readState(ids.map((id) => deadKey(resource, id)));
  return new Set(ids.filter((id) => Object.hasOwn(kept, deadKey(resource, id))));
}

/** Ids of all objects of a resource whose deletion was told. */
export async function allDead(
  { stream, cursor }: PollState,
  resource: string,
): Promise<Set<string>> {
  const prefix = deadKey(resource, "");
  const ids = new Set<string>();
  if (cursor.dead !== true) return ids;
  for await (const page of statePages(stream, prefix))
    for (const { key } of page) ids.add(key.slice(prefix.length));
  return ids;
}
