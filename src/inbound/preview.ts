import type { Connector } from "../connectors/definition";
import type { Delivery, Extracted, Webhook } from "../connectors/webhook";
import type { PolledAs } from "../instances/polled";
import { extract } from "./extract";
import { objectTypes } from "./outcome";

/** What a delivery would say to an instance that has nothing configured of its own, its objects called as events call them. */
export const webhookPreview =
  (polledAs: PolledAs) =>
  async (connector: Connector, { extraction }: Webhook, delivery: Delivery): Promise<Extracted> => {
    const extracted = await extract(extraction, delivery);
    if (extracted.kind === "unreadable") return extracted;
    const typeOf = objectTypes({ connector, configuration: {} }, polledAs);
    const changes = extracted.changes.map((change) => ({
      ...change,
      objectType: typeOf(change.objectType),
    }));
    return { ...extracted, changes };
  };
