import * as z from "zod";
import { type Authentication } from "../../connectors/authentication";
import { connectorSchema } from "../../connectors/definition";
import type { Webhook } from "../../connectors/webhook";
import type { Violation } from "../../http/refusal";
import { isObject } from "../../values/record";

/** What a definition is made of, before the rules. */
export const shape = connectorSchema.omit({ id: true });

/**
 * A connector as an organization describes it: the schema of built-in ones, but it cannot name a reader that is
 * code, and must declare every secret as such.
 */
export const ownDefinition = shape.superRefine((connector, context) => {
  for (const { field, message } of ruleFaults(connector, connector.webhook !== undefined))
    context.addIssue({ code: "custom", path: field.split("."), message });
});
export type OwnDefinition = z.infer<typeof ownDefinition>;

/** The members of what somebody sent that are as they should be, each by itself. */
export function membersOf(given: unknown): Partial<OwnDefinition> {
  if (!isObject(given)) return {};
  const good = Object.entries(shape.shape).flatMap(([name, schema]) => {
    const parsed = schema.safeParse(given[name]);
    return parsed.success && parsed.data !== undefined ? [[name, parsed.data]] : [];
  });
  return Object.fromEntries(good);
}

/**
 * What of an organization's own definition is wrong beyond the schema; members that it lacks break no rule.
 * @param hasWebhook Whether rules of webhooks were given, be they right or wrong.
 */
export function ruleFaults(connector: Partial<OwnDefinition>, hasWebhook: boolean): Violation[] {
  const { authentication, otherAuthentications = [], configuration, events, webhook } = connector;
  const secrets = new Set(
    configuration?.flatMap(({ key, type }) => (type === "PASSWORD" ? key : [])),
  );
  const undeclared = (field: string, key: string | undefined): Violation[] =>
    configuration === undefined || key === undefined || secrets.has(key) || SHARED.includes(key)
      ? []
      : [{ field, message: `Expected a key of configuration of type PASSWORD, got '${key}'` }];
  return [
    ...(authentication === undefined
      ? []
      : undeclared(...secretOf("authentication", authentication))),
    ...otherAuthentications.flatMap((other, index) =>
      undeclared(...secretOf(`otherAuthentications.${index}`, other)),
    ),
    ...(events === undefined ? [] : eventFaults(events)),
    ...(events?.methods.includes("webhook") === true && !hasWebhook
      ? [
          {
            field: "webhook",
            message: "Expected the rules of the webhooks that events.methods names",
          },
        ]
      : []),
    ...(webhook === undefined ? [] : webhookFaults(webhook)),
    ...undeclared("webhook.defaultKey", webhook?.defaultKey),
  ];
}

/** Secrets that every instance may have. */
const SHARED = ["password", "oauth.api.secret", "event.vendor.signature.key"];

/** Where an authentication names the configuration key of its secret, and which one. */
function secretOf(path: string, one: Authentication): [field: string, key: string | undefined] {
  switch (one.type) {
    case "apiKey":
      return [`${path}.configurationKey`, one.configurationKey];
    case "basic":
      return [`${path}.passwordKey`, one.passwordKey];
    case "oauth2":
      return [path, undefined];
  }
}

function eventFaults({ feed, methods, defaultMode }: OwnDefinition["events"]): Violation[] {
  return [
    ...(feed === undefined
      ? []
      : [{ field: "events.feed", message: `Feed '${feed}' is for built-in connectors` }]),
    ...(methods.includes(defaultMode)
      ? []
      : [{ field: "events.defaultMode", message: `Expected one of ${methods.join(", ")}` }]),
  ];
}

function webhookFaults({ extraction, route }: Webhook): Violation[] {
  return [
    ...(extraction.by === "parser" || extraction.by === "feed"
      ? [{ field: "webhook.extraction.by", message: "Expected paths or jsonata" }]
      : []),
    ...(route?.family === undefined
      ? []
      : [{ field: "webhook.route.family", message: "Families are for built-in connectors" }]),
  ];
}

/** `POST /elements/test`: a definition, what an instance would have, and samples of what the vendor sends. */
export const dryRun = z.object(
  {
    definition: z.unknown(),
    configuration: z.record(z.string(), z.string()).default({}),
    /** The first one when absent. */
    resource: z.string().optional(),
    where: z.string().optional(),
    sample: z
      .object({
        /** The vendor's answer to the list request. */
        answer: z.unknown().optional(),
        headers: z.record(z.string(), z.string()).default({}),
      })
      .optional(),
    webhook: z
      .object({
        /** The vendor's body: JSON, or a text as it came. */
        body: z.unknown(),
        headers: z.record(z.string(), z.string()).default({}),
      })
      .optional(),
  },
  "Expected a JSON object",
);
export type DryRun = z.infer<typeof dryRun> & { definition: OwnDefinition };
