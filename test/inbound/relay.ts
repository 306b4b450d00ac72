/** Takes this platform's own callbacks: every event object of them is a change. */
export const relayOf = (key: string) => ({
  key,
  name: "Relay",
  hub: "general",
  authentication: { type: "apiKey", name: "X", configurationKey: "relay.key" },
  baseUrl: "https://relay.example.com",
  configuration: [{ key: "relay.key", name: "Key", type: "PASSWORD" }],
  resources: {},
  events: { methods: ["webhook"], defaultMode: "webhook" },
  webhook: {
    extraction: {
      by: "jsonata",
      expression:
        'message.events.{"objectType": objectType, "objectId": objectId, "eventType": eventType, "version": $$.eventId}',
    },
  },
});
