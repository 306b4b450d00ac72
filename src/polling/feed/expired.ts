import type { LogFeed, TreeFeed } from "../../connectors/feed";
import type { HubFailure } from "../../hub/answer";

/** Whether the vendor no longer accepts our position in the feed, which then has to begin anew. */
export function isExpired(
  feed: Pick<LogFeed | TreeFeed, "isDead">,
  position: string | null,
  failure: HubFailure,
): boolean {
  return (
    position !== null &&
    failure.kind === "vendor-error" &&
    feed.isDead(failure.status, failure.providerMessage)
  );
}
