import * as z from "zod";
import { anything, fields, icon, named, texts } from "./field";
import type { Kind } from "./kind";

/** Kinds of the group `management` (reference `resource-api.md` §8). */

const scopeTrigger = fields({ kind: z.string().min(1), name: named("*") });

/** What a hook or a watch topic waits for (reference §8 and §9). */
export const trigger = fields({
  group: z.string().min(1),
  kind: z.string().min(1),
  name: named("*"),
  type: z.array(z.enum(["created", "updated", "deleted"])).min(1),
  scope: scopeTrigger.optional(),
});

const headerValues = z.record(z.string(), z.string());

/** Where a webhook's secret goes; without it, into `Authorization`. */
const location = z.union([
  fields({ in: z.literal("header"), name: z.string().min(1).optional() }),
  fields({ in: z.literal("query"), name: z.string().min(1) }),
]);

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

const environment: Kind = {
  group: "management",
  kind: "Environment",
  plural: "environments",
  singular: "environment",
  shortNames: ["env", "envs"],
  scopes: [],
  unscoped: true,
  spec: fields({
    description: z.string().optional(),
    variables: texts.optional(),
    production: z.boolean().optional(),
    axwayManaged: z.boolean().optional(),
    icon: icon.optional(),
    compliance: anything.optional(),
  }),
  subResources: {
    references: anything,
    policies: anything,
    stages: anything,
    compliancetasks: anything,
    complianceruntimeresult: anything,
    traceable: anything,
  },
  references: [],
  queryParams: [],
};

const integration: Kind = {
  group: "management",
  kind: "Integration",
  plural: "integrations",
  singular: "integration",
  shortNames: ["integr", "integ"],
  scopes: [],
  unscoped: true,
  spec: fields({ description: z.string().optional() }),
  subResources: {},
  references: [],
  queryParams: [],
};

const service: Kind = {
  group: "management",
  kind: "APIService",
  plural: "apiservices",
  singular: "apiservice",
  shortNames: ["apis", "apisvc"],
  scopes: ["Environment"],
  unscoped: false,
  spec: fields({
    description: z.string().optional(),
    categories: z.array(z.string()).optional(),
    icon: icon.optional(),
  }),
  subResources: {
    agentdetails: anything,
    appinfo: anything,
    compliance: anything,
    complianceruntimeresult: anything,
    details: anything,
    profile: anything,
    references: anything,
    source: anything,
    status: anything,
  },
  references: [],
  queryParams: [],
};

const revision: Kind = {
  group: "management",
  kind: "APIServiceRevision",
  plural: "apiservicerevisions",
  singular: "apiservicerevision",
  shortNames: [],
  scopes: ["Environment"],
  unscoped: false,
  spec: fields({
    apiService: named(),
    definition: fields({
      type: z.string().optional(),
      value: z.string().optional(),
      contentType: z.string().optional(),
      version: z.string().optional(),
    }).optional(),
  }),
  subResources: { compliance: anything, information: anything },
  references: [{ path: ["apiService"], kind: "APIService", type: "hard" }],
  queryParams: ["spec.definition.type"],
};

const instance: Kind = {
  group: "management",
  kind: "APIServiceInstance",
  plural: "apiserviceinstances",
  singular: "apiserviceinstance",
  shortNames: [],
  scopes: ["Environment"],
  unscoped: false,
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
  subResources: {
    compliance: anything,
    complianceruntimeresult: anything,
    lifecycle: anything,
    references: anything,
    source: anything,
    traceable: anything,
  },
  references: [{ path: ["apiServiceRevision"], kind: "APIServiceRevision", type: "hard" }],
  queryParams: [],
};

const webhook: Kind = {
  group: "management",
  kind: "Webhook",
  plural: "webhooks",
  singular: "webhook",
  shortNames: ["webh", "wh"],
  scopes: ["Environment", "Integration"],
  unscoped: true,
  spec: webhookSpec,
  subResources: {},
  references: [{ path: ["auth", "secret", "name"], kind: "Secret", type: "soft" }],
  queryParams: [],
};

const hook: Kind = {
  group: "management",
  kind: "ResourceHook",
  plural: "resourcehooks",
  singular: "resourcehook",
  shortNames: [],
  scopes: ["Environment", "Integration"],
  unscoped: true,
  spec: hookSpec,
  subResources: {},
  references: [],
  queryParams: [],
};

const secret: Kind = {
  group: "management",
  kind: "Secret",
  plural: "secrets",
  singular: "secret",
  shortNames: ["secret"],
  scopes: ["Environment", "Integration"],
  unscoped: true,
  spec: fields({ data: texts.optional() }),
  subResources: {},
  references: [],
  queryParams: [],
  secret: true,
};

const topic: Kind = {
  group: "management",
  kind: "WatchTopic",
  plural: "watchtopics",
  singular: "watchtopic",
  shortNames: ["wt", "wts"],
  scopes: [],
  unscoped: true,
  spec: topicSpec,
  subResources: {},
  references: [],
  queryParams: [],
};

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
