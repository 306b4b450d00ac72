import type { Knowing } from "../../elements/catalog/knowing";
import { extractionFault } from "../../inbound/extract";
import { webhookPreview } from "../../inbound/preview";
import { preview } from "../../polling/preview";
import { pollingFaults } from "../../polling/settings";
import { polledAs } from "../../polling/touched";

/** What the surface of connectors and these pages ask the rooms `polling` and `inbound` about a definition. */
export const knowing: Knowing = {
  pollingFaults,
  preview,
  extractionFault,
  extract: webhookPreview(polledAs),
};
