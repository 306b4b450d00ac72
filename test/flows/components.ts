/** A trigger named `T` stands above the step; without imports, for programs that run in Node. */
export const trigger = (event = "contact-created"): Record<string, unknown> => ({
  type: "appmixer.utils.appevents.OnAppEvent",
  source: {},
  config: { properties: { event } },
});

/** An HTTP step below `T`. */
export const step = (
  lambda: Record<string, unknown> = { url: "https://example.com/cb" },
  modifiers: Record<string, unknown> = {},
  change: Record<string, unknown> = {},
): Record<string, unknown> => ({
  type: "appmixer.utils.http.Post",
  source: { in: { T: ["out"] } },
  config: { transform: { in: { T: { out: { type: "json2new", modifiers, lambda } } } } },
  ...change,
});
