import * as z from "zod";
import { anything, fields, free, icon, named, texts } from "./field";
import { type Kind, kindOf } from "./kind";

/** Kinds of the group `management` (reference resource-api.md §8). */

const scopeTrigger = fields({ kind: z.string().min(1), name: named("*") });

/** What a hook or a watch topic waits for (reference resource-api.md §8 and §9). */
export const trigger = fields({
  group: z.string().min(1),
  kind: z.string().min(1),
  name: named("*"),
  type: z.array(z.enum(["created", "updated", "deleted"])).min(1),
  scope: scopeTrigger.optional(),
});

const headerValues = z.record(z.string(), z.string());

/** Where a webhook's secret goes; without it, into `Authorization`. */
const location = z.union(
  [
    fields({ in: z.literal("header"), name: z.string().min(1).optional() }),
    fields({ in: z.literal("query"), name: z.string().min(1) }),
  ],
  "Expected {in: header}, with or without a name, or {in: query} with a name",
);

export const webhookSpec = fields({
  url: z.string().min(1),
  enabled: z.boolean().default(true),
  headers: headerValues.optional(),
  auth: fields({
    // The name is emptied when the Secret goes.
    secret: fields({ name: z.string(), key: z.string() }).optional(),
    location: location.optional(),
  }).optional(),
});

export const hookSpec = fields({
  triggers: z.array(trigger),
  webhooks: z.array(named()),
});

export const topicSpec = fields({
  filters: z.array(trigger),
  description: z.string().optional(),
});

const environment = kindOf({
  group: "management",
  kind: "Environment",
  plural: "environments",
  shortNames: ["env", "envs"],
  spec: fields({
    description: z.string().optional(),
    variables: texts.optional(),
    production: z.boolean().optional(),
    axwayManaged: z.boolean().optional(),
    icon: icon.optional(),
    compliance: anything.optional(),
  }),
  subResources: free(
    "references",
    "policies",
    "stages",
    "compliancetasks",
    "complianceruntimeresult",
    "traceable",
  ),
});

const integration = kindOf({
  group: "management",
  kind: "Integration",
  plural: "integrations",
  shortNames: ["integr", "integ"],
  spec: fields({ description: z.string().optional() }),
});

const service = kindOf({
  group: "management",
  kind: "APIService",
  plural: "apiservices",
  shortNames: ["apis", "apisvc"],
  scopes: ["Environment"],
  spec: fields({
    description: z.string().optional(),
    categories: z.array(z.string()).optional(),
    icon: icon.optional(),
  }),
  subResources: free(
    "agentdetails",
    "appinfo",
    "compliance",
    "complianceruntimeresult",
    "details",
    "profile",
    "references",
    "source",
    "status",
  ),
});

const revision = kindOf({
  group: "management",
  kind: "APIServiceRevision",
  plural: "apiservicerevisions",
  scopes: ["Environment"],
  spec: fields({
    apiService: named(),
    definition: fields({
      type: z.string().optional(),
      value: z.string().optional(),
      contentType: z.string().optional(),
      version: z.string().optional(),
    }).optional(),
  }),
  subResources: free("compliance", "information"),
  references: [{ path: ["apiService"], kind: "APIService", type: "hard" }],
  queryParams: ["spec.definition.type", "information.hash"],
});

const instance = kindOf({
  group: "management",
  kind: "APIServiceInstance",
  plural: "apiserviceinstances",
  scopes: ["Environment"],
  spec: fields({
    apiServiceRevision: named().optional(),
    endpoint: z
      .array(
        fields({
          host: z.string().min(1),
          protocol: z.string().min(1),
          port: z.number().int().min(1).max(65_535).optional(),
          routing: fields({
            basePath: z.string().optional(),
            details: anything.optional(),
          }).optional(),
        }),
      )
      .optional(),
    accessRequestDefinition: z.string().optional(),
    credentialRequestDefinitions: z.array(z.string()).optional(),
    mock: anything.optional(),
  }),
  subResources: free(
    "compliance",
    "complianceruntimeresult",
    "lifecycle",
    "references",
    "samplestate",
    "sampletrigger",
    "source",
    "traceable",
  ),
  references: [
    { path: ["apiServiceRevision"], kind: "APIServiceRevision", type: "hard" },
    { path: ["accessRequestDefinition"], kind: "AccessRequestDefinition", type: "soft" },
  ],
});

const webhook = kindOf({
  group: "management",
  kind: "Webhook",
  plural: "webhooks",
  shortNames: ["webh", "wh"],
  scopes: ["Environment", "Integration"],
  unscoped: true,
  spec: webhookSpec,
  references: [{ path: ["auth", "secret", "name"], kind: "Secret", type: "soft" }],
});

const hook = kindOf({
  group: "management",
  kind: "ResourceHook",
  plural: "resourcehooks",
  scopes: ["Environment", "Integration"],
  unscoped: true,
  spec: hookSpec,
});

const secret = kindOf({
  group: "management",
  kind: "Secret",
  plural: "secrets",
  shortNames: ["secret"],
  scopes: ["Environment", "Integration"],
  unscoped: true,
  spec: fields({ data: texts.optional() }),
  secret: true,
});

const topic = kindOf({
  group: "management",
  kind: "WatchTopic",
  plural: "watchtopics",
  shortNames: ["wt", "wts"],
  spec: topicSpec,
});

export const management: readonly Kind[] = [
  environment,
  integration,
  service,
  revision,
  instance,
  webhook,
  secret,
  hook,
  topic,
];
