import type { EventTypeView } from "../event-type";
import { examplesOf, payloadOf } from "./payload";

/** So AsyncAPI calls JSON Schema of other drafts than its own. */
const SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12";

/** The events of an organization as AsyncAPI 3.0: one channel, which is a destination's address. */
export function asyncApi(title: string, types: readonly EventTypeView[]): Record<string, unknown> {
  const messages = Object.fromEntries(types.map((type) => [type.name, messageOf(type)]));
  const refer = (name: string, place: string) => ({ $ref: `#/${place}/${name}` });
  return {
    asyncapi: "3.0.0",
    info: { title, version: "1.0.0" },
    defaultContentType: "application/json",
    channels: {
      destination: {
        address: null,
        description: "The URL of a destination, which each event is POSTed to",
        messages: Object.fromEntries(
          types.map(({ name }) => [name, refer(name, "components/messages")]),
        ),
      },
    },
    operations: {
      deliver: {
        action: "send",
        channel: refer("destination", "channels"),
        messages: types.map(({ name }) => refer(name, "channels/destination/messages")),
      },
    },
    components: { messages },
  };
}

function messageOf(type: EventTypeView): Record<string, unknown> {
  const { name, description } = type;
  const examples = examplesOf(type);
  return {
    name,
    ...(description === "" ? {} : { summary: description }),
    headers: {
      type: "object",
      properties: {
        "webhook-id": { type: "string" },
        "webhook-timestamp": { type: "string" },
        "webhook-signature": { type: "string" },
      },
    },
    payload: {
      schemaFormat: SCHEMA_FORMAT,
      schema: payloadOf(type, `#/components/messages/${name}/payload/schema`),
    },
    ...(examples.length === 0 ? {} : { examples }),
  };
}
