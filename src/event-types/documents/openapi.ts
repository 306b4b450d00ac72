import type { EventTypeView } from "../event-type";
import { examplesOf, payloadOf } from "./payload";

const HEADERS = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => ({
  name,
  in: "header",
  required: true,
  schema: { type: "string" },
}));

/** The events of an organization as webhooks of OpenAPI 3.1. */
export const openApi = (
  title: string,
  types: readonly EventTypeView[],
): Record<string, unknown> => ({
  openapi: "3.1.0",
  info: { title, version: "1.0.0" },
  webhooks: Object.fromEntries(types.map((type) => [type.name, { post: webhookOf(type) }])),
  components: {
    schemas: Object.fromEntries(
      types.map((type) => [type.name, payloadOf(type, `#/components/schemas/${type.name}`)]),
    ),
  },
});

function webhookOf(type: EventTypeView): Record<string, unknown> {
  const { name, description, deprecated } = type;
  const [example] = examplesOf(type);
  const schema = { $ref: `#/components/schemas/${name}` };
  return {
    ...(description === "" ? {} : { summary: description }),
    ...(deprecated ? { deprecated } : {}),
    parameters: HEADERS,
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema,
          ...(example === undefined ? {} : { example: example.payload }),
        },
      },
    },
    responses: {
      "2XX": { description: "Taken" },
      "410": { description: "Gone: nothing is sent to this address any more" },
    },
  };
}
