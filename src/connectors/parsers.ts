import { boxFeed, readBoxWebhook } from "./box-events";
import { dropboxFeed } from "./dropbox-feed";
import type { Connector } from "./definition";
import type { Feed } from "./feed";
import { readHubspotWebhook } from "./hubspot-events";
import { quickbooksFeed, readQuickbooksWebhook } from "./quickbooks-events";
import { readSfdcWebhook } from "./sfdc-events";
import type { Delivery, Extracted, Extraction } from "./webhook";

/** The vendors' own readers of webhook bodies, by the name that their definitions give. */
export const parsers: Record<
  Extract<Extraction, { by: "parser" }>["parser"],
  (delivery: Delivery) => Extracted
> = {
  box: readBoxWebhook,
  hubspot: readHubspotWebhook,
  quickbooks: readQuickbooksWebhook,
  sfdc: readSfdcWebhook,
};

/** The readers of change feeds, by the name that definitions give. */
export const feeds: Record<NonNullable<Connector["events"]["feed"]>, Feed> = {
  box: boxFeed,
  dropbox: dropboxFeed,
  quickbooks: quickbooksFeed,
};

/** Whether one feed reports the changes of the whole account, whatever the type. */
export function isStreamFeed({ events }: Connector): boolean {
  const feed = events.feed === undefined ? undefined : feeds[events.feed];
  return feed?.kind === "log" || feed?.kind === "tree";
}
