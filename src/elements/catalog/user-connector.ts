import * as z from "zod";
import { type Authentication } from "../../connectors/authentication";
import { connectorSchema } from "../../connectors/definition";

/**
 * A connector as an organization describes it: the schema of built-in ones, but it cannot name a reader that is
 * code, and must declare every secret as such.
 */
export const ownDefinition = connectorSchema
  .omit({ id: true })
  .superRefine((connector, context) => {
    const { authentication, otherAuthentications, configuration, events, webhook } = connector;
    const secrets = new Set(
      configuration.flatMap(({ key, type }) => (type === "PASSWORD" ? key : [])),
    );
    const fault = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    const declared = (key: string): boolean =>
      secrets.has(key) ||
      ["password", "oauth.api.secret", "event.vendor.signature.key"].includes(key);
    const checkSecret = (path: (string | number)[], one: Authentication): void => {
      const [name, key] =
        one.type === "apiKey"
          ? ["configurationKey", one.configurationKey]
          : one.type === "basic"
            ? ["passwordKey", one.passwordKey]
            : [];
      if (name !== undefined && key !== undefined && !declared(key))
        fault([...path, name], `Expected a key of configuration of type PASSWORD, got '${key}'`);
    };
    checkSecret(["authentication"], authentication);
    for (const [index, other] of otherAuthentications.entries())
      checkSecret(["otherAuthentications", index], other);
    if (events.feed !== undefined)
      fault(["events", "feed"], `Feed '${events.feed}' is for built-in connectors`);
    if (!events.methods.includes(events.defaultMode))
      fault(["events", "defaultMode"], `Expected one of ${events.methods.join(", ")}`);
    if (events.methods.includes("webhook") && webhook === undefined)
      fault(["webhook"], "Expected the rules of the webhooks that events.methods names");
    if (webhook === undefined) return;
    if (webhook.extraction.by === "parser" || webhook.extraction.by === "feed")
      fault(["webhook", "extraction", "by"], "Expected paths or jsonata");
    if (webhook.route?.family !== undefined)
      fault(["webhook", "route", "family"], "Families are for built-in connectors");
    if (webhook.defaultKey !== undefined && !declared(webhook.defaultKey))
      fault(
        ["webhook", "defaultKey"],
        `Expected a key of configuration of type PASSWORD, got '${webhook.defaultKey}'`,
      );
  });
export type OwnDefinition = z.infer<typeof ownDefinition>;

/** `POST /elements/test`: a definition, what an instance would have, and samples of what the vendor sends. */
export const dryRun = z.object(
  {
    definition: ownDefinition,
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
export type DryRun = z.infer<typeof dryRun>;
