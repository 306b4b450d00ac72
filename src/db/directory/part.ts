import { env } from "cloudflare:workers";
import { sha256 } from "../../values/bytes";
import type { Directory } from "./directory.object";

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
  ask: (part: DurableObjectStub<Directory>, some: Item[]) => Promise<Answer>,
): Promise<{ some: Item[]; answer: Answer }[]> {
  const places = Map.groupBy(items, (item) => placeOf(keyOf(item)));
  const settled = await Promise.allSettled(
    [...places].map(async ([place, some]) => {
      const asked = () => ask(env.DIRECTORY.getByName(place), some);
      return { some, answer: await asked().catch(asked) };
    }),
  );
  const failed = settled.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
}
