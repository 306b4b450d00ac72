import type { Connector } from "../../connectors/definition";
import type { Delivery, Extracted, Extraction, Webhook } from "../../connectors/webhook";
import type { Fault } from "../../instances/value-checks";
import type { Instance } from "../../instances/instance";

/** What the rooms `polling` and `inbound`, above this one, say about a definition. */
export type Knowing = {
  /** What is wrong with its poll configuration. */
  pollingFaults: (instance: Pick<Instance, "connector" | "configuration">) => Fault[];
  /** What is wrong with its way of reading webhooks. */
  extractionFault: (extraction: Extraction) => string | undefined;
  /** What a delivery of a connector's webhook says, its objects called as events call them. */
  extract: (connector: Connector, webhook: Webhook, delivery: Delivery) => Promise<Extracted>;
  /** The events that a poll of these records would make. */
  preview: (connector: Connector, resource: string, records: readonly unknown[]) => Previewed[];
};

export type Previewed = {
  objectType: string;
  objectId: string;
  eventType: string;
  date: string | null;
};
