import type { LogFeed, TreeFeed } from "../../connectors/feed";
import type { HubFailure } from "../../hub/answer";

/** Whether the vendor has forgotten the position it was asked with: the feed has to begin anew. */
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
