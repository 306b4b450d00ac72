import type { FeedPosition } from "../cursor";

/**
 * How a tree feed (Dropbox) goes on. It begins with a listing of the whole tree, then follows the changes. When the
 * vendor has forgotten the position (`reset`), the tree is listed anew, as the next generation; a sweep then
 * deletes from the index what only earlier generations have seen. The first listing is `quiet`: it records what is
 * there, and has nothing to sweep.
 *
 *     listing (quiet) → follow → reset → listing → sweep → follow
 */
export const TREE_START: FeedPosition = {
  phase: "listing",
  position: null,
  generation: 1,
  quiet: true,
  pages: 0,
};

/** After a page that ends at `position`. `pages`: read by this and earlier polls, when this poll must stop here. */
export function afterPage(
  at: FeedPosition,
  { position, more }: { position: string; more: boolean },
  pages: number,
): FeedPosition {
  if (at.phase !== "listing" || more) return { ...at, position, pages };
  return { ...at, position, pages, phase: at.quiet ? "follow" : "sweep", quiet: false };
}

/** The vendor has forgotten the position. A listing that was under way keeps its generation. */
export function reset({ phase, generation, quiet }: FeedPosition): FeedPosition {
  const isListing = phase === "listing";
  return { ...TREE_START, generation: isListing ? generation : generation + 1, quiet };
}

/** Whether the poll has come to the end of the feed. */
export function isAtEnd({ phase }: FeedPosition, more: boolean): boolean {
  return phase === "follow" && !more;
}
