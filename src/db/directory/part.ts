import { env } from "cloudflare:workers";
import { sha256 } from "../../values/bytes";
import type { Directory, Found, Wanted } from "./directory.object";

type Part = DurableObjectStub<Directory>;

/** What belongs to no one organization, or to one that is not known yet, is spread over so many objects. */
const SHARDS = 64;

/** The object that holds an entry: what is of one organization, `organization:5/…`, lies together. */
function placeOf(key: string): string {
  const slash = key.indexOf("/");
  const root = slash === -1 ? key : key.slice(0, slash);
  if (root.startsWith("organization:")) return root;
  return `shard:${Number.parseInt(sha256(root, "hex").slice(0, 8), 16) % SHARDS}`;
}

/**
 * Asks each part of the directory for what it holds of `items`. The binding is taken from the environment right here:
 * beside every `db` that a store is handed there would be a second argument, always the same. An object that was just
 * replaced fails once, so a failure is tried again.
 * @throws what a part throws, after all others have answered.
 */
export async function atParts<Item, Answer>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  ask: (part: Part, some: Item[], place: string) => Promise<Answer>,
): Promise<{ some: Item[]; answer: Answer }[]> {
  const places = Map.groupBy(items, (item) => placeOf(keyOf(item)));
  const settled = await Promise.allSettled(
    [...places].map(async ([place, some]) => {
      const asked = () => ask(env.DIRECTORY.getByName(place), some, place);
      return { some, answer: await asked().catch(asked) };
    }),
  );
  const failed = settled.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
}

type Gathering = { wanted: Wanted[]; found: Promise<Found[]> };
/** By object: what it is about to be asked. */
const gatherings = new Map<string, Gathering>();

/** Asks a part what it knows. Questions of the same moment, whichever sections they are of, share one request. */
export async function findTogether(
  part: Part,
  place: string,
  wanted: readonly Wanted[],
): Promise<Found[]> {
  const gathering = gatherings.get(place) ?? gatherFor(part, place);
  const from = gathering.wanted.length;
  for (const one of wanted) gathering.wanted.push(one);
  const found = await gathering.found;
  return found.slice(from, from + wanted.length);
}

function gatherFor(part: Part, place: string): Gathering {
  const wanted: Wanted[] = [];
  // What runs before this belongs to one invocation: no other one waits for a request that isn't its own.
  const found = Promise.resolve().then(() => {
    gatherings.delete(place);
    return part.find(wanted);
  });
  const gathering = { wanted, found };
  gatherings.set(place, gathering);
  return gathering;
}
